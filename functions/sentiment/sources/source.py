"""One interface of all networks: a brand's places, and of a place the next page of posts with where to go on.

A place is what is asked for by itself: a search, a hashtag of an instance, a feed. A cursor is the source's own text;
who polls keeps it, and gives it back once the page's posts are safe. A page may hold posts that were there before.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from cuatro.adapters.web import Answer, Web
from cuatro.errors import Unavailable
from cuatro.events import Network
from cuatro.posts import MAX_ID, MAX_URL, Incoming
from functions.sentiment.brands import Brand

FIRST_S = 3600
"""A brand's first poll goes back so many seconds."""
WAIT_S, LONGEST_WAIT_S = 60.0, 86_400.0
"""After "too many requests" without a word until when; and the longest word that is believed."""


class Limited(Exception):  # noqa: N818 - a wish, not a fault
    """Too many requests. until: unix seconds."""

    def __init__(self, until: float) -> None:
        super().__init__(f"too many requests, wait until {datetime.fromtimestamp(until, UTC):%H:%M:%S} UTC")
        self.until = until


class Denied(Exception):  # noqa: N818
    """The network does not let us: no credentials, wrong ones, or the place is closed. People must do something."""


class Limit(NamedTuple):
    """What is left of the network's allowance, as far as it says. reset_at: unix seconds."""

    remaining: int | None = None
    reset_at: float | None = None


class Found(NamedTuple):
    """A post as the network has it. html: is its text. source: instance, subreddit or feed."""

    incoming: Incoming
    html: bool
    source: str


class Page(NamedTuple):
    """posts: in any order. more: there may be more right now. cursor: where to go on after this page."""

    posts: list[Found]
    cursor: str
    more: bool
    limit: Limit = Limit()


class Place(NamedTuple):
    """name: for people, and what it is known by. scope: who counts requests. query: the source's own words."""

    name: str
    scope: str
    query: tuple[str, ...] = ()


@dataclass
class Session:
    """What a source needs of the world. now: unix seconds. tokens: what it logged in for, from poll to poll."""

    web: Web
    credentials: Mapping[str, Any]
    now: float
    tokens: dict[str, str] = field(default_factory=dict)

    def base(self, name: str, default: str) -> str:
        """The address of a service: the credentials may name another one."""
        return str(self.credentials.get(name) or default).rstrip("/")


class Source(Protocol):
    """A network."""

    network: Network

    def places(self, brand: Brand) -> list[Place]:
        """Where the brand is looked for; none when it is not looked for here."""

    def fetch(self, brand: Brand, place: Place, cursor: str | None, session: Session) -> Page:
        """The next page. cursor None: the first time. Raises Limited, Denied, Unavailable, Rejected."""


def found(  # noqa: PLR0913 - what a post is
    network: Network,
    id: str,  # noqa: A002 - the field's name
    text: str,
    source: str,
    *,
    time: datetime | None,
    html: bool = False,
    url: str | None = None,
    author: str | None = None,
    language: str | None = None,
    repost_of: str | None = None,
    counts: Sequence[Any] = (0, 0, 0),
) -> Found:
    """A post of a network, in the bounds of Incoming: what is odd about it costs that field, never the post.

    counts: likes, reposts, replies. A downvoted post has 0 likes: a count is none below.
    """
    likes, reposts, replies = (each if isinstance(each, int) and 0 < each < 2**53 else 0 for each in counts)
    incoming = Incoming(
        version=1, network=network, id=_plain(id)[:MAX_ID], text=text,
        language=language if language and _LANGUAGE.fullmatch(language) else None,
        time=time, url=url if url and len(url) <= MAX_URL and _URL.fullmatch(url) else None,
        author=_plain(author)[:256] if author else None, repost_of=_plain(repost_of)[:MAX_ID] if repost_of else None,
        likes=likes, reposts=reposts, replies=replies,
    )  # fmt: skip
    return Found(incoming, html, source[:256])


_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9_-]{1,32})?")
_URL = re.compile(r"https?://[^\s\"<>\\]+")


def _plain(text: str) -> str:
    return "".join(each for each in text.strip() if each.isprintable())


def answered(answer: Answer, now: float) -> Answer:
    """The answer if it is one (2xx, 304); raises Limited, Denied or Unavailable for any other."""
    status = answer.status
    if status == 429:
        raise Limited(until(answer.headers, now))
    if status in {401, 403, 404, 410, 451}:
        raise Denied(f"{_STATUS[status]} ({status}{_reason(answer)})")
    if not (200 <= status < 300 or status == 304):
        raise Unavailable(f"status {status}{_reason(answer)}")
    return answer


_STATUS = {
    401: "the credentials are missing, wrong or expired", 403: "access is refused", 404: "there is no such place",
    410: "the place is closed", 451: "the place is closed by law",
}  # fmt: skip


def json_of(answer: Answer, kind: type[Any] = dict) -> Any:
    """The JSON object or list of an answer. Raises Unavailable: half an answer may be whole the next time."""
    try:
        value = msgspec.json.decode(answer.body)
    except (ValueError, RecursionError):
        value = _mended(answer.body)
    if not isinstance(value, kind):
        raise Unavailable(f"not a JSON {kind.__name__}")
    return value


def _mended(body: bytes) -> Any:
    """Half an emoji or bad UTF-8 in one post must not hold up all that come after it; cleaning takes it out."""
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"not JSON: {type(error).__name__}") from None


def limit_of(headers: Mapping[str, str], now: float) -> Limit:
    """From X-RateLimit-*, RateLimit-* or x-rate-limit-*: a reset may be a time, unix seconds or seconds from now."""
    for prefix in ("x-ratelimit-", "x-rate-limit-", "ratelimit-"):
        if f"{prefix}remaining" in headers:
            try:
                remaining = int(float(headers[f"{prefix}remaining"]))
            except (ValueError, OverflowError):
                continue
            return Limit(max(remaining, 0), _moment(headers.get(f"{prefix}reset", ""), now))
    return Limit()


def until(headers: Mapping[str, str], now: float) -> float:
    """When to come back after "too many requests", unix seconds."""
    told = _moment(headers.get("retry-after", ""), now) or limit_of(headers, now).reset_at or now + WAIT_S
    return min(max(told, now + 1), now + LONGEST_WAIT_S)


def time_of(text: Any) -> datetime | None:
    """A time of RFC 3339; None for what is none."""
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _moment(text: str, now: float) -> float | None:
    """Unix seconds of a number of seconds, unix seconds, a time of RFC 3339 or HTTP's."""
    if re.fullmatch(r"\d{1,12}(\.\d+)?", text):
        number = float(text)
        return number if number > 1e9 else now + number
    if time := time_of(text):
        return time.timestamp()
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError):
        return None


def _reason(answer: Answer) -> str:
    """What the network says, for people: a short line of its JSON error."""
    try:
        told = msgspec.json.decode(answer.body[:65_536], type=dict[str, Any])
    except (ValueError, RecursionError):
        return ""
    words = [told.get(name) for name in ("error", "title", "message", "error_description", "detail")]
    line = ": ".join(dict.fromkeys(word for word in words if isinstance(word, str) and word))
    return f", {_plain(line)[:160]}" if line else ""
