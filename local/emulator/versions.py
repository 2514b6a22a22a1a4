"""Change of a function, its versions or aliases -> refused where AWS refuses it, so that it does not show there first.

MiniStack takes any weights, and a new version while the change before it is still under way.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc

from local.emulator import aliases

Answer = Any
Function = dict[str, Any]

# What must wait until the function's last update is through.
_CHANGE = re.compile(r"^/[^/]+/functions/(?P<name>[^/]+)/(?:(?P<put>configuration|code)|(?P<post>versions))/?$")


def install() -> None:
    """Have MiniStack refuse these too."""
    lambda_svc._create_alias = _with_valid_weights(lambda_svc._create_alias)
    lambda_svc._update_alias = _with_valid_weights(lambda_svc._update_alias)
    lambda_svc.handle_request = _one_after_another(lambda_svc.handle_request)


def _one_after_another(handle: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    async def handled(method: str, path: str, *rest: Any) -> Answer:
        change = _CHANGE.match(unquote(path))
        if change and method == ("PUT" if change["put"] else "POST"):
            name = lambda_svc._resolve_request_scoped_name(change["name"])
            config = (lambda_svc._functions.get(name) or {}).get("config", {})
            if config.get("LastUpdateStatus") == "InProgress":
                return error_response_json(
                    "ResourceConflictException",
                    "The operation cannot be performed at this time. An update is in progress for resource: "
                    f"{config['FunctionArn']}",
                    409,
                )
        return await handle(method, path, *rest)

    return handled


def _with_valid_weights(change: Callable[..., Answer]) -> Callable[..., Answer]:
    def changed(name: str, *rest: Any) -> Answer:
        data, function = rest[-1], lambda_svc._functions.get(name)
        if function is not None:
            known = function["aliases"].get(rest[0], {}) if len(rest) == 2 else {}
            missing = _missing(function, {**known, **data})
            if missing:
                arn = f"{function['config']['FunctionArn']}:{missing}"
                return error_response_json("ResourceNotFoundException", f"Function not found: {arn}", 404)
            why = _invalid(function, {**known, **data})
            if why:
                return error_response_json("InvalidParameterValueException", why, 400)
        return change(name, *rest)

    return changed


def _missing(function: Function, alias: dict[str, Any]) -> str | None:
    """First version of the alias that the function does not have."""
    wanted = [str(alias.get("FunctionVersion", "$LATEST")), *aliases.weights(alias)]
    return next((each for each in wanted if each != "$LATEST" and each not in function["versions"]), None)


def _invalid(function: Function, alias: dict[str, Any]) -> str | None:
    """Why AWS does not take an alias with these weights; None when it does."""
    own, shares = str(alias.get("FunctionVersion", "$LATEST")), aliases.weights(alias)
    if not shares:
        return None
    configs = [function["versions"].get(version, function)["config"] for version in (own, *shares)]
    rules = (
        ("$LATEST" in {own, *shares}, "$LATEST is not supported for an alias pointing to more than 1 version"),
        (len(shares) > 1, "Number of items in AdditionalVersionWeights cannot be greater than 1"),
        (own in shares, f"Function version {own} is already included in routing configuration"),
        (any(not 0 <= share <= 1 for share in shares.values()), "Weight must be between 0.0 and 1.0"),
        (len({config.get("Role") for config in configs}) > 1, "Both versions must have the same execution role"),
        (
            len({str(config.get("DeadLetterConfig")) for config in configs}) > 1,
            "Both versions must have the same dead-letter queue configuration",
        ),
    )
    return next((message for broken, message in rules if broken), None)
