"""Output of an invocation -> CloudWatch Logs: one log stream a process of the function, as on AWS.

MiniStack makes a stream for each invocation and keeps all of them for good: a laptop that streams transactions for an
hour had tens of thousands, which every look at the log went through.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ministack.services import cloudwatch_logs, lambda_svc

# Lines that a stream keeps at least, the newest.
KEPT = 10_000

# Stream of the process that ran this thread's invocation.
_current = threading.local()


def install() -> None:
    """Take the place of MiniStack's way to write a function's log."""
    lambda_svc._emit_lambda_logs = _written(lambda_svc._emit_lambda_logs)


def stream_name(version: str) -> str:
    """Name of the log stream of a new process."""
    return f"{datetime.now(UTC):%Y/%m/%d}/[{version}]{uuid.uuid4().hex}"


def goes_to(name: str | None) -> None:
    """The log that this thread writes next goes to that stream."""
    _current.name = name


def _written(write: Callable[..., None]) -> Callable[..., None]:
    def written(
        function: dict[str, Any], request_id: str, text: str, error: bool, duration_ms: int, **rest: Any
    ) -> None:
        name = getattr(_current, "name", None)
        _current.name = None
        if name is None:  # of a runtime that MiniStack runs itself
            write(function, request_id, text, error, duration_ms, **rest)
            return
        config = function.get("config") or function
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
        lines = _lines(function, request_id, text, duration_ms)
        now = int(time.time() * 1000)
        stream = _stream(group, name, now)
        events = [{"timestamp": now, "message": line, "ingestionTime": now} for line in lines]
        cloudwatch_logs._append_log_events(stream, events)
        if len(stream["events"]) > 2 * KEPT:
            del stream["events"][:-KEPT]
        told = [{"timestamp": now, "message": line} for line in lines]
        cloudwatch_logs._fanout_to_subscription_filters(group, name, told)

    return written


def _lines(function: dict[str, Any], request_id: str, text: str, duration_ms: int) -> list[str]:
    """What Lambda writes of an invocation, with what the function wrote."""
    config = function.get("config") or function
    report = {
        "REPORT RequestId": request_id,
        "Duration": f"{duration_ms} ms",
        "Billed Duration": f"{duration_ms} ms",
        "Memory Size": f"{config.get('MemorySize', 128)} MB",
        "Max Memory Used": f"{lambda_svc._probe_peak_memory_mb(function)} MB",
    }
    return [
        f"START RequestId: {request_id} Version: {config.get('Version', '$LATEST')}",
        *text.splitlines(),
        f"END RequestId: {request_id}",
        "\t".join(f"{name}: {value}" for name, value in report.items()),
    ]


def _stream(group: str, name: str, now: int) -> dict[str, Any]:
    """The log stream; it and its group are made at the first line."""
    if group not in cloudwatch_logs._log_groups:
        cloudwatch_logs._log_groups[group] = {
            "arn": cloudwatch_logs._make_group_arn(group),
            "creationTime": now,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
    streams: dict[str, dict[str, Any]] = cloudwatch_logs._log_groups[group]["streams"]
    return streams.setdefault(
        name,
        {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        },
    )
