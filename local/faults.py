"""A failing AWS on demand: calls of the local platform that match a fault get its error instead of an answer.

    POST   /_cuatro/faults  {"service", "operation", "contains", "code", "status", "times"} -> all faults
    GET    /_cuatro/faults  -> all faults, with how many calls each has failed
    DELETE /_cuatro/faults  -> []

The emulator tests use it to throttle DynamoDB or take SNS down under running functions. It is wrapped around the
platform only where CUATRO_FAULTS=1 was set at its start.
"""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qs

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

PATH = "/_cuatro/faults"
SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/")


@dataclass
class Fault:
    """Fails the next `times` calls (-1: all) of a service whose operation and body match; "" matches any."""

    service: str
    operation: str = ""
    contains: str = ""
    code: str = "ThrottlingException"
    status: int = 400
    times: int = -1
    failed: int = 0

    def takes(self, service: str, operation: str, body: bytes) -> bool:
        """Whether this call must fail; counts it if so."""
        matches = (
            self.service == service
            and self.operation in ("", operation)
            and self.contains.encode() in body
            and (self.times < 0 or self.failed < self.times)
        )
        self.failed += matches
        return matches


class Faults:
    """ASGI application around the platform that lets faults in."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.faults: list[Fault] = []

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["path"] == PATH:
            self._control(scope["method"], await _body(receive))
            await _answer(send, 200, "application/json", json.dumps([asdict(fault) for fault in self.faults]))
            return
        signed = SCOPE.search(headers.get("authorization", ""))
        if not self.faults or not signed:
            await self.app(scope, receive, send)
            return
        body = await _body(receive)
        operation = _operation(headers, body)
        for fault in self.faults:
            if fault.takes(signed[1], operation, body):
                await _fail(send, fault, json_protocol="x-amz-target" in headers)
                return
        await self.app(scope, _replay(body, receive), send)

    def _control(self, method: str, body: bytes) -> None:
        if method == "POST":
            self.faults.append(Fault(**json.loads(body)))
        elif method == "DELETE":
            self.faults.clear()


def _operation(headers: dict[str, str], body: bytes) -> str:
    """Name of the called operation: from the target header (JSON protocols) or the form (query protocol)."""
    target = headers.get("x-amz-target", "")
    if target:
        return target.rpartition(".")[2]
    if "x-www-form-urlencoded" in headers.get("content-type", ""):
        return parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
    return ""


async def _fail(send: Send, fault: Fault, json_protocol: bool) -> None:
    message = f"{fault.code}: injected by the test"
    if json_protocol:
        await _answer(
            send, fault.status, "application/x-amz-json-1.0", json.dumps({"__type": fault.code, "message": message})
        )
        return
    error = f"<Error><Code>{fault.code}</Code><Message>{message}</Message></Error>"
    if fault.service != "s3":
        error = f"<ErrorResponse>{error}</ErrorResponse>"
    await _answer(send, fault.status, "application/xml", error)


async def _answer(send: Send, status: int, content_type: str, text: str) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", content_type.encode())]})
    await send({"type": "http.response.body", "body": text.encode()})


async def _body(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A receive that hands out the body that was read already, then whatever follows."""
    unread = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return unread.pop() if unread else await receive()

    return replayed
