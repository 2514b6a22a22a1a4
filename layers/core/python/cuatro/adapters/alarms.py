"""Names of CloudWatch alarms -> those that ring, since when and why."""

from collections.abc import Sequence
from typing import NamedTuple

from cuatro.adapters.aws import called
from cuatro.errors import Refused

_A_CALL = 100


class Ringing(NamedTuple):
    """since: unix seconds."""

    name: str
    since: float
    reason: str


def ringing(names: Sequence[str]) -> list[Ringing]:
    """Raises Unavailable or Refused, also when an alarm does not exist: what is not watched is not fine."""
    found = []
    for start in range(0, len(names), _A_CALL):
        chunk = list(names[start : start + _A_CALL])
        found += called("cloudwatch", "describe_alarms", AlarmNames=chunk, MaxRecords=_A_CALL)["MetricAlarms"]
    missing = set(names) - {each["AlarmName"] for each in found}
    if missing:
        raise Refused("DescribeAlarms", "ResourceNotFound", f"there is no alarm {', '.join(sorted(missing))}")
    return [
        Ringing(
            each["AlarmName"],
            (each.get("StateTransitionedTimestamp") or each["StateUpdatedTimestamp"]).timestamp(),
            each.get("StateReason", ""),
        )
        for each in found
        if each["StateValue"] == "ALARM"
    ]
