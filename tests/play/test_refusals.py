"""What the server does not take gets a 4xx and one line of JSON, never a 500."""

import asyncio
import json

import pytest
from helpers import play

from pipeline.play import guard

GOOD = {"task": "sketch", "methods": ["cgan"], "asked": {"condition": 1}}
WALK = {"task": "sketch", "method": "cgan", "asked": {"condition": 1}, "seed": 1, "towards": 2}
A, W, T = "/api/answers", "/api/walk", "/api/toys"
HUGE = b'{"task": "' + b"a" * guard.MOST + b'"}'


def raw(text: str) -> bytes:
    return text.encode()


BODIES = {  # path, body, status
    "no body": (A, b"", 422),
    "no JSON": (A, b"task=sketch", 422),
    "half a body": (A, b'{"task": "sk', 422),
    "not UTF-8": (A, b'{"task": "\xff\xfe"}', 400),
    "NUL bytes": (A, b"\0" * 100, 422),
    "a list": (A, [GOOD], 422),
    "a number": (A, 7, 422),
    "null": (A, b"null", 422),
    "nothing in it": (A, {}, 422),
    "deep nesting": (A, b"[" * 30_000 + b"]" * 30_000, 400),
    "a huge body": (A, HUGE, 413),
    "an unknown key": (A, GOOD | {"batch": 1}, 422),
    "an unknown task": (A, GOOD | {"task": "sketches"}, 404),
    "a task that is a path": (A, GOOD | {"task": "../tasks/sketch"}, 404),
    "an absolute path": (A, GOOD | {"task": "/etc/passwd"}, 404),
    "a NUL in a name": (A, GOOD | {"task": "sketch\0"}, 404),
    "a lone surrogate": (A, raw('{"task": "\\ud800", "methods": ["cgan"], "asked": {"condition": 1}}'), 422),
    "a long name": (A, GOOD | {"task": "s" * 101}, 422),
    "a task that is not made": (A, GOOD | {"task": "semantic"}, 400),
    "a task without a condition": (A, GOOD | {"task": "digits"}, 400),
    "an unknown method": (A, GOOD | {"methods": ["vae"]}, 404),
    "a method that is a path": (A, GOOD | {"methods": ["../cgan"]}, 404),
    "no method": (A, GOOD | {"methods": []}, 422),
    "many methods": (A, GOOD | {"methods": ["cgan"] * 5}, 422),
    "methods of a wrong type": (A, GOOD | {"methods": "cgan"}, 422),
    "a negative seed": (A, GOOD | {"seed": -1}, 422),
    "a seed with a point": (A, GOOD | {"seed": 1.5}, 422),
    "a seed of text": (A, GOOD | {"seed": "1"}, 422),
    "a seed that is true": (A, GOOD | {"seed": True}, 422),
    "a huge seed": (A, GOOD | {"seed": 2**31}, 422),
    "a seed of a million digits": (A, raw('{"seed": ' + "9" * 60_000 + "}"), 400),
    "a seed that is NaN": (A, raw('{"task": "sketch", "methods": ["cgan"], "asked": {}, "seed": NaN}'), 422),
    "infinite steps": (
        A,
        raw('{"task": "sketch", "methods": ["flow"], "asked": {}, "num_steps": Infinity}'),
        422,
    ),
    "no steps": (A, GOOD | {"num_steps": 0}, 422),
    "many steps": (A, GOOD | {"num_steps": 33}, 422),
    "nothing asked": (A, GOOD | {"asked": {}}, 400),
    "asked in two ways": (A, GOOD | {"asked": {"condition": 1, "drawing": "AA=="}}, 400),
    "asked in no known way": (A, GOOD | {"asked": {"image": 1}}, 422),
    "a class of a sketch": (A, GOOD | {"asked": {"label": 1}}, 400),
    "no such example": (A, GOOD | {"asked": {"condition": 32}}, 400),
    "a negative example": (A, GOOD | {"asked": {"condition": -1}}, 422),
    "a drawing of pixels": (A, GOOD | {"asked": {"drawing": [[0, 255]]}}, 422),
    "a drawing of NaN": (
        A,
        raw('{"task": "sketch", "methods": ["cgan"], "asked": {"drawing": [NaN]}}'),
        422,
    ),
    "a drawing that is no base64": (A, GOOD | {"asked": {"drawing": "<svg>"}}, 400),
    "a drawing of letters beyond ASCII": (A, GOOD | {"asked": {"drawing": "é"}}, 400),
    "a drawing of another shape": (A, GOOD | {"asked": {"drawing": "eJxjYGBgAAAABAAB"}}, 400),
    "a long drawing": (A, GOOD | {"asked": {"drawing": "A" * 20_001}}, 422),
    "a long caption": (A, {"task": "text", "methods": ["cgan"], "asked": {"caption": "a " * 101}}, 422),
    "a class beyond the last": (A, {"task": "digit", "methods": ["cgan"], "asked": {"label": 10}}, 400),
    "a hole outside": (
        A,
        {"task": "inpaint", "methods": ["cgan"], "asked": {"condition": 1, "hole": [9, 0]}},
        400,
    ),
    "a hole of three numbers": (
        A,
        {"task": "inpaint", "methods": ["cgan"], "asked": {"condition": 1, "hole": [1, 2, 3]}},
        422,
    ),
    "a walk of regression": (W, WALK | {"method": "regression"}, 400),
    "a walk of a missing model": (W, WALK | {"task": "tones", "method": "flow"}, 400),
    "a walk of an unknown method": (W, WALK | {"method": "__class__"}, 404),
    "a walk to nowhere": (W, {key: WALK[key] for key in WALK if key != "towards"}, 422),
    "a walk to a negative seed": (W, WALK | {"towards": -2}, 422),
    "an unknown toy": (T, {"toy": "spiral"}, 404),
    "an unknown loss": (T, {"toy": "ring-adversarial", "loss": "hing"}, 422),
    "a loss of a flow": (T, {"toy": "ring-flow", "loss": "hinge"}, 400),
    "a negative penalty": (T, {"toy": "ring-adversarial", "r1": -1.0}, 422),
    "a penalty that is NaN": (T, raw('{"toy": "ring-adversarial", "r1": NaN}'), 422),
    "an infinite penalty": (T, raw('{"toy": "ring-adversarial", "r1": -Infinity}'), 422),
    "a huge penalty": (T, {"toy": "ring-adversarial", "r1": 1e9}, 422),
    "steps of no training": ("/api/toys/999999/steps", {"num_steps": 1}, 404),
    "steps of a negative training": ("/api/toys/-1/steps", {"num_steps": 1}, 422),
    "steps of a training of no number": ("/api/toys/one/steps", {"num_steps": 1}, 422),
    "no steps of a training": ("/api/toys/1/steps", {"num_steps": 0}, 422),
    "a million steps": ("/api/toys/1/steps", {"num_steps": 10**6}, 422),
    "a path that is not there": ("/api/nothing", {}, 404),
    "a page that takes no POST": ("/", {}, 405),
}
HEADERS = {  # path, body, headers, status
    "another Host": (A, GOOD, {"Host": "evil.example"}, 403),
    "another port": (A, GOOD, {"Host": "127.0.0.1:1"}, 403),
    "no port": ("/", None, {"Host": "127.0.0.1"}, 403),
    "a Host of another page": ("/", None, {"Host": "localhost.evil.example:80"}, 403),
    "another Origin": (A, GOOD, {"Origin": "http://evil.example"}, 403),
    "no Origin to be told": (A, GOOD, {"Origin": "null"}, 403),
    "a form": (A, b"task=sketch", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "plain text": (A, GOOD, {"Content-Type": "text/plain"}, 415),
    "several parts": (A, GOOD, {"Content-Type": "multipart/form-data; boundary=x"}, 415),
    "XML": (A, GOOD, {"Content-Type": "application/xml"}, 415),
    "an image": (A, b"\x89PNG", {"Content-Type": "image/png"}, 415),
    "no type": (A, GOOD, {"Content-Type": None}, 415),
    "a packed body": (A, GOOD, {"Content-Encoding": "gzip"}, 415),
}
PATHS = {
    "/api/answers": 405,
    "/etc/passwd": 404,
    "/../stages/play.py": 404,
    "/%2e%2e/params.yaml": 404,
    "/docs": 404,
    "/openapi.json": 404,
    "/api/examples": 422,
    "/api/examples?task=..%2Fsketch": 404,
    "/api/examples?task=%00": 404,
    "/api/examples?task=%ff": 404,
    "/api/examples?task=digit": 400,
    "/api/examples?task=sketch&offset=-1": 422,
    "/api/examples?task=sketch&offset=1e99": 422,
    "/api/examples?task=sketch&known=perhaps": 422,
    "/api/drawing?task=tones&condition=1": 400,
    "/api/drawing?task=sketch&condition=32": 400,
    "/api/drawing?task=sketch&condition=nan": 422,
}


def check(found, status):
    assert found[0] == status, found
    assert set(found[1]) == {"error"}
    assert 0 < len(found[1]["error"]) <= 500
    assert "\n" not in found[1]["error"]


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_means_nothing_is_refused(port, name):
    path, body, status = BODIES[name]
    check(play.ask(port, path, body), status)


@pytest.mark.parametrize("name", HEADERS)
def test_who_is_not_the_page_is_refused(port, name):
    path, body, headers, status = HEADERS[name]
    check(play.ask(port, path, body, headers), status)


@pytest.mark.parametrize("path", PATHS)
def test_there_are_no_other_paths(port, path):
    check(play.ask(port, path), PATHS[path])


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_there_are_no_other_methods(port, method):
    check(play.ask(port, "/api/answers", method=method), 405)


def test_all_this_leaves_the_server_answering(port):
    assert play.ask(port, A, GOOD)[0] == 200


def test_a_body_without_a_length_is_cut_off_where_it_is_too_much():
    """Chunks that never end are not collected."""
    asked, sent = [], []

    async def receive():
        asked.append(1)
        return {"type": "http.request", "body": b"a" * 10_000, "more_body": True}

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"here"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "headers": headers}
    asyncio.run(guard.Guard(None, ["here"])(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 413
    assert len(asked) == guard.MOST // 10_000 + 1
    assert set(json.loads(sent[1]["body"])) == {"error"}


def test_nobody_opens_a_web_socket():
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(guard.Guard(None, ["here"])({"type": "websocket"}, None, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]
