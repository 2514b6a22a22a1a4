"""Reddit: search for a brand's terms, and the newest comments of its subreddits -> posts and comments, newest first.

Search finds submissions alone; what people feel is in the comments, so those of the subreddits are read and matched.
An application's own token (OAuth, client_credentials) is needed, and a User-Agent that says who asks. Plain HTTP by
the documented API (reddit.com/dev/api) instead of PRAW: that takes 333 ms of CPU to import and keeps state on disk.
"""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from cuatro.adapters.web import Answer
from cuatro.errors import Unavailable
from cuatro.events import Network
from functions.sentiment.brands import Brand
from functions.sentiment.sources.queries import searches
from functions.sentiment.sources.source import (
    FIRST_S,
    Denied,
    Found,
    Page,
    Place,
    Session,
    answered,
    found,
    json_of,
    limit_of,
)
from functions.sentiment.sources.window import cursor_of, window

AUTH, API, WEB = "https://www.reddit.com", "https://oauth.reddit.com", "https://www.reddit.com"
AGENT = "aws-lambda:cuatro-suite:1.0"
LIMIT, QUERY = 100, 512
OVERLAP_MS = 120_000
"""A submission may be found some time after newer ones."""


class Reddit:
    """Positions are milliseconds. A page goes on `after` the last thing's name, so that is kept in the cursor."""

    network: Network = "reddit"

    def places(self, brand: Brand) -> list[Place]:
        watched = brand.networks.reddit
        if watched is None:
            return []
        queries = searches(brand.terms, QUERY)
        if not watched.subreddits:
            return [Place(query, "reddit", ("/search", query)) for query in queries]
        return [
            place
            for name in watched.subreddits
            for place in (
                *(Place(f"r/{name} {query}", "reddit", (f"/r/{name}/search", query)) for query in queries),
                Place(f"r/{name} comments", "reddit", (f"/r/{name}/comments",)),
            )
        ]

    def fetch(self, brand: Brand, place: Place, cursor: str | None, session: Session) -> Page:  # noqa: ARG002
        path, *words = place.query
        after_name, _, kept = (cursor or " ").partition(" ")
        state = window(kept, int((session.now - FIRST_S) * 1000))
        query: dict[str, str | int] = {"limit": LIMIT, "raw_json": 1}
        if words:
            query |= {"q": words[0], "sort": "new", "t": "week", "type": "link"}
        if words and path != "/search":
            query["restrict_sr"] = 1
        if state.high and after_name:
            query["after"] = after_name
        answer = _get(path, query, session)
        listing = json_of(answer).get("data")
        data = listing if isinstance(listing, dict) else {}
        children = data.get("children") or []
        if data.get("dist", len(children)) not in {None, len(children)}:
            raise Unavailable(f"half a page: {len(children)} things, and it says {data['dist']}")
        things = [each for child in children if (each := _thing(child))]
        positions = {each["name"]: int(min(each["created_utc"], session.now) * 1000) for each in things}
        after = state.after(positions, bool(data.get("after")), OVERLAP_MS)
        floor = state.seen - OVERLAP_MS  # a listing cannot be asked for what is new alone
        new = [_found(each) for each in things if positions[each["name"]] >= floor and state.is_new(each["name"])]
        go_on = str(data.get("after") or "") if after.high and not after.stuck else ""
        cursor = f"{go_on} {cursor_of(after)}"
        return Page(new, cursor, after.unfinished, limit_of(answer.headers, session.now))


def _get(path: str, query: dict[str, str | int], session: Session) -> Answer:
    """A token that has expired is asked for again, once."""
    agent = str(session.credentials.get("user_agent") or AGENT)
    for attempt in range(2):
        token = session.tokens.get("access") or _token(agent, session)
        headers = {"authorization": f"Bearer {token}", "user-agent": agent}
        answer = session.web.get(f"{session.base('api', API)}{path}", query, headers)
        if attempt or answer.status != 401:
            break
        del session.tokens["access"]
    return answered(answer, session.now)


def _token(agent: str, session: Session) -> str:
    client, secret = session.credentials.get("client_id"), session.credentials.get("client_secret")
    if not (client and secret):
        raise Denied("no client_id and client_secret in the secret")
    basic = b64encode(f"{client}:{secret}".encode()).decode()
    answer = session.web.post(
        f"{session.base('auth', AUTH)}/api/v1/access_token",
        urlencode({"grant_type": "client_credentials"}).encode(),
        {
            "authorization": f"Basic {basic}",
            "user-agent": agent,
            "content-type": "application/x-www-form-urlencoded",
        },
    )
    token = json_of(answered(answer, session.now)).get("access_token")
    if not isinstance(token, str) or not token:
        raise Denied("the network gave no token")
    session.tokens["access"] = token
    return token


def _thing(child: Any) -> dict[str, Any] | None:
    """A submission (t3) or comment (t1); None for what is neither."""
    data = child.get("data") if isinstance(child, dict) and child.get("kind") in {"t1", "t3"} else None
    good = (
        isinstance(data, dict)
        and isinstance(data.get("name"), str)
        and isinstance(data.get("created_utc"), int | float)
    )
    return data if good else None


def _found(thing: dict[str, Any]) -> Found:
    """A comment's title is its submission's, which is another post."""
    is_comment = thing["name"].startswith("t1_")
    texts = [thing.get("body")] if is_comment else [thing.get("title"), thing.get("selftext")]
    author = thing.get("author")
    link, parent = thing.get("permalink"), thing.get("crosspost_parent")
    return found(
        "reddit",
        thing["name"],
        "\n".join(text for text in texts if isinstance(text, str) and text),
        f"r/{thing.get('subreddit') or 'all'}",
        time=datetime.fromtimestamp(thing["created_utc"], UTC),
        url=f"{WEB}{link}" if isinstance(link, str) else None,
        author=author if isinstance(author, str) and author != "[deleted]" else None,
        repost_of=parent if isinstance(parent, str) else None,
        counts=(thing.get("score"), thing.get("num_crossposts"), thing.get("num_comments")),
    )
