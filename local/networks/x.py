"""X's recent search, API v2: docs.x.com/x-api/posts/recent-search."""

from datetime import UTC
from hashlib import blake2b
from typing import Any

from local.networks.exchange import Request, Response
from local.networks.feed import X_EPOCH_MS, Feed, Written
from local.networks.queries import parsed

LEAST, MOST, QUERY = 10, 100, 512
WEEK_MS = 7 * 86_400_000


class X:
    """token: the application's."""

    name = "x"
    allowance, window_s = 60, 900

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.token = f"{self.name}-bearer"

    def answers(self, request: Request) -> bool:
        """Is it asked?"""
        return request.path.startswith("/2/")

    def answer(self, request: Request) -> Response:
        """A page, newest first; since_id and until_id are not inclusive."""
        if request.bearer != self.token:
            return self.expired()
        if request.path != "/2/tweets/search/recent":
            return _problem(404, "Not Found", "No such endpoint")
        query, limit = request.one("query"), request.number("max_results", LEAST)
        if not query or len(query) > QUERY or not LEAST <= limit <= MOST:
            return _problem(400, "Invalid Request", "One or more parameters to your request was invalid.")
        since = request.number("since_id", 0)
        newest = max((post.ms for post in self.feed.of(self.name)), default=0)
        if since and (since >> 22) + X_EPOCH_MS < newest - WEEK_MS:
            return _problem(400, "Invalid Request", "'since_id' must be a tweet id created after a week ago.")
        until = request.number("until_id", 0) or None
        search = parsed(query)
        found = [
            post
            for post in self.feed.of(self.name)
            if search.finds(post) and post.x_id > since and (until is None or post.x_id < until)
        ]
        begin = int(request.one("next_token", "t0")[1:])
        page = found[begin : begin + limit]
        meta: dict[str, Any] = {"result_count": len(page)}
        if page:
            meta |= {"newest_id": str(page[0].x_id), "oldest_id": str(page[-1].x_id)}
        if begin + limit < len(found):
            meta["next_token"] = f"t{begin + limit}"
        body = {"data": [_post(post) for post in page], "meta": meta} if page else {"meta": meta}
        return Response(200, body, items="data")

    def limits(self, remaining: int, reset_at: float) -> dict[str, str]:
        """The headers of the allowance."""
        return {
            "x-rate-limit-limit": str(self.allowance),
            "x-rate-limit-remaining": str(remaining),
            "x-rate-limit-reset": str(int(reset_at)),
        }

    def too_many(self) -> Response:
        """The allowance is spent."""
        return _problem(429, "Too Many Requests", "Too Many Requests")

    def expired(self) -> Response:
        """The token is none, or no more."""
        return _problem(401, "Unauthorized", "Unauthorized")


def _problem(status: int, title: str, detail: str) -> Response:
    return Response(status, {"title": title, "detail": detail, "type": "about:blank", "status": status})


def _post(post: Written) -> dict[str, Any]:
    return {
        "id": str(post.x_id),
        "text": post.text[:280],
        "author_id": str(int(blake2b(post.author.encode(), digest_size=6).hexdigest(), 16)),
        "created_at": post.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "lang": post.language or "und",
        "edit_history_tweet_ids": [str(post.x_id)],
        "public_metrics": {
            "retweet_count": post.reposts,
            "reply_count": post.replies,
            "like_count": post.likes,
            "quote_count": 0,
        },
        **({"note_tweet": {"text": post.text}} if len(post.text) > 280 else {}),
    }
