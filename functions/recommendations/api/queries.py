"""A request's path and query -> what is asked for, checked; page tokens out and in."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from cuatro.errors import Rejected
from cuatro.events import Id
from cuatro.interactions import checked_name, checked_text
from functions.recommendations.policy import MAX_LIST, Policy

DEFAULT_K = 20

Query = Mapping[str, Sequence[str]]


class Page(msgspec.Struct, frozen=True, array_like=True):
    """A part of a stored list: k items from place `start` (0 is the first) on."""

    list_id: Id
    start: int
    k: int

    @property
    def token(self) -> str:
        """For the next request."""
        return urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


class Asked(NamedTuple):
    """context: only keys that the policy knows. page: None for a new list."""

    user_id: str
    k: int
    context: dict[str, str]
    page: Page | None


def asked(user_id: str, query: Query, policy: Policy) -> Asked:
    """Of GET /recommendations/{user_id}. Raises Rejected."""
    name = checked_name(unquote(user_id), "user_id")
    token = query.get("page", [""])[-1]
    return Asked(name, length(query), _context(query.get("context", []), policy), _page(token) if token else None)


def length(query: Query) -> int:
    """k. Raises Rejected."""
    text = query.get("k", [""])[-1]
    if not text:
        return DEFAULT_K
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIST):
        raise Rejected(f"must be a number from 1 to {MAX_LIST}", "k", "out_of_range")
    return int(text)


def _context(pairs: Sequence[str], policy: Policy) -> dict[str, str]:
    context = {}
    for pair in pairs:
        key, colon, value = pair.partition(":")
        if not colon or not value:
            raise Rejected("must look like country:IT", "context", "invalid_value")
        if key not in policy.contexts:
            raise Rejected(f"{key!r:.40} is none of {', '.join(policy.contexts)}", "context", "unknown_context")
        # As strict as the stream: a click on this list is an interaction with this context.
        context[key] = checked_text(value, "context")
    return context


def _page(token: str) -> Page:
    try:
        page = msgspec.json.decode(urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=Page)
    except ValueError:  # of base64, of Unicode, of msgspec
        page = None
    if page is None or page.start < 1 or not 1 <= page.k <= MAX_LIST:
        raise Rejected("is no token that this API gave", "page", "invalid_value")
    return page
