"""A request's query and tokens -> what is asked for, checked."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.errors import Rejected
from functions.review.asking import Code, Slug

Query = Mapping[str, Sequence[str]]
MOST, USUAL = 200, 50
T = TypeVar("T", bound=str)
_START = {"task", "q", "t"}


def one(query: Query, name: str) -> str | None:
    """The last value; None where there is none, or an empty one."""
    return query.get(name, [""])[-1] or None


def queue_of(query: Query) -> str:
    """queue, which every list wants. Raises Rejected."""
    return _named(query, "queue", Slug) or _missing("queue")


def kind_of(query: Query) -> str | None:
    """kind; None: all kinds. Raises Rejected."""
    return _named(query, "kind", Slug)


def chosen(query: Query, name: str, choices: Collection[T]) -> T | None:
    """One of choices. Raises Rejected."""
    text = one(query, name)
    found = next((choice for choice in choices if choice == text), None)
    if text is not None and found is None:
        raise Rejected(f"must be one of {', '.join(choices)}", name, "invalid_value")
    return found


def length(query: Query) -> int:
    """limit. Raises Rejected."""
    text = one(query, "limit")
    if text is None:
        return USUAL
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST):
        raise Rejected(f"must be a number from 1 to {MOST}", "limit", "out_of_range")
    return int(text)


def token_of(start: Item | None) -> str | None:
    """Where the next page begins, for `next`."""
    return urlsafe_b64encode(msgspec.json.encode(start)).decode().rstrip("=") if start else None


def start_of(query: Query, listed: str) -> Item | None:
    """next, of the same list. Raises Rejected."""
    token = one(query, "next")
    if token is None:
        return None
    try:
        start = msgspec.json.decode(urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=dict[str, str | int])
    except ValueError:  # of base64, of Unicode, of msgspec
        start = {}
    if start.keys() != _START or start["q"] != listed or not isinstance(start["t"], int):
        raise Rejected("is no token that this API gave for this list", "next", "invalid_value")
    return start


def task_of(text: str) -> str:
    """A task's id of a path. Raises Rejected (not_found)."""
    try:
        return msgspec.convert(text, Code)
    except msgspec.ValidationError:
        raise Rejected("no such task", "task", "not_found") from None


def _named(query: Query, name: str, kind: Any) -> str | None:
    text = one(query, name)
    try:
        return None if text is None else str(msgspec.convert(text, kind))
    except msgspec.ValidationError:
        raise Rejected("must be 1 to 63 lower case letters, digits and -", name, "invalid_value") from None


def _missing(name: str) -> str:
    raise Rejected("is missing", name, "missing_field")
