"""An alarm's message, a schedule's event or a person's request -> why to retrain, and with which parameters."""

from collections.abc import Mapping
from typing import Any

import msgspec

from cuatro.errors import Rejected


class Request(msgspec.Struct, frozen=True):
    """parameters: of the pipeline, name -> value; the rest keeps its defaults."""

    reason: str = "by hand"
    parameters: dict[str, str] = {}


class _Alarm(msgspec.Struct, frozen=True):
    AlarmName: str
    NewStateValue: str
    NewStateReason: str = ""


def requested(event: Mapping[str, Any]) -> list[Request]:
    """None for alarms that have ended. Raises Rejected for anything else."""
    if "Records" in event:
        alarms = [_alarm(record) for record in event["Records"]]
        return [
            Request(f"alarm {each.AlarmName}: {each.NewStateReason}")
            for each in alarms
            if each.NewStateValue == "ALARM"
        ]
    if event.get("source") in {"aws.events", "aws.scheduler"}:
        return [Request("schedule")]
    try:
        request = msgspec.convert(event, Request)
    except msgspec.ValidationError as error:
        raise Rejected(f'neither an alarm, a schedule nor {{"reason": ..., "parameters": ...}}: {error}') from None
    unknown = event.keys() - {"reason", "parameters"}
    if unknown:
        raise Rejected(f"unknown: {', '.join(sorted(unknown))}; give reason and parameters")
    return [request]


def _alarm(record: Mapping[str, Any]) -> _Alarm:
    try:
        return msgspec.json.decode(record["Sns"]["Message"], type=_Alarm)
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise Rejected(f"not an alarm's message: {error}") from None
