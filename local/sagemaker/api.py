"""ASGI app of the local SageMaker and Application Auto Scaling: request -> who, what, may they -> operation -> answer.

An operation is a plain function (Service, input) -> output, run in a worker thread. This module alone knows HTTP.
"""

import asyncio
import contextvars
import logging
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

from local.emulator.routing import App, Receive, Scope, Send
from local.sagemaker import (
    asynchronous,
    containers,
    endpoint_configs,
    endpoints,
    features,
    invocations,
    models,
    pipelines,
    processing,
    protocol,
    registry,
    scaling,
    shapes,
    tags,
    training,
    transform,
)
from local.sagemaker.access import Caller
from local.sagemaker.cloudformation.first_call import FirstCall
from local.sagemaker.errors import AwsError
from local.sagemaker.protocol import Answer, Call, Request
from local.sagemaker.service import Operation, Output, Service, port

LOG = logging.getLogger(__name__)

SIGNING_NAMES = ("sagemaker", "application-autoscaling")
# In the order in which they end: an execution before the jobs that it waits for, every process last.
MODULES: tuple[ModuleType, ...] = (
    pipelines, endpoints, invocations, asynchronous, models, endpoint_configs, registry, features, scaling, training,
    processing, transform, tags, containers,
)  # fmt: skip
# An operation may wait a minute for a model's answer, and waits for its turn in none.
THREADS = 128


class SageMaker:
    """The ASGI app. `end` ends what it started."""

    def __init__(self, state: Path) -> None:
        self.service = Service(state, port())
        self.operations = collected(MODULES)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sagemaker")
        for module in MODULES:
            if hasattr(module, "recover"):
                module.recover(self.service)

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
        """Ends jobs and endpoints, writes and tells what waits."""
        for module in MODULES:
            try:
                if hasattr(module, "end"):
                    module.end(self.service)
            except Exception:  # the others still have to end what they started
                LOG.exception("%s did not end", module.__name__)
        self.service.end()

    async def _answer(self, scope: dict[str, Any], request: Request, request_id: str) -> Answer:
        call: Call | None = None
        try:
            call = protocol.find(request)
            caller = Caller(scope, request, call.operation.service_model.signing_name)
            refusal = caller.refusal(request_id)
            if refusal:
                return refusal
            operation = self._operation(call)
            given = protocol.read(call, request)
            caller.may(self.service, call, given)
            shapes.validate(call.operation.input_shape, given)
            output = await self._in_thread(operation, given)
            return protocol.answer(call, output)
        except AwsError as error:
            return protocol.failure(call, error)
        except RecursionError:
            return protocol.failure(call, AwsError("SerializationException", "The request is nested too deeply."))
        except Exception as error:
            LOG.exception("%s failed", call.name if call else request.raw_path)
            text = f"The local SageMaker failed at this ({error!r}); its log tells more."
            return protocol.failure(call, AwsError("InternalFailure", text, 500))

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


def app(state: Path) -> SageMaker:
    """The app, with what it stores under `state`; what ran when the platform ended gets its stated end."""
    return SageMaker(state)


def services(sagemaker: SageMaker, default: App) -> dict[str, App]:
    """The apps by the signing names that they answer for; CloudFormation is MiniStack's (`default`) with our types."""
    cloudformation = FirstCall(default, sagemaker.service, sagemaker.operations)
    return {**dict.fromkeys(SIGNING_NAMES, sagemaker), "cloudformation": cloudformation}


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
