"""Mastodon's public hashtag timeline: docs.joinmastodon.org/methods/timelines/#tag."""

import re
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import unquote

from local.networks.exchange import Request, Response
from local.networks.feed import Feed, Written

LIMIT, MOST = 20, 40
_PATH = re.compile(r"/api/v1/timelines/tag/([^/]+)$")


class Mastodon:
    """An instance. token: what a closed one wants to see; "" for an open one."""

    name = "mastodon"
    allowance, window_s = 300, 300

    def __init__(self, feed: Feed, token: str = "") -> None:
        self.feed, self.token = feed, token

    def answers(self, request: Request) -> bool:
        """Is it asked?"""
        return bool(_PATH.search(request.path))

    def answer(self, request: Request) -> Response:
        """A page: `min_id` gives those right above it, `since_id` and `max_id` the newest within; newest first."""
        if self.token and request.bearer != self.token:
            return Response(401, {"error": "The access token is invalid"})
        path = _PATH.search(request.path)
        first = unquote(path.group(1)) if path else ""
        tags = {tag.casefold() for tag in (first, *request.query.get("any[]", [])[:4])}
        found = [post for post in self.feed.of(self.name) if tags & _tags(post.text)]
        limit = min(request.number("limit", LIMIT), MOST)
        if limit < 1:
            return Response(422, {"error": "limit is not a number"})
        low = max(request.number("min_id", 0), request.number("since_id", 0))
        high = request.number("max_id", 0) or None
        found = [post for post in found if post.mastodon_id > low and (high is None or post.mastodon_id < high)]
        page = found[-limit:] if "min_id" in request.query else found[:limit]
        headers = {}
        if page:
            newest, oldest = page[0].mastodon_id, page[-1].mastodon_id
            url = f"{request.base}{request.path}"
            headers["Link"] = f'<{url}?max_id={oldest}>; rel="next", <{url}?min_id={newest}>; rel="prev"'
        return Response(200, [_status(post, request.base) for post in page], headers, items="")

    def limits(self, remaining: int, reset_at: float) -> dict[str, str]:
        """The headers of the allowance."""
        time = datetime.fromtimestamp(reset_at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return {
            "X-RateLimit-Limit": str(self.allowance),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": time,
        }

    def too_many(self) -> Response:
        """The allowance is spent."""
        return Response(429, {"error": "Too many requests"})

    def expired(self) -> Response:
        """The token is no more."""
        return Response(401, {"error": "The access token was revoked"})


def _tags(text: str) -> set[str]:
    return {tag.casefold() for tag in re.findall(r"#(\w+)", text)}


def _status(post: Written, base: str) -> dict[str, Any]:
    """As an instance shows it: the text is HTML, hashtags and mentions are links."""
    html = escape(post.text)
    tag = rf'<a href="{base}/tags/\1" class="mention hashtag" rel="tag">#<span>\1</span></a>'
    html = re.sub(r"(?<!&)#(\w+)", tag, html)  # an apostrophe is &#x27; by now
    link = rf'<a href="{base}/@\1" class="u-url mention">@<span>\1</span></a>'
    html = re.sub(r"(?<![\w/])@(\w+)", rf'<span class="h-card">{link}</span>', html)
    number = post.mastodon_id
    return {
        "id": str(number),
        "created_at": post.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "in_reply_to_id": None,
        "sensitive": bool(post.title),
        "spoiler_text": post.title,
        "visibility": "public",
        "language": post.language,
        "uri": f"{base}/users/{post.author}/statuses/{number}",
        "url": f"{base}/@{post.author}/{number}",
        "replies_count": post.replies,
        "reblogs_count": post.reposts,
        "favourites_count": post.likes,
        "content": "".join(f"<p>{part}</p>" for part in html.split("\n")),
        "reblog": None,
        "account": {
            "id": "1",
            "username": post.author,
            "acct": post.author,
            "display_name": post.author.title(),
            "url": f"{base}/@{post.author}",
            "bot": False,
        },
        "tags": [{"name": tag, "url": f"{base}/tags/{tag}"} for tag in sorted(_tags(post.text))],
        "mentions": [],
        "media_attachments": [],
        "emojis": [],
    }
