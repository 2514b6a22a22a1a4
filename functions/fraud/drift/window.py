"""The lake -> what drift needs of it: decisions of now, older ones whose labels have come, and the labels.

One line at a time is in memory, and samples of bounded size. Bad lines are counted and the first ones named.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar

from cuatro.adapters import objects
from cuatro.errors import Rejected
from functions.fraud.drift.sample import Sample
from functions.fraud.features import FEATURE_SET, FEATURES
from functions.fraud.lake import LabelRecorded, decode_decision, decode_label

PREFIX = "fraud"
ROWS = 20_000
"""Of now: enough to see a shift of a hundredth in a bin."""
GENUINE = 100_000
"""Matured decisions without fraud; the frauds are few and all kept."""
NAMED = 5
T = TypeVar("T")


class Scored(NamedTuple):
    """A matured decision."""

    score: float
    fraud: bool


@dataclass
class Window:
    """now: features. genuine, frauds: matured decisions of the live model. new_frauds: labels since it went live."""

    now: Sample[bytes] = field(default_factory=lambda: Sample(ROWS))
    genuine: Sample[Scored] = field(default_factory=lambda: Sample(GENUINE))
    frauds: dict[str, Scored] = field(default_factory=dict)
    known_frauds: int = 0
    new_frauds: int = 0
    bad: int = 0
    named: list[str] = field(default_factory=list)
    other_features: int = 0


@dataclass(frozen=True)
class Bounds:
    """as_of: the end of now. model_version: the live model's. live_since: None when it was never promoted.

    Windows go by the transactions' own time, which a replayed history keeps; delivered is the last day of delivery.
    """

    as_of: datetime
    delivered: datetime
    window: timedelta
    delay: timedelta
    model_version: str
    live_since: datetime | None

    @property
    def matured(self) -> tuple[datetime, datetime]:
        """Decisions whose labels have come, as far back as now is long."""
        end = self.as_of - self.delay
        return end - self.window, end


def read(bucket: str, bounds: Bounds) -> Window:
    """Raises Unavailable or Refused."""
    window = Window()
    first, end = bounds.matured
    known: dict[str, LabelRecorded] = {}
    since = min(first, bounds.live_since or first)
    for label in _lines(bucket, "labels", (since, bounds.delivered), decode_label, window):
        before = known.get(label.transaction_id)
        if label.time <= bounds.as_of and (before is None or label.time >= before.time):
            known[label.transaction_id] = label
    frauds = {key: label for key, label in known.items() if label.fraud}
    window.known_frauds = sum(first <= label.transaction_time <= bounds.as_of for label in frauds.values())
    window.new_frauds = sum(bounds.live_since is None or label.time > bounds.live_since for label in frauds.values())
    for decision in _lines(bucket, "decisions", (first, bounds.delivered), decode_decision, window):
        if decision.feature_set != FEATURE_SET or len(decision.features) != 4 * len(FEATURES):
            window.other_features += 1
            continue
        key = decision.transaction_id
        if bounds.as_of - bounds.window < decision.time <= bounds.as_of:
            window.now.add(key, decision.features)
        if first < decision.time <= end and decision.model_version == bounds.model_version:
            if key in frauds:
                window.frauds.setdefault(key, Scored(decision.score, True))
            # Nobody complains about a payment that did not take place: as in training, silence says nothing about it.
            elif key in known or decision.outcome != "decline":
                window.genuine.add(key, Scored(decision.score, False))
    return window


def _lines(
    bucket: str, kind: str, times: tuple[datetime, datetime], decode: Callable[[bytes], T], window: Window
) -> Iterator[T]:
    # Folders are days of delivery, which is never before the transaction.
    day, last = times[0].astimezone(UTC).date(), times[1].astimezone(UTC).date()
    while day <= last:
        for found in objects.listed(bucket, f"{PREFIX}/{kind}/dt={day}/"):
            try:
                for line in objects.lines(bucket, found.key):
                    try:
                        yield decode(line)
                    except Rejected as rejected:
                        _name(window, f"{found.key}: {rejected.reason}")
            except Rejected as rejected:  # the object itself
                _name(window, rejected.reason)
        day += timedelta(days=1)


def _name(window: Window, what: str) -> None:
    window.bad += 1
    if len(window.named) < NAMED:
        window.named.append(what[:300])
