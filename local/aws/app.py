"""ASGI app of a service that local/ answers for: request -> who, what, may they -> operation -> answer.

An operation is a plain function (Service, input) -> output, run in a worker thread. This module alone knows HTTP.
"""

import asyncio
import contextvars
import logging
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

from local.aws import protocol, shapes
from local.aws.caller import Access, Caller
from local.aws.errors import AwsError
from local.aws.protocol import Answer, Call, Protocol, Request
from local.aws.service import Operation, Output, Service
from local.emulator.routing import Receive, Scope, Send

LOG = logging.getLogger(__name__)

# An operation may wait a minute for a model's answer, and waits for its turn in none.
THREADS = 128


class ServiceApp:
    """The ASGI app. Modules have OPERATIONS, and may have `recover` and `end`; they end in their order.

    `recover` gives what ran when the platform ended its stated end; `end` ends what was started.
    """

    def __init__(self, service: Service, spoken: Protocol, access: Access, modules: Sequence[ModuleType]) -> None:
        self.service = service
        self.operations = collected(modules)
        self._protocol = spoken
        self._access = access
        self._modules = tuple(modules)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=service.name)
        for module in modules:
            if hasattr(module, "recover"):
                module.recover(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await _request(scope, receive)
        if request is None:
            return
        request_id = str(uuid.uuid4())
        answer = await self._answer(dict(scope), request, request_id)
        headers = {**answer.headers, "x-amzn-RequestId": request_id, "Content-Length": str(len(answer.body))}
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer.body})

    def end(self) -> None:
        """Ends what the operations started, writes and tells what waits."""
        for module in self._modules:
            try:
                if hasattr(module, "end"):
                    module.end(self.service)
            except Exception:  # the others still have to end what they started
                LOG.exception("%s did not end", module.__name__)
        self.service.end()

    async def _answer(self, scope: dict[str, Any], request: Request, request_id: str) -> Answer:
        call: Call | None = None
        try:
            call = self._protocol.find(request)
            caller = Caller(scope, request, call.operation.service_model.signing_name)
            refusal = caller.refusal(request_id)
            if refusal:
                return refusal
            operation = self._operation(call)
            given = protocol.read(call, request)
            caller.may(self.service, self._access, call, given)
            shapes.validate(call.operation.input_shape, given)
            output = await self._in_thread(operation, given)
            return protocol.answer(call, output)
        except AwsError as error:
            return self._protocol.failure(call, error)
        except RecursionError:
            too_deep = AwsError("SerializationException", "The request is nested too deeply.")
            return self._protocol.failure(call, too_deep)
        except Exception as error:
            LOG.exception("%s failed", call.name if call else request.raw_path)
            text = f"The local {self.service.title} failed at this ({error!r}); its log tells more."
            return self._protocol.failure(call, AwsError("InternalFailure", text, 500))

    async def _in_thread(self, operation: Operation, given: dict[str, Any]) -> Output:
        """Runs an operation with this request's account and region, which MiniStack keeps in the context."""
        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self._threads, run, operation, self.service, given)

    def _operation(self, call: Call) -> Operation:
        found = self.operations.get(call.name)
        if found is None:
            text = f"{call.name} is not served by the local platform, only by AWS: see docs/parity.md."
            raise AwsError("UnknownOperationException", text)
        return found


def collected(modules: Iterable[ModuleType]) -> dict[str, Operation]:
    """Operations of all modules by AWS's names. Raises ValueError when two modules have the same one."""
    found: dict[str, Operation] = {}
    for module in modules:
        own: dict[str, Operation] = getattr(module, "OPERATIONS", {})
        if twice := found.keys() & own.keys():
            raise ValueError(f"{module.__name__} has operations that another module has: {sorted(twice)}")
        found |= own
    return found


async def _request(scope: Scope, receive: Receive) -> Request | None:
    """The whole request; None when the client broke off before its end."""
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers[name.decode("latin-1").lower()] = value.decode("latin-1")
    raw_path = scope.get("raw_path") or scope["path"].encode()
    return Request(
        scope["method"], raw_path.decode("latin-1"), scope.get("query_string", b"").decode("latin-1"), headers,
        b"".join(parts),
    )  # fmt: skip
