"""The playground's server: the page, and what it asks for."""

from collections.abc import Callable
from threading import Lock
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.metrics.dial import STEPS
from pipeline.play import examples, pages, toys
from pipeline.play.bodies import Answers, Name, StartToy, StepToy, Walk
from pipeline.play.guard import HEADERS, Guard, complaint
from pipeline.play.laboratory import METHODS, Laboratory, Unknown
from pipeline.play.replies import Replies
from pipeline.play.toys import Toys
from pipeline.runtime.errors import InputError

Offset = Annotated[int, Query(ge=0, le=10**6)]


def application(laboratory: Laboratory, entries: toys.Entries, hosts: list[str]) -> Guard:
    """All of it, for requests to these hosts. One request computes at a time: each has the core to itself."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_errors(app)
    add_pages(app, laboratory, list(entries))
    lock = Lock()
    add_answers(app, Replies(laboratory), lock)
    add_toys(app, Toys(entries), lock)
    return Guard(app, hosts)


def add_errors(app: FastAPI) -> None:
    """Whatever is wrong is told in JSON."""

    def add(kind: type[Exception], answer: Callable[[Any], JSONResponse]) -> None:
        app.add_exception_handler(kind, lambda request, error: answer(error))

    add(Unknown, lambda error: complaint(404, str(error)))
    add(InputError, lambda error: complaint(400, str(error)))
    add(HTTPException, lambda error: complaint(error.status_code, str(error.detail)))
    add(RequestValidationError, lambda error: complaint(422, "; ".join(map(explained, error.errors()))))


def explained(detail: dict[str, Any]) -> str:
    """One problem of a request's body or query: the key, the value found, what is allowed."""
    key = ".".join(map(str, detail["loc"][1:])) or "body"
    return f"{key} = {str(detail.get('input'))[:60]!r}: {detail['msg'].removeprefix('Value error, ')}"


def add_pages(app: FastAPI, laboratory: Laboratory, toys: list[str]) -> None:
    page = pages.page()

    @app.get("/")
    def root() -> HTMLResponse:
        return HTMLResponse(page, headers=HEADERS)

    @app.get("/api/tasks")
    def list_tasks() -> dict[str, Any]:
        found = [examples.described(laboratory, name) for name in laboratory.conditions]
        kept = [each for each in found if each["kind"] != "none"]
        losses = list(ADVERSARIAL_LOSSES)
        return {"tasks": kept, "methods": list(METHODS), "steps": STEPS, "toys": toys, "losses": losses}

    @app.get("/api/examples")
    def list_examples(task: Name, offset: Offset = 0, known: bool = False) -> dict[str, Any]:
        return examples.page(laboratory.task(task), offset, known)

    @app.get("/api/drawing")
    def drawing(task: Name, condition: Offset) -> dict[str, Any]:
        return {"drawing": examples.drawing(laboratory.task(task), condition)}


def add_answers(app: FastAPI, replies: Replies, lock: Lock) -> None:
    @app.post("/api/answers")
    def answers(body: Answers) -> dict[str, Any]:
        with lock:
            return replies.answers(body)

    @app.post("/api/walk")
    def walk(body: Walk) -> dict[str, Any]:
        with lock:
            return replies.walk(body)


def add_toys(app: FastAPI, trainings: Toys, lock: Lock) -> None:
    @app.post("/api/toys")
    def start(body: StartToy) -> dict[str, Any]:
        with lock:
            number = trainings.start(body.toy, body.changes(), body.seed)
            return {"number": number, **toys.look(trainings.find(number))}

    @app.post("/api/toys/{number}/steps")
    def step(number: Annotated[int, Path(ge=0, lt=2**31)], body: StepToy) -> dict[str, Any]:
        with lock:
            toy = trainings.find(number)
            logged = toys.advance(toy, body.num_steps)
            return {"number": number, "logged": logged, **toys.look(toy)}
