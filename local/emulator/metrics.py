"""Embedded metric format in log lines -> CloudWatch metrics, as CloudWatch Logs does it; and what Lambda publishes."""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ministack.services import cloudwatch, cloudwatch_logs

log = logging.getLogger(__name__)

# A metric with more points than this has its older ones summed up by the minute, as CloudWatch does in time.
FULL = 2000
IN_DETAIL_S = 3600
MINUTE_S = 60

_lock = threading.Lock()
# Told of each (namespace, name) that got a value; alarms listen.
_listeners: list[Callable[[str, str], None]] = []


def install() -> None:
    """Have every stored log event that holds embedded metrics publish them."""
    cloudwatch_logs._append_log_events = _extracting(cloudwatch_logs._append_log_events)
    cloudwatch._store_datum = _stored


def listen(listener: Callable[[str, str], None]) -> None:
    """Calls `listener(namespace, name)` after each value."""
    _listeners.append(listener)


class Metric(NamedTuple):
    """What CloudWatch tells metrics apart by, and the unit of its values."""

    namespace: str
    name: str
    dimensions: dict[str, str]
    unit: str = "None"

    @property
    def key(self) -> tuple[str, str, str]:
        """Key of its points in MiniStack's store."""
        return (self.namespace, self.name, cloudwatch._dims_key(self.dimensions))


def record(metric: Metric, values: Sequence[float], at: float | None = None) -> None:
    """Adds values of one moment (unix seconds; now if none is given) to a metric."""
    moment = time.time() if at is None else at
    with _lock:
        points = cloudwatch._metric_bucket(metric.key)
        for value, count in Counter(values).items():
            last = points[-1] if points else None
            if last and _same(last, moment, value, metric.unit):
                last["Count"] = last.get("Count", 1.0) + count
            else:
                points.append(_point(metric, moment, float(value)) | {"Count": float(count)})
        if len(points) > FULL:
            points[:] = _summed(points, time.time() - IN_DETAIL_S)
    _tell(metric)


def _point(metric: Metric, at: float, value: float) -> dict[str, Any]:
    return {"Timestamp": at, "Unit": metric.unit, "Dimensions": metric.dimensions, "Value": value}


def _tell(metric: Metric) -> None:
    for listener in _listeners:
        listener(metric.namespace, metric.name)


def _same(point: dict[str, Any], moment: float, value: float, unit: str) -> bool:
    """Whether this point can count the value too: the same value in the same second."""
    return (
        "_stat" not in point
        and point["Value"] == value
        and point["Unit"] == unit
        and int(point["Timestamp"]) == int(moment)
    )


def _summed(points: Iterable[dict[str, Any]], before: float) -> list[dict[str, Any]]:
    """Points older than `before` as one statistic set a minute and unit; the others as they are."""
    minutes: dict[tuple[int, str], list[dict[str, Any]]] = {}
    recent = []
    for point in points:
        if point["Timestamp"] >= before:
            recent.append(point)
        else:
            minutes.setdefault((int(point["Timestamp"] // MINUTE_S), point["Unit"]), []).append(point)
    old = []
    for (minute, unit), its in sorted(minutes.items()):
        statistics = cloudwatch._calc_stats(its)
        old.append(
            {
                "Timestamp": float(minute * MINUTE_S),
                "Unit": unit,
                "Dimensions": its[0]["Dimensions"],
                "Value": statistics["Average"],
                "_stat": {name: statistics[name] for name in ("SampleCount", "Sum", "Minimum", "Maximum")},
            }
        )
    return old + recent


def _stored(  # noqa: PLR0913, PLR0917 - MiniStack's own signature
    namespace: str,
    name: str,
    dimensions: dict[str, str],
    at: float,
    unit: str,
    value: float | None,
    values: Sequence[float] | None,
    counts: Sequence[float] | None,
    statistics: dict[str, float] | None,
) -> None:
    """One datum of PutMetricData."""
    metric = Metric(namespace, name, dimensions, unit)
    if values is not None:
        for each, count in zip(values, counts or [1.0] * len(values), strict=True):
            record(metric, [float(each)] * int(count), at)
    elif statistics is not None:
        count = float(statistics.get("SampleCount", 0))
        average = float(statistics.get("Sum", 0)) / count if count else 0.0
        with _lock:
            cloudwatch._metric_bucket(metric.key).append(_point(metric, at, average) | {"_stat": statistics})
        _tell(metric)
    else:
        record(metric, [float(value or 0)], at)


def _extracting(append: Callable[..., None]) -> Callable[..., None]:
    def extracting(stream: dict[str, Any], events: list[dict[str, Any]]) -> None:
        append(stream, events)
        for event in events:
            message = event.get("message", "")
            # Most lines are none: a look at the text is cheaper than a parse.
            if '"_aws"' in message and '"CloudWatchMetrics"' in message:
                publish(message)

    return extracting


def publish(line: str) -> None:
    """Publishes the metrics of one line in the embedded metric format; what is not valid is said in the log."""
    start = line.find("{")
    try:
        document = json.loads(line[start:])
        for metric, values in list(_embedded(document)):
            record(metric, values, float(document["_aws"]["Timestamp"]) / 1000)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("a log line is no valid embedded metric (%r): %.200s", error, line)


def _embedded(document: dict[str, Any]) -> Iterator[tuple[Metric, list[float]]]:
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document[name]) for name in names}
            for metric in directive["Metrics"]:
                value = document[metric["Name"]]
                values = [float(each) for each in (value if isinstance(value, list) else [value])]
                yield Metric(directive["Namespace"], metric["Name"], dimensions, metric.get("Unit", "None")), values
