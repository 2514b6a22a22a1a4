"""Feeds: /feeds/<name>.xml is RSS 2.0, /feeds/<name>.atom is Atom; both know ETag."""

import re
from datetime import UTC
from email.utils import format_datetime
from hashlib import blake2b
from xml.sax.saxutils import escape

from local.networks.exchange import Request, Response
from local.networks.feed import Feed, Written

ENTRIES = 50
_PATH = re.compile(r"^/feeds/([\w-]+)\.(xml|atom)$")


class Rss:
    """A feed for each `place` of the posts."""

    name = "rss"
    allowance, window_s = 1_000_000, 60

    def __init__(self, feed: Feed) -> None:
        self.feed = feed

    def answers(self, request: Request) -> bool:
        """Is it asked?"""
        return request.path.startswith("/feeds/")

    def answer(self, request: Request) -> Response:
        """The newest entries."""
        path = _PATH.match(request.path)
        if not path:
            return Response(404, b"no such feed")
        place, kind = path.groups()
        posts = [post for post in self.feed.of(self.name) if post.place == place][:ENTRIES]
        body = (_rss if kind == "xml" else _atom)(place, posts, request.base).encode()
        tag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        if request.headers.get("if-none-match") == tag:
            return Response(304, b"", {"ETag": tag})
        media = "application/rss+xml" if kind == "xml" else "application/atom+xml"
        return Response(200, body, {"ETag": tag, "Content-Type": f"{media}; charset=utf-8"})

    def limits(self, remaining: int, reset_at: float) -> dict[str, str]:  # noqa: ARG002 - feeds tell none
        """None."""
        return {}

    def too_many(self) -> Response:
        """A server that is asked too often."""
        return Response(429, b"slow down", {"Retry-After": "120"})

    def expired(self) -> Response:
        """A feed behind a login."""
        return Response(401, b"login first")


def _rss(place: str, posts: list[Written], base: str) -> str:
    items = "".join(
        f"<item><title>{escape(post.title)}</title><link>{base}/articles/{post.number}</link>"
        f'<guid isPermaLink="false">{place}-{post.number}</guid>'
        f"<pubDate>{format_datetime(post.time.astimezone(UTC), usegmt=True)}</pubDate>"
        f"<description>{escape(escape(post.text))}</description></item>"
        for post in posts
    )
    language = next((post.language for post in posts if post.language), "")
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>{place}</title><link>{base}/</link><description>{place}</description>"
        + (f"<language>{language}</language>" if language else "")
        + f"{items}</channel></rss>"
    )


def _atom(place: str, posts: list[Written], base: str) -> str:
    entries = "".join(
        f"<entry><id>tag:{place},2026:{post.number}</id><title>{escape(post.title)}</title>"
        f'<link href="{base}/articles/{post.number}"/><updated>{post.time.astimezone(UTC).isoformat()}</updated>'
        f"<author><name>{escape(post.author)}</name></author>"
        f'<content type="html">{escape(escape(post.text))}</content></entry>'
        for post in posts
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>tag:{place},2026:feed</id><title>{place}</title>"
        f"<updated>2026-01-01T00:00:00Z</updated>{entries}</feed>"
    )
