"""Points of a metric -> the state of its alarms, as CloudWatch evaluates it: when data comes, and as time passes.

MiniStack adds up every metric of that name whatever its dimensions, takes the whole evaluation range for one
datapoint, and never looks again when data stop. Here an alarm reads its own metric, one datapoint a period,
DatapointsToAlarm out of EvaluationPeriods of them, with missing data treated as the alarm says. Periods end now, so
that nobody waits for the clock's minute.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import _request_account_id, _request_region
from ministack.services import cloudwatch

from local.emulator import metrics, statechanges
from local.emulator.statechanges import Alarm, Datapoint

log = logging.getLogger(__name__)

# At most this often for new data, and at least that often for the time that passes.
SOONEST_S = 0.2
LATEST_S = 1.0
# Points come in the order of their times but for so much.
OUT_OF_ORDER_S = 600

BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}

_data = threading.Event()
_watched: set[tuple[str, str]] = set()


def install() -> None:
    """Take the place of MiniStack's evaluation; put every change of state on the default event bus, too."""
    cloudwatch._evaluate_alarm = _look_again
    cloudwatch._evaluate_all_alarms = _look_again
    cloudwatch._dispatch_alarm_actions = statechanges.announced(cloudwatch._dispatch_alarm_actions)
    metrics.listen(_heard)
    threading.Thread(target=_watch, daemon=True, name="alarms").start()


def _heard(namespace: str, name: str) -> None:
    if (namespace, name) in _watched:
        _data.set()


def _look_again(_alarm: Alarm | None = None) -> None:
    _data.set()


def _watch() -> None:
    while True:
        _data.wait(LATEST_S)
        _data.clear()
        for (account, region, name), alarm in list(cloudwatch._alarms._data.items()):
            _watched.add((alarm.get("Namespace") or "", alarm.get("MetricName") or ""))
            tokens = _request_account_id.set(account), _request_region.set(region)
            try:
                evaluate(alarm, time.time())
            except Exception:  # one alarm must not keep the others from being evaluated
                log.exception("alarm %s could not be evaluated", name)
            finally:
                _request_account_id.reset(tokens[0])
                _request_region.reset(tokens[1])
        time.sleep(SOONEST_S)


def datapoints(alarm: Alarm, now: float) -> list[Datapoint]:
    """Datapoints of the evaluation range that exist, oldest first."""
    period, count = int(alarm.get("Period") or 60), int(alarm.get("EvaluationPeriods") or 1)
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or []))
    points = list(cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or [])
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    periods: dict[int, list[dict[str, Any]]] = {}
    for point in reversed(points):
        # A clock that is a little ahead of ours gives a value of now.
        ago = max(0, int((now - point["Timestamp"]) // period))
        if ago < count and alarm.get("Unit") in (None, "", point["Unit"]):
            periods.setdefault(ago, []).append(point)
        elif now - point["Timestamp"] > period * count + OUT_OF_ORDER_S:
            break
    found = []
    for ago, its in sorted(periods.items(), reverse=True):
        value = cloudwatch._stat_value(cloudwatch._calc_stats(its), statistic, its)
        if value is not None:
            found.append(Datapoint(now - (ago + 1) * period, float(value)))
    return found


def state(alarm: Alarm, found: list[Datapoint]) -> str:
    """OK, ALARM or INSUFFICIENT_DATA, by CloudWatch's rules for missing data."""
    breaches = BREACHES.get(alarm.get("ComparisonOperator") or "")
    if breaches is None:  # a band of anomaly detection: no model of it here
        return "INSUFFICIENT_DATA"
    periods = int(alarm.get("EvaluationPeriods") or 1)
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    breaching = sum(breaches(point.value, alarm["Threshold"]) for point in found)
    missing = periods - len(found)
    treat = alarm.get("TreatMissingData") or "missing"
    if treat == "breaching":
        breaching += missing
    elif treat == "ignore" and breaching < needed and breaching == len(found):
        return str(alarm["StateValue"])
    elif treat == "missing":
        if not found:
            return "INSUFFICIENT_DATA"
        needed = min(needed, len(found))
    return "ALARM" if breaching >= needed else "OK"


def evaluate(alarm: Alarm, now: float) -> None:
    """Sets the state that the alarm's data give; tells everybody when it changes."""
    if not alarm.get("Namespace") or not alarm.get("MetricName"):
        return
    found = datapoints(alarm, now)
    new, old = state(alarm, found), alarm["StateValue"]
    if new == old:
        return
    reason = statechanges.reason(alarm, found, new)
    alarm["StateValue"], alarm["StateReason"] = new, reason
    alarm["StateReasonData"] = json.dumps(statechanges.reason_data(alarm, found, now))
    alarm["StateUpdatedTimestamp"] = alarm["StateTransitionedTimestamp"] = int(now)
    log.info("alarm %s: %s -> %s (%s)", alarm["AlarmName"], old, new, reason)
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)
