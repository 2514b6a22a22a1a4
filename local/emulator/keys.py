"""(caller, KMS key, what is done with it, for which service) -> None, or why KMS refuses.

AWS's services use a customer's key in the name of whoever calls them, so a role needs grants on the data and on the
key that encrypts it. MiniStack keeps which key encrypts what, and asks nobody. Keys that AWS manages are for everyone
who may use the service.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import contextvars
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, NamedTuple

from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.core.router import extract_access_key_id
from ministack.services import kms

Answer = Any
Handle = Callable[..., Awaitable[Answer]]

_MANAGED = "alias/aws/"

# Access key of the request that is answered; None where the platform works for itself.
_caller: contextvars.ContextVar[str | None] = contextvars.ContextVar("caller", default=None)


class Refusal(NamedTuple):
    """Why a key may not or cannot be used, in KMS's words."""

    kind: Literal["denied", "disabled", "invalid", "missing"]
    message: str


def with_caller(handle: Handle) -> Handle:
    """A service's handler that lets `refused` know who calls."""

    async def handled(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], *rest: Any, **named: Any
    ) -> Answer:
        token = _caller.set(extract_access_key_id(headers, query) or "")
        try:
            return await handle(method, path, headers, body, query, *rest, **named)
        finally:
            _caller.reset(token)

    return handled


def refused(key: str | None, actions: tuple[str, ...], service: str, context: Mapping[str, str]) -> Refusal | None:
    """Why the caller may not do all of `actions` ("Decrypt", ...) with a key; None when it may, or none is needed.

    key: id, ARN or alias; nothing for data without a key of the customer's. service: such as `s3`, which asks on the
    caller's behalf. context: encryption context that the service gives.
    """
    caller = _caller.get()
    if not key or _MANAGED in key or caller is None:
        return None
    record = kms._resolve_key(key)
    if record is None:
        return Refusal("missing", f"Key '{key}' does not exist")
    conditions = {
        "kms:ViaService": f"{service}.{get_region()}.amazonaws.com",
        "kms:CallerAccount": record["Arn"].split(":")[4],
    }
    conditions |= {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
    for action in (f"kms:{each}" for each in actions):
        denied = iam_evaluator.enforce(caller, action, "kms", get_region(), record["Arn"], conditions)
        if denied is not None:
            return Refusal("denied", _told(denied, action, record["Arn"]))
    if record["KeyState"] == "Enabled":
        return None
    if record["KeyState"] == "Disabled":
        return Refusal("disabled", f"{record['Arn']} is disabled.")
    return Refusal("invalid", f"{record['Arn']} is pending deletion.")


def _told(denied: Any, action: str, arn: str) -> str:
    if isinstance(denied, iam_evaluator.AuthError):
        return str(denied.message)
    who = f"User: {denied.principal_arn} is not authorized to perform: {action} on resource: {arn}"
    if denied.decision == "Deny":
        return f"{who} with an explicit deny"
    return f"{who} because no identity-based policy allows the {action} action"
