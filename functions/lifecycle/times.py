"""Unix seconds -> times for people, RFC 3339 in UTC, and days of the lake."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta


def text_of(seconds: float) -> str:
    """RFC 3339."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def days(since: float, until: float) -> Iterator[str]:
    """YYYY-MM-DD of every day that has a part in the window."""
    day, last = datetime.fromtimestamp(since, UTC).date(), datetime.fromtimestamp(until, UTC).date()
    while day <= last:
        yield day.isoformat()
        day += timedelta(days=1)
