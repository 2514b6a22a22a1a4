"""`cuatro logs`: CloudWatch Logs of a pipeline's functions, merged by time and readable."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.text import Text

from local.cli.console import out
from local.cli.options import StateDir, TargetName
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS
from local.platform.process import STATE

if TYPE_CHECKING:
    from local.platform.client import Connection

POLL_SECONDS = 1.0
COLOURS = {"DEBUG": "dim", "INFO": "green", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red"}
HIDDEN_KEYS = {"level", "message", "timestamp", "location", "service", "function_arn", "function_memory_size",
               "function_name", "function_request_id", "cold_start", "xray_trace_id"}  # fmt: skip
PLATFORM_LINES = ("START RequestId", "END RequestId", "REPORT RequestId", "INIT_START")


class Line(NamedTuple):
    """One log event."""

    time_ms: int
    job: str
    id: str
    message: str


def logs(  # noqa: PLR0913, PLR0917 - a parameter is an option of the command
    pipeline: Annotated[str, typer.Argument(help=f"One of {', '.join(STACKS)}.")] = "fraud",
    job: Annotated[str | None, typer.Argument(help="One function, such as api; a wrong one lists them.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep on until Ctrl-C.")] = False,
    minutes: Annotated[float, typer.Option("--minutes", "-m", help="How far back.")] = 10,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Also metrics and Lambda's own lines.")] = False,
    target: TargetName = None,
    state: StateDir = STATE,
) -> None:
    """Show what the functions logged: time, function, level, message and the fields of the line."""
    from local.platform.client import connect  # noqa: PLC0415 - boto3 takes long to import

    connection = connect(target, state)
    groups = _groups(connection, pipeline, job)
    since = int((time.time() - minutes * 60) * 1000)
    seen: set[str] = set()
    while True:
        fresh = [line for line in _lines(connection, groups, since) if line.id not in seen]
        seen.update(line.id for line in fresh)
        for line in sorted(fresh, key=lambda line: line.time_ms):  # stable: lines of one moment stay in order
            if everything or not _noise(line.message):
                out.print(_rendered(line), soft_wrap=True)
        if not follow:
            break
        if fresh:  # lines may arrive late and out of order: look back a little, `seen` drops what was shown
            since = max(since, max(line.time_ms for line in fresh) - 60_000)
        time.sleep(POLL_SECONDS)
    if not seen:
        out.print(f"Nothing was logged in the last {minutes:g} minutes. `--minutes 60` looks further back.")


def _groups(connection: "Connection", pipeline: str, job: str | None) -> dict[str, str]:
    """Log group of each function, by job."""
    if pipeline not in STACKS:
        raise PlatformError(f"There is no pipeline {pipeline}.", f"Choose one of {', '.join(STACKS)}.")
    outputs = connection.outputs(STACKS[pipeline])
    functions = {
        key.removesuffix("Function").lower(): name for key, name in outputs.items() if key.endswith("Function")
    }
    if job is not None and job not in functions:
        raise PlatformError(f"{pipeline} has no function {job}.", f"Choose one of {', '.join(sorted(functions))}.")
    client = connection.client("lambda")
    found = {}
    for name, function in functions.items():
        if job in (None, name):
            settings = client.get_function_configuration(FunctionName=function)
            default = f"/aws/lambda/{settings['FunctionName']}"
            found[name] = settings.get("LoggingConfig", {}).get("LogGroup") or default
    return found


def _lines(connection: "Connection", groups: dict[str, str], since: int) -> Iterator[Line]:
    client = connection.client("logs")
    for job, group in groups.items():
        try:
            for page in client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since):
                for event in page["events"]:
                    yield Line(event["timestamp"], job, _id(event), event["message"].rstrip())
        except client.exceptions.ResourceNotFoundException:
            continue  # Lambda makes the group at the first invocation


def _id(event: dict[str, Any]) -> str:
    """CloudWatch's id of the event; the emulator gives none to a function's lines."""
    return event.get("eventId") or f"{event['logStreamName']} {event['timestamp']} {event['message']}"


def _noise(message: str) -> bool:
    """Lambda's own lines, and the metrics lines that CloudWatch turns into metrics."""
    return message.startswith(PLATFORM_LINES) or message.startswith('{"_aws"') or '"CloudWatchMetrics"' in message


def _rendered(line: Line) -> Text:
    when = datetime.fromtimestamp(line.time_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    text = Text.assemble((when, "dim"), " ", (f"{line.job:<8}", "cyan"), " ")
    try:
        fields: Any = json.loads(line.message)
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or "message" not in fields:
        return text.append(line.message)
    level = str(fields.get("level", "INFO"))
    text.append(f"{level:<8}", COLOURS.get(level, ""))
    text.append(str(fields["message"]))
    for key, value in fields.items():
        if key not in HIDDEN_KEYS and value is not None:
            text.append(f" {key}=", "dim").append(value if isinstance(value, str) else json.dumps(value))
    return text
