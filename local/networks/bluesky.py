"""Bluesky's search and sessions: the lexicons app.bsky.feed.searchPosts and com.atproto.server.*Session.

Bluesky's own server for accounts (npm: @atproto/pds) is not used instead. It has the sessions alone, and hands a search
on to an AppView, which would be this module again; version 0.5.35 wants Node 22, has more than 220 MB of packages, and
compiles native code for minutes.
"""

import json
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import count
from typing import Any

from local.networks.exchange import Request, Response
from local.networks.feed import Feed, Written

LIMIT, MOST = 25, 100
SEARCH, CREATE, REFRESH = (
    f"/xrpc/{name}"
    for name in ("app.bsky.feed.searchPosts", "com.atproto.server.createSession", "com.atproto.server.refreshSession")
)


class Bluesky:
    """The AppView, open to all but for `cursor`, and a service with the account `accounts` knows."""

    name = "bluesky"
    allowance, window_s = 3000, 300

    def __init__(self, feed: Feed, accounts: dict[str, str] | None = None) -> None:
        self.feed, self.accounts = feed, accounts or {}
        self.access: set[str] = set()
        self.refresh: set[str] = set()
        self._numbers = count(1)

    def answers(self, request: Request) -> bool:
        """Is it asked?"""
        return request.path.startswith("/xrpc/")

    def answer(self, request: Request) -> Response:
        """XRPC: errors are {"error": name, "message"}."""
        if request.method == "POST":
            return self._sessions(request)
        if request.path != SEARCH:
            return _error(501, "MethodNotImplemented", "Method Not Implemented")
        if request.bearer and request.bearer not in self.access:
            return self.expired()
        if "cursor" in request.query and not request.bearer:
            return Response(403, b"<html><body>Request forbidden by administrative rules.</body></html>")
        return self._search(request)

    def _sessions(self, request: Request) -> Response:
        if request.path == CREATE:
            given = json.loads(request.body or b"{}")
            if self.accounts.get(given.get("identifier", "")) != given.get("password"):
                return _error(401, "AuthenticationRequired", "Invalid identifier or password")
            return self._session(given["identifier"])
        if request.path == REFRESH and request.bearer in self.refresh:
            self.refresh.discard(request.bearer)
            return self._session(next(iter(self.accounts), "someone"))
        return _error(400, "ExpiredToken", "Token has been revoked")

    def _search(self, request: Request) -> Response:
        words = request.one("q").strip().strip('"')
        limit = request.number("limit", LIMIT)
        if not words or not 1 <= limit <= MOST:
            return _error(400, "InvalidRequest", "Error: Params must have the property q; limit must be 1 to 100")
        since, until, language = request.one("since"), request.one("until"), request.one("lang")
        found = [
            post
            for post in self.feed.of(self.name)
            if post.has(words)
            and (not since or post.ms >= _ms(since))
            and (not until or post.ms < _ms(until))
            and (not language or post.language == language)
        ]
        body: dict[str, Any] = {"posts": [_view(post) for post in found[:limit]], "hitsTotal": len(found)}
        if len(found) > limit:
            body["cursor"] = str(limit)
        return Response(200, body, items="posts")

    def _session(self, handle: str) -> Response:
        number = next(self._numbers)
        access, refresh = f"access-{number}", f"refresh-{number}"
        self.access.add(access)
        self.refresh.add(refresh)
        return Response(200, {"accessJwt": access, "refreshJwt": refresh, "handle": handle, "did": _did(handle)})

    def limits(self, remaining: int, reset_at: float) -> dict[str, str]:
        """The headers of the allowance."""
        return {
            "RateLimit-Limit": str(self.allowance),
            "RateLimit-Remaining": str(remaining),
            "RateLimit-Reset": str(int(reset_at)),
            "RateLimit-Policy": f"{self.allowance};w={self.window_s}",
        }

    def too_many(self) -> Response:
        """The allowance is spent."""
        return _error(429, "RateLimitExceeded", "Rate Limit Exceeded")

    def expired(self) -> Response:
        """The token is no more: it can be refreshed."""
        return _error(400, "ExpiredToken", "Token has expired")


def _error(status: int, name: str, message: str) -> Response:
    return Response(status, {"error": name, "message": message})


def _ms(text: str) -> int:
    time = datetime.fromisoformat(text)
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def _did(handle: str) -> str:
    return f"did:plc:{blake2b(handle.encode(), digest_size=12).hexdigest()}"


def _view(post: Written) -> dict[str, Any]:
    """app.bsky.feed.defs#postView."""
    time = post.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record: dict[str, Any] = {"$type": "app.bsky.feed.post", "text": post.text, "createdAt": time}
    if post.language:
        record["langs"] = [post.language]
    return {
        "uri": f"at://{_did(post.author)}/app.bsky.feed.post/{post.record_key}",
        "cid": f"bafyrei{blake2b(post.text.encode('utf-8', 'surrogatepass'), digest_size=20).hexdigest()}",
        "author": {"did": _did(post.author), "handle": f"{post.author}.bsky.example", "labels": []},
        "record": record,
        "replyCount": post.replies,
        "repostCount": post.reposts,
        "likeCount": post.likes,
        "quoteCount": 0,
        "indexedAt": time,
        "labels": [],
    }
