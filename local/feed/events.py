"""An event on its way from a person's file to a stream: as it will go out, with its line and what is wrong with it.

Nothing is repaired: the platform judges, and keeps what it rejects where a person can replay it.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self, TypeVar

from cuatro.errors import Rejected

MAX_RECORD_BYTES = 1_048_576  # Kinesis takes no larger record
WEEK = timedelta(weeks=1)
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: JSON can say it, UTF-8 cannot
_MILLISECONDS_FROM = 1e11  # a later time in seconds than any that is meant

E = TypeVar("E", bound="Event")
# (bytes, now in unix seconds, greatest age in seconds) -> the event; raises Rejected
Decode = Callable[[bytes, float, float], object]


@dataclass(frozen=True)
class Event:
    """One event. `fields` is None if it is no object; `problem` is what speaks against it."""

    keyed_by: ClassVar[str] = ""  # the field whose events stay in order

    number: int
    payload: bytes
    fields: dict[str, Any] | None
    problem: str | None = None

    @property
    def key(self) -> str:
        """Partition key."""
        found = (self.fields or {}).get(self.keyed_by)
        if not isinstance(found, str) or not found or _SURROGATE.search(found):
            return f"line-{self.number}"
        return found[:256]

    @property
    def time(self) -> datetime | None:
        """When it took place, None if that cannot be read."""
        return moment((self.fields or {}).get("time"))

    @property
    def too_large(self) -> bool:
        """Can Kinesis not take it at all?"""
        return len(self.payload) + len(self.key.encode()) > MAX_RECORD_BYTES

    def changed(self, **fields: Any) -> Self:
        """The same event with other values in some fields."""
        merged = {**(self.fields or {}), **fields}
        return replace(self, fields=merged, payload=encoded(merged))

    def later(self, by: timedelta) -> Self:
        """The same event at another time; one without a readable time stays as it is."""
        return self if self.time is None else self.changed(time=rfc3339(self.time + by))


def encoded(fields: dict[str, Any]) -> bytes:
    """Compact JSON; values that JSON does not have become text."""
    try:
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:  # half a pair of surrogates: the platform judges
        return json.dumps(fields, separators=(",", ":"), default=str).encode()


def moment(value: Any) -> datetime | None:
    """A time with zone from what files hold; without a zone it counts as UTC. None if it is no time."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def unix(value: Any) -> datetime | None:
    """A time from seconds or milliseconds since 1970, as a number or text. None if it is no such number."""
    try:
        number = float(value)
        return datetime.fromtimestamp(number / 1000 if abs(number) >= _MILLISECONDS_FROM else number, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def rfc3339(value: datetime) -> str:
    """2026-11-23T10:00:00.000Z."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def checked(item: E, now: datetime, decode: Decode) -> E:
    """The event with what the platform will say against it, if anything; its age limit is not known here."""
    if item.problem is not None:
        return item
    if item.too_large:
        return replace(item, problem=f"{len(item.payload):,} bytes: Kinesis takes records up to 1 MiB")
    try:
        decode(item.payload, now.timestamp(), math.inf)
    except Rejected as rejected:
        field = f"{rejected.field} " if rejected.field else ""
        return replace(item, problem=f"{field}{rejected.reason}")
    return item


def weeks_to(now: datetime, events: Iterable[Event]) -> timedelta:
    """Whole weeks by which to move all times so that the last is in the week before `now`: hours and weekdays stay."""
    times = [time for item in events if (time := item.time)]
    if not times:
        return timedelta(0)
    return (now - max(times)) // WEEK * WEEK


def moved(events: Iterable[E], by: timedelta) -> Iterator[E]:
    """The same events, earlier or later; what has no readable time stays as it is."""
    for item in events:
        yield item.later(by) if by else item
