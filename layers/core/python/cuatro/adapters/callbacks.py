"""A task token of Step Functions -> the answer for which its execution waits."""

from typing import Any

import msgspec

from cuatro.adapters.aws import called
from cuatro.errors import Refused

_GONE = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})


def succeed(token: str, output: Any) -> bool:
    """Go on with `output`; False when nobody waits (any more). Raises Unavailable or Refused."""
    return _answered("send_task_success", {"taskToken": token, "output": msgspec.json.encode(output).decode()})


def fail(token: str, error: str, cause: str) -> bool:
    """Go on with an error by that name, which the state may catch; False when nobody waits. Raises as above."""
    return _answered("send_task_failure", {"taskToken": token, "error": error, "cause": cause})


def _answered(operation: str, parameters: dict[str, Any]) -> bool:
    try:
        called("stepfunctions", operation, **parameters)
    except Refused as refused:
        if refused.code in _GONE:
            return False
        raise
    return True
