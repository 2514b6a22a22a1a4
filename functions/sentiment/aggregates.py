"""A brand's minutes, hours and days: what is known of each <-> one row of the aggregates table (see counting)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

import msgspec

from cuatro.events import Sentiment
from cuatro.posts import LABELS
from functions.sentiment import terms
from functions.sentiment.policy import Policy

KEY = "bucket"
"""The table's key attribute."""
Grain = Literal["minute", "hour", "day"]
GRAINS: tuple[Grain, ...] = get_args(Grain)
MILLIONTHS = 1_000_000

_FORMATS: dict[Grain, str] = {"minute": "%Y-%m-%dT%H:%MZ", "hour": "%Y-%m-%dT%HZ", "day": "%Y-%m-%d"}
_LASTS: dict[Grain, timedelta] = {
    "minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1),
}  # fmt: skip


class Counts(msgspec.Struct, array_like=True, gc=False):
    """Posts. score: sum of probability(positive) - probability(negative) in millionths, a person's word being sure.

    A repost counts as such and in no class.
    """

    negative: int = 0
    neutral: int = 0
    positive: int = 0
    reposts: int = 0
    unsure: int = 0
    score: int = 0

    @property
    def classed(self) -> int:
        return self.negative + self.neutral + self.positive

    @property
    def posts(self) -> int:
        return self.classed + self.reposts

    def plus(self, other: "Counts", sign: int = 1) -> "Counts":
        return Counts(
            self.negative + sign * other.negative,
            self.neutral + sign * other.neutral,
            self.positive + sign * other.positive,
            self.reposts + sign * other.reposts,
            self.unsure + sign * other.unsure,
            self.score + sign * other.score,
        )


class Sample(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A post to show. time_ms: unix milliseconds. probability: of its label by the model."""

    post: str
    label: Sentiment
    time_ms: int
    text: str
    url: str | None
    probability: float


class Aggregate(msgspec.Struct, array_like=True, gc=False):
    """A row's attribute p.

    counts: by "network language". minutes: of an hour, by the minute, (posts, classed, negative). samples: of a minute,
    newest first. words: of an hour or a day, by class in the order of LABELS.
    """

    counts: dict[str, Counts] = {}
    minutes: dict[int, tuple[int, int, int]] = {}
    samples: list[Sample] = []
    words: tuple[dict[str, int], dict[str, int], dict[str, int]] = ({}, {}, {})

    def total(self, network: str | None = None, language: str | None = None) -> Counts:
        """Of all networks and languages, or of one."""
        total = Counts()
        for key, counts in self.counts.items():
            of_network, _, of_language = key.partition(" ")
            if network in {None, of_network} and language in {None, of_language}:
                total = total.plus(counts)
        return total


def bucket(brand: str, grain: Grain, time: datetime) -> str:
    """The row's key."""
    return f"{brand}#{grain}#{time.astimezone(UTC).strftime(_FORMATS[grain])}"


def place(key: str) -> tuple[str, Grain, datetime]:
    """Brand, grain and beginning of a row's key. Raises ValueError for what bucket() did not make."""
    brand, word, text = key.split("#")
    for grain in GRAINS:
        if grain == word:
            return brand, grain, datetime.strptime(text, _FORMATS[grain]).replace(tzinfo=UTC)
    raise ValueError(f"{word!r:.20} is no grain")


def starts(grain: Grain, first: datetime, last: datetime) -> list[datetime]:
    """Beginnings of the buckets from the one that holds `first` to the one that holds `last`, both in it."""
    start = started(grain, first)
    return [start + number * _LASTS[grain] for number in range((last - start) // _LASTS[grain] + 1)]


def started(grain: Grain, time: datetime) -> datetime:
    """The beginning of the bucket that holds a time."""
    cut = time.astimezone(UTC).replace(second=0, microsecond=0)
    if grain != "minute":
        cut = cut.replace(minute=0)
    return cut.replace(hour=0) if grain == "day" else cut


def expires_s(key: str, policy: Policy) -> int:
    """Unix seconds at which a row may go."""
    _, grain, start = place(key)
    return int(expires(grain, start, policy).timestamp())


def expires(grain: Grain, time: datetime, policy: Policy) -> datetime:
    """When the row that holds a time may go."""
    days = {"minute": policy.minute_days, "hour": policy.hour_days, "day": policy.day_days}[grain]
    return started(grain, time) + _LASTS[grain] + timedelta(days=days)


def words_of(rows: Iterable[Aggregate], capacity: int) -> Mapping[Sentiment, dict[str, int]]:
    """By class, of several hours or days together."""
    found: dict[Sentiment, dict[str, int]] = {label: {} for label in LABELS}
    for row in rows:
        for label, counts in zip(LABELS, row.words, strict=True):
            found[label] = terms.counted(found[label], counts, capacity)
    return found


def decode(p: bytes | None) -> Aggregate:
    """Raises ValueError for what encode() did not write; None is an empty row."""
    return _DECODE(p) if p else Aggregate()


encode = msgspec.msgpack.Encoder().encode
"""Attribute p."""
_DECODE = msgspec.msgpack.Decoder(Aggregate).decode
