"""A request's query -> what is asked for, checked."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from cuatro.errors import Rejected

Query = Mapping[str, Sequence[str]]
T = TypeVar("T", bound=str)


def one(query: Query, name: str) -> str | None:
    """The last value of a parameter; None where there is none, or an empty one."""
    return query.get(name, [""])[-1] or None


def chosen(query: Query, name: str, choices: Sequence[T]) -> T | None:
    """One of choices. Raises Rejected."""
    text = one(query, name)
    if text is None:
        return None
    for choice in choices:
        if choice == text:
            return choice
    raise Rejected(f"must be one of {', '.join(choices)}", name, "invalid_value")


def length(query: Query, usual: int, most: int) -> int:
    """limit. Raises Rejected."""
    text = one(query, "limit")
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= most):
        raise Rejected(f"must be a number from 1 to {most}", "limit", "out_of_range")
    return int(text)


def moment(query: Query, name: str) -> datetime | None:
    """A time in UTC. Raises Rejected."""
    text = one(query, name)
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text.replace(" ", "+"))  # an unquoted + comes as a space
        if time.tzinfo is None:
            raise Rejected("needs a time zone, such as Z or +02:00", name, "time_without_zone")
        return time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Rejected("is not a time of RFC 3339, such as 2026-11-23T10:00:00Z", name, "invalid_time") from None
