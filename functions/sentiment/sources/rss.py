"""RSS 0.9x, 1.0, 2.0 and Atom: a brand's feeds -> entries that were not there before, asked for with ETag.

feedparser reads them (384 KB, 88 ms of CPU to import): feeds in the wild have wrong encodings, broken XML and dates of
every kind, and it is the parser that knows them. It gets bytes: the connection is ours.
"""

from calendar import timegm
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cuatro.errors import Rejected, Unavailable
from cuatro.events import Network
from functions.sentiment.brands import Brand
from functions.sentiment.sources.source import FIRST_S, Found, Page, Place, Session, answered, found
from functions.sentiment.sources.window import digest

ENTRIES = 200
"""Of a feed, at most: one that shows its whole archive is not read whole at each poll."""


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """known: short hashes of the entries that the feed had."""

    etag: str = ""
    modified: str = ""
    known: list[str] = []


class Rss:
    """A feed is one page: it shows what it shows, and an entry that left it between two polls is never seen."""

    network: Network = "rss"

    def places(self, brand: Brand) -> list[Place]:
        watched = brand.networks.rss
        return [Place(feed, feed, (feed,)) for feed in watched.feeds] if watched else []

    def fetch(self, brand: Brand, place: Place, cursor: str | None, session: Session) -> Page:  # noqa: ARG002
        state = msgspec.json.decode(cursor, type=Cursor) if cursor else Cursor()
        headers = {"accept": "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5"}
        if state.etag:
            headers["if-none-match"] = state.etag
        if state.modified:
            headers["if-modified-since"] = state.modified
        answer = answered(session.web.get(place.query[0], headers=headers), session.now)
        if answer.status == 304:
            return Page([], cursor or "", more=False)
        entries = _entries(answer.body, answer.headers.get("content-type", ""), answer.url)[:ENTRIES]
        source = urlsplit(place.query[0]).netloc
        known = set(state.known)
        new = [each for each in entries if digest(_id(each)) not in known]
        posts = [_found(each, source) for each in new]
        if cursor is None:  # what the feed had before the brand came, but for the last hour
            posts = [each for each in posts if each.incoming.time and _age(each, session.now) <= FIRST_S]
        kept = Cursor(
            answer.headers.get("etag", "")[:256],
            answer.headers.get("last-modified", "")[:64],
            [digest(_id(each)) for each in entries] or state.known,
        )
        return Page(posts, msgspec.json.encode(kept).decode(), more=False)


@cache
def _parser() -> Any:
    import feedparser  # type: ignore[import-untyped]  # noqa: PLC0415 - the other pollers do without

    return feedparser


def _entries(body: bytes, kind: str, url: str) -> list[Any]:
    """Of a feed that may be broken: what can be read of it. Raises Unavailable when that is nothing and it is none.

    No feed needs entities of its own, and those that have them can grow a thousandfold: Rejected. (In an encoding that
    hides the word, expat's own limit of growth holds: 1 s of CPU, measured.)
    """
    if b"<!entity" in body.lower():
        raise Rejected("the feed declares entities", "feeds", "unsafe_feed")
    told = _parser().parse(body, response_headers={"content-type": kind, "content-location": url}, sanitize_html=False)
    entries = [each for each in told.get("entries", []) if _id(each)]
    if not entries and not told.get("version"):
        raise Unavailable("not a feed")
    return entries


def _id(entry: Any) -> str:
    return str(entry.get("id") or entry.get("link") or entry.get("title") or "")


def _age(post: Found, now: float) -> float:
    return now - post.incoming.time.timestamp() if post.incoming.time else 0.0


def _found(entry: Any, source: str) -> Found:
    content = entry.get("content") or [{}]
    body = content[0].get("value") or entry.get("summary") or ""
    moment = entry.get("published_parsed") or entry.get("updated_parsed")
    language = content[0].get("language") or (entry.get("title_detail") or {}).get("language")
    return found(
        "rss",
        _id(entry),
        f"<p>{entry.get('title', '')}</p>{body}",
        source,
        time=datetime.fromtimestamp(timegm(moment), UTC) if moment else None,
        html=True,
        url=entry.get("link"),
        author=entry.get("author"),
        language=language,
    )
