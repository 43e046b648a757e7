"""What no request gets past: one Host, one Origin, JSON alone, and not much of it.

A page elsewhere may make a browser send requests to this machine, also under a name of its own (DNS
rebinding): Host and Origin tell.
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST = 64 * 1024  # bytes of a body
HEADERS = {
    "content-security-policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def complaint(status: int, message: str) -> JSONResponse:
    """What is wrong, in one line that any encoding takes."""
    line = " ".join(message.encode("ascii", "backslashreplace").decode().split())
    return JSONResponse({"error": line[:500]}, status, HEADERS)


class Guard:
    """An application behind these rules; `hosts` are what the Host header may be, as "127.0.0.1:8765"."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # a WebSocket
            await send({"type": "websocket.close", "code": 1008})
            return
        refused = self.refusal(scope["method"], Headers(scope=scope))
        body = None if refused else await self.body(receive)
        if refused or body is None:
            answer = refused or complaint(413, f"the body is too large; allowed are {MOST} bytes")
            await answer(scope, receive, send)
            return
        await self.app(scope, replay(body, receive), send)

    def refusal(self, method: str, headers: Headers) -> JSONResponse | None:
        """The answer to a request whose headers alone say no."""
        if (hosts := headers.getlist("host")) not in [[host] for host in self.hosts]:
            return complaint(403, f"Host = {', '.join(hosts)!r}: allowed are {', '.join(self.hosts)}")
        origin = headers.get("origin")
        if origin is not None and origin not in [f"http://{host}" for host in self.hosts]:
            return complaint(403, f"Origin = {origin!r}: only this server's own page may ask")
        if method != "POST":
            return None
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" or "content-encoding" in headers:
            return complaint(415, f"Content-Type = {kind!r}: allowed is application/json, not encoded")
        return None

    async def body(self, receive: Receive) -> bytes | None:
        """All of it; None if that is too much."""
        whole, more = b"", True
        while more:
            message = await receive()
            whole, more = whole + message.get("body", b""), message.get("more_body", False)
            if len(whole) > MOST:
                return None
        return whole


def replay(body: bytes, receive: Receive) -> Receive:
    """What an application receives of a request whose body has been read."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
