"""One invocation -> a process of its version, its answer or error as AWS shapes it, its AWS/Lambda metrics."""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import logging
import time
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

from local.emulator import aliases, functionlogs, metrics, pool

log = logging.getLogger(__name__)

Record = dict[str, Any]
Result = dict[str, Any]


def install() -> None:
    """Take the place of MiniStack's way to run a function in Python, and of its metrics."""
    lambda_svc._execute_function_warm = _executed
    lambda_svc._execute_function = _measured(lambda_svc._execute_function)
    # MiniStack measures Invoke only, and knows no alias: _measured sees every invocation.
    lambda_svc._emit_lambda_metrics = lambda *_, **__: None


def _measured(execute: Callable[[Record, Any], Result]) -> Callable[[Record, Any], Result]:
    def measured(function: Record, event: Any) -> Result:
        config = function.get("config") or function
        if lambda_svc._function_config_scope_mismatch(config):
            result: Result = lambda_svc._run_with_function_config_scope(config, measured, function, event)
            return result
        alias = aliases.called_as.get()
        if alias and alias.rpartition(":")[0] == unqualified(config["FunctionArn"]):
            config = {**config, "FunctionArn": alias}
            function = {**function, "config": config}
        began = time.time()
        result = execute(function, event)
        _measure(config, result, (time.time() - began) * 1000)
        return result

    return measured


def unqualified(arn: str) -> str:
    """ARN of a function without its version or alias."""
    return ":".join(arn.split(":")[:7])


def dimensions(config: Record) -> list[dict[str, str]]:
    """Dimension sets under which Lambda publishes an invocation: the function, the alias, the alias's version."""
    name = config["FunctionName"]
    qualifier = ":".join(config["FunctionArn"].split(":")[7:])
    sets = [{"FunctionName": name}, {"FunctionName": name, "Resource": f"{name}:{qualifier}" if qualifier else name}]
    if qualifier and qualifier != config.get("Version", "$LATEST"):
        sets.append({**sets[1], "ExecutedVersion": str(config.get("Version", "$LATEST"))})
    return sets


def _measure(config: Record, result: Result, duration_ms: float) -> None:
    throttled = bool(result.get("throttle"))
    values = [("Throttles", float(throttled), "Count")]
    if not throttled:
        values += [
            ("Invocations", 1.0, "Count"),
            ("Errors", float(bool(result.get("error"))), "Count"),
            ("Duration", duration_ms, "Milliseconds"),
        ]
    for its in dimensions(config):
        for name, value, unit in values:
            metrics.record(metrics.Metric("AWS/Lambda", name, its, unit), [value])


def _executed(function: Record, event: Any, request_id: str) -> Result:
    """Runs one invocation in a process of the function's version."""
    config = function.get("config") or function
    code = function.get("code_zip")
    if not code:
        raise LookupError(f"{config.get('FunctionName')} has no code")
    lambda_svc._ensure_reaper_thread()
    worker = pool.lease(config, code)
    try:
        answer = worker.invoke(
            event,
            request_id,
            trace_id=lambda_svc._xray_trace_id_for_invocation(config),
            invoked_function_arn=config.get("FunctionArn", ""),
            depth=lambda_svc._invoke_depth.get(),
            durable=lambda_svc._durable_env_overlay(),
        )
    except Exception as error:
        log.exception("%s could not be started", config.get("FunctionName"))
        pool.invalidate(config["FunctionName"], config.get("Version", "$LATEST"))
        return _failed({"error": str(error), "type": "Runtime.ImportModuleError"}, request_id)
    finally:
        functionlogs.goes_to(getattr(worker, "log_stream", None))
        pool.give_back(worker)
    if answer.get("raised"):
        return _failed({**answer["raised"], "log": answer.get("log", "")}, request_id)
    if answer.get("status") == "ok":
        return {"body": answer.get("result"), "log": answer.get("log", "")}
    return _failed(answer, request_id)


def _failed(answer: dict[str, Any], request_id: str) -> Result:
    """The error as Lambda's runtime for Python reports it: the exception's class is the type."""
    message = answer.get("error", "Unknown error")
    kind = answer.get("type") or ("Sandbox.Timedout" if message.startswith("Task timed out") else "Runtime.ExitError")
    body: Result = {"errorMessage": message, "errorType": kind, "requestId": request_id}
    if answer.get("stack") is not None:
        body["stackTrace"] = answer["stack"]
    trace = answer.get("trace") or f"[ERROR] {kind}: {message}"
    text = "\n".join(part for part in (answer.get("log", ""), trace) if part)
    return {"body": body, "error": True, "log": text}
