"""Change of an alarm's state -> CloudWatch's words for it, and the event on the default bus."""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ministack.services import cloudwatch, eventbridge

Alarm = dict[str, Any]
Dispatch = Callable[[Alarm, str, str, str], None]

_WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


@dataclass(frozen=True)
class Datapoint:
    """Statistic of one period; `start` in unix seconds."""

    start: float
    value: float


def reason(alarm: Alarm, found: Sequence[Datapoint], new: str) -> str:
    """Why the alarm has its new state, given the datapoints that there are (oldest first)."""
    if not found:
        if new == "INSUFFICIENT_DATA":
            return "Insufficient Data: no datapoints were received."
        treated = _TREATED.get(alarm["TreatMissingData"], alarm["TreatMissingData"])
        return (
            f"Threshold Crossed: no datapoints were received for {alarm.get('EvaluationPeriods', 1)} period(s) and "
            f"missing data was treated as [{treated}]."
        )
    values = ", ".join(f"{point.value} ({_clock(point.start)})" for point in reversed(found))
    were = "datapoint [{}] was" if len(found) == 1 else "datapoints [{}] were"
    return (
        f"Threshold Crossed: {len(found)} {were.format(values)} {'' if new == 'ALARM' else 'not '}"
        f"{_WORDS[alarm['ComparisonOperator']]} the threshold ({alarm['Threshold']})."
    )


def announced(dispatch: Dispatch) -> Dispatch:
    """`dispatch` (SNS), and the event of the change."""

    def announced(alarm: Alarm, old: str, new: str, reason: str) -> None:
        dispatch(alarm, old, new, reason)
        now = _moment(time.time())
        detail: dict[str, Any] = {
            "alarmName": alarm["AlarmName"],
            "state": {"value": new, "reason": reason, "timestamp": now},
            "previousState": {"value": old},
            "configuration": {"description": alarm.get("AlarmDescription", "")},
        }
        if alarm.get("StateReasonData"):
            detail["state"]["reasonData"] = alarm["StateReasonData"]
        if alarm.get("MetricName"):
            metric = {
                "namespace": alarm["Namespace"],
                "name": alarm["MetricName"],
                "dimensions": cloudwatch._dims_from_list(alarm.get("Dimensions") or []),
            }
            stat = {
                "metric": metric,
                "period": alarm.get("Period", 60),
                "stat": alarm.get("ExtendedStatistic") or alarm.get("Statistic"),
            }
            detail["configuration"]["metrics"] = [{"id": "m1", "metricStat": stat, "returnData": True}]
        entry = {
            "Source": "aws.cloudwatch",
            "DetailType": "CloudWatch Alarm State Change",
            "Detail": json.dumps(detail),
            "Resources": [alarm["AlarmArn"]],
        }
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)

    return announced


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d/%m/%y %H:%M:%S")


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def reason_data(alarm: Alarm, found: Sequence[Datapoint], now: float) -> dict[str, Any]:
    """The same for machines: StateReasonData."""
    data: dict[str, Any] = {
        "version": "1.0",
        "queryDate": _moment(now),
        "period": alarm.get("Period", 60),
        "recentDatapoints": [point.value for point in found],
        "threshold": alarm.get("Threshold"),
        "evaluatedDatapoints": [{"timestamp": _moment(point.start), "value": point.value} for point in reversed(found)],
    }
    if found:
        data["startDate"] = _moment(found[0].start)
    data["statistic"] = alarm.get("ExtendedStatistic") or alarm.get("Statistic")
    return data
