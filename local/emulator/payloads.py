"""Request or answer of a function, state of an execution -> refused where it is larger than AWS carries.

MiniStack carries everything, and shows a caller of an API the error that its function raised; AWS shows nobody.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.services import apigateway_v1, lambda_svc, stepfunctions

Answer = Any

REQUEST_BYTES = 10_485_760  # of a request to a REST API
INVOCATION_BYTES = 6_291_456  # of a synchronous call's event
ANSWER_BYTES = 6_291_556  # of a synchronous call's result
STATE_BYTES = 262_144  # of what a state hands on
# Not worth counting below: an event adds headers and escapes to its body.
_SURELY_SMALL = 500_000
_INTERNAL = "Internal server error"


class _TooLargeError(Exception):
    """An event that Lambda does not take."""


def install() -> None:
    """Put the limits of API Gateway, Lambda and Step Functions in their ways."""
    apigateway_v1._call_lambda_raw = _counted(apigateway_v1._call_lambda_raw)
    apigateway_v1._invoke_lambda_proxy_v1 = _refusing(apigateway_v1._invoke_lambda_proxy_v1)
    apigateway_v1._lambda_proxy_response = _silent(apigateway_v1._lambda_proxy_response)
    lambda_svc._execute_function_warm = _answering(lambda_svc._execute_function_warm)
    stepfunctions._call_lambda = _limited(stepfunctions._call_lambda)
    stepfunctions._run_map_items = _limited(stepfunctions._run_map_items)


def _counted(call: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    async def counted(function: str, event: dict[str, Any], **where: Any) -> Answer:
        if len(event.get("body") or "") > _SURELY_SMALL and _size(event) > INVOCATION_BYTES:
            raise _TooLargeError
        return await call(function, event, **where)

    return counted


def _refusing(invoke: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    async def invoked(*request: Any, **named: Any) -> Answer:
        body = request[8]  # after the path, the method and the headers: see MiniStack's signature
        if body and len(body) > REQUEST_BYTES:
            said = f"HTTP content length exceeded {REQUEST_BYTES} bytes."
            return apigateway_v1._gw_error("REQUEST_TOO_LARGE", said)
        try:
            return await invoke(*request, **named)
        except _TooLargeError:
            return apigateway_v1._gw_error("REQUEST_TOO_LARGE", "Request Too Long")

    return invoked


def _silent(shape: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    def shaped(result: Any) -> Answer:
        answer, error = shape(result)
        return answer, _INTERNAL if error else None

    return shaped


def _answering(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def executed(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result = execute(function, event, request_id)
        if not result.get("error") and _size(result.get("body")) > ANSWER_BYTES:
            said = f"Response payload size exceeded maximum allowed payload size ({ANSWER_BYTES} bytes)."
            error = {"errorMessage": said, "errorType": "Function.ResponseSizeTooLarge"}
            return {**result, "error": True, "body": error}
        return result

    return executed


def _limited(run: Callable[..., Any]) -> Callable[..., Any]:
    def limited(*given: Any) -> Any:
        result = run(*given)
        if _size(result) > STATE_BYTES:
            said = f"returned a result with a size exceeding the maximum number of bytes service limit ({STATE_BYTES})."
            raise stepfunctions._ExecutionError("States.DataLimitExceeded", f"The state {said}")
        return result

    return limited


def _size(value: Any) -> int:
    """Bytes of a value as JSON."""
    return len(value.encode() if isinstance(value, str) else json.dumps(value).encode())
