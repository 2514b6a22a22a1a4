"""Reddit's search, comments and application tokens: reddit.com/dev/api."""

import re
from base64 import b64encode
from itertools import count
from typing import Any

from local.networks.exchange import Request, Response
from local.networks.feed import Feed, Written
from local.networks.queries import parsed

LIMIT, MOST = 25, 100
TOKENS = "/api/v1/access_token"
_PATH = re.compile(r"^(?:/r/([^/]+))?/(search|comments)$")


class Reddit:
    """An application (`client`) gets tokens; a client that names itself badly is held off, as there."""

    name = "reddit"
    allowance, window_s = 600, 600

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.client = {"client_id": "reddit-id", "client_secret": "reddit-secret"}
        self.basic = b64encode(":".join(self.client.values()).encode()).decode()
        self.tokens: set[str] = set()
        self._numbers = count(1)

    def answers(self, request: Request) -> bool:
        """Is it asked?"""
        return request.path == TOKENS or bool(_PATH.match(request.path))

    def answer(self, request: Request) -> Response:
        """A listing; `after` is the last thing's name."""
        if re.match(r"python|curl|java|$", request.headers.get("user-agent", ""), re.IGNORECASE):
            return self.too_many()
        if request.path == TOKENS:
            return self._token(request)
        if request.bearer not in self.tokens:
            return self.expired()
        path = _PATH.match(request.path)
        subreddit, kind = path.groups() if path else (None, "")
        found = [post for post in self.feed.of(self.name) if post.comment == (kind == "comments")]
        if subreddit and (kind == "comments" or request.one("restrict_sr") == "1"):
            found = [post for post in found if post.place.casefold() == subreddit.casefold()]
        if kind == "search":
            search = parsed(request.one("q"))
            found = [post for post in found if search.finds(post)]
        limit, after = min(request.number("limit", LIMIT), MOST), request.one("after")
        names = [post.reddit_name for post in found]
        if after:
            found = found[names.index(after) + 1 :] if after in names else []
        page = found[:limit]
        body = {
            "kind": "Listing",
            "data": {
                "after": page[-1].reddit_name if len(found) > limit else None,
                "before": None,
                "dist": len(page),
                "modhash": "",
                "children": [_thing(post) for post in page],
            },
        }
        return Response(200, body, items="data.children")

    def _token(self, request: Request) -> Response:
        if request.headers.get("authorization", "").partition(" ")[2] != self.basic:
            return Response(401, {"message": "Unauthorized", "error": 401})
        if request.form.get("grant_type") != "client_credentials":
            return Response(400, {"error": "unsupported_grant_type"})
        token = f"reddit-token-{next(self._numbers)}"
        self.tokens.add(token)
        told = {"access_token": token, "token_type": "bearer", "expires_in": 86_400, "scope": "*"}
        return Response(200, told)

    def limits(self, remaining: int, reset_at: float) -> dict[str, str]:
        """The headers of the allowance: seconds to go, unlike the others."""
        return {
            "x-ratelimit-used": str(self.allowance - remaining),
            "x-ratelimit-remaining": f"{remaining}.0",
            "x-ratelimit-reset": str(int(reset_at)),
        }

    def too_many(self) -> Response:
        """The allowance is spent."""
        return Response(429, {"message": "Too Many Requests", "error": 429})

    def expired(self) -> Response:
        """The token is no more."""
        return Response(401, {"message": "Unauthorized", "error": 401})


def _thing(post: Written) -> dict[str, Any]:
    subreddit = post.place or "all"
    data: dict[str, Any] = {
        "name": post.reddit_name,
        "id": post.reddit_name[3:],
        "author": post.author,
        "created_utc": post.ms / 1000,
        "score": post.likes,
        "subreddit": subreddit,
        "permalink": f"/r/{subreddit}/comments/{post.reddit_name[3:]}/",
    }
    if post.comment:
        data |= {"body": post.text, "link_id": "t3_0000001", "link_title": post.title}
    else:
        data |= {"title": post.title or post.text[:300], "selftext": post.text if post.title else "",
                 "num_comments": post.replies, "num_crossposts": post.reposts, "is_self": True}  # fmt: skip
    return {"kind": "t1" if post.comment else "t3", "data": data}
