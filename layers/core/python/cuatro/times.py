"""Unix milliseconds <-> times for people and JSON: RFC 3339 in UTC."""

from datetime import UTC, datetime
from functools import lru_cache


def time_of(milliseconds: int) -> datetime:
    """Unix milliseconds -> time in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


@lru_cache(256)  # a record's time is written in several places, and a batch is decided at one moment
def text_of(milliseconds: int) -> str:
    """Unix milliseconds -> RFC 3339 in UTC."""
    return time_of(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
