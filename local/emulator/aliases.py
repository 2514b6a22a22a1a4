"""Function alias -> the version that answers this call, drawn by the alias's weights.

MiniStack stores AdditionalVersionWeights and goes on calling the alias's own version. Here every way to call an alias
(Invoke, event sources, API Gateway, state machines, topics, rules) draws anew for each call, as AWS does, and the
function sees the alias in its invoked_function_arn.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import random
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any

from ministack.services import lambda_svc

Record = dict[str, Any]

# GetFunction of an alias describes the alias's own version, whatever the weights.
_describing: ContextVar[bool] = ContextVar("describing", default=False)
# ARN of the alias by which Invoke called; Invoke itself then runs a version.
called_as: ContextVar[str] = ContextVar("called_as", default="")
_draw = random.Random().random  # noqa: S311 - traffic is shared out by chance, nothing is kept secret


def install() -> None:
    """Have every way to a function's version go by the alias's weights."""
    lambda_svc._effective_func_record_for_qualifier = _by_weight(lambda_svc._effective_func_record_for_qualifier)
    lambda_svc._get_function = _of_itself(lambda_svc._get_function)
    lambda_svc._get_function_config = _of_itself(lambda_svc._get_function_config)
    lambda_svc._invoke = _invoked(lambda_svc._invoke)


def drawn(alias: Record) -> str:
    """Version that answers one call of this alias."""
    at = _draw()
    for version, weight in weights(alias).items():
        at -= weight
        if at < 0:
            return version
    return str(alias.get("FunctionVersion", "$LATEST"))


def weights(alias: Record) -> dict[str, float]:
    """Additional versions of an alias with their shares, 0 to 1."""
    additional = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return {str(version): float(weight) for version, weight in additional.items()}


def versions_in_use(function: Record) -> Iterator[str]:
    """Versions that an alias of this function sends calls to."""
    for alias in list(function.get("aliases", {}).values()):
        yield str(alias.get("FunctionVersion", "$LATEST"))
        yield from weights(alias)


def _by_weight(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def resolved(function: Record | None, qualifier: str | None) -> tuple[Record | None, Record | None]:
        alias = (function or {}).get("aliases", {}).get(qualifier)
        if function is None or alias is None or _describing.get():
            return resolve(function, qualifier)  # type: ignore[no-any-return]
        record, config = resolve(function, drawn(alias))
        if record is None:
            return None, None
        as_called = {**config, "FunctionArn": alias["AliasArn"]}
        # Reserved concurrency and the rules of asynchronous calls are the function's, whichever version runs.
        own = {name: function.get(name) for name in ("concurrency", "event_invoke_config", "event_invoke_configs")}
        return {**record, **own, "config": as_called}, as_called

    return resolved


def _of_itself(describe: Callable[..., Any]) -> Callable[..., Any]:
    def described(name: str, qualifier: str | None = None) -> Any:
        token = _describing.set(True)
        try:
            return describe(name, qualifier)
        finally:
            _describing.reset(token)

    return described


def _invoked(invoke: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def invoked(
        name: str,
        event: Any,
        headers: dict[str, str],
        path_qualifier: str | None = None,
        query_params: dict[str, Any] | None = None,
    ) -> Any:
        qualifier = path_qualifier or lambda_svc._qp_first(query_params or {}, "Qualifier") or None
        alias = (lambda_svc._functions.get(name) or {}).get("aliases", {}).get(qualifier)
        if alias is None:
            return await invoke(name, event, headers, path_qualifier, query_params)
        token = called_as.set(alias["AliasArn"])
        try:
            return await invoke(name, event, headers, drawn(alias), query_params)
        finally:
            called_as.reset(token)

    return invoked
