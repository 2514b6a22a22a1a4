"""X: recent search (API v2) for a brand's terms -> posts, newest first, by ids.

Every post that is read costs money, so retweets are left out (a post says how often it was retweeted) and nothing is
read twice: `since_id` is the newest id so far. Plain HTTP by the documented API (docs.x.com) instead of tweepy: that
takes 295 ms of CPU to import, and makes connections that nobody has looked at.
"""

from collections.abc import Mapping
from typing import Any

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
    time_of,
)
from functions.sentiment.sources.window import cursor_of, window

API = "https://api.x.com"
LIMIT, QUERY = 100, 512
EPOCH_MS = 1_288_834_974_657
"""Ids are milliseconds since then, and 22 bits (Snowflake)."""
WEEK_S = 7 * 86_400 - 600
"""The search goes back a week, and refuses an older `since_id`."""
FIELDS = "id,text,created_at,lang,author_id,public_metrics,referenced_tweets,note_tweet"


class X:
    """Positions are ids."""

    network: Network = "x"

    def places(self, brand: Brand) -> list[Place]:
        if brand.networks.x is None:
            return []
        rest = " -is:retweet" + "".join(f' -"{term}"' for term in brand.exclude[:5] if '"' not in term)
        if brand.languages:
            rest += f" ({' OR '.join(f'lang:{language}' for language in brand.languages[:8])})"
        rest = rest if len(rest) < QUERY // 2 else " -is:retweet"  # what it would leave out is left out later
        return [Place(query, "x", (query,)) for query in searches(brand.terms, QUERY, rest)]

    def fetch(self, brand: Brand, place: Place, cursor: str | None, session: Session) -> Page:  # noqa: ARG002
        token = session.credentials.get("bearer_token")
        if not token:
            raise Denied("no bearer_token in the secret")
        state = window(cursor, _id_at(session.now - FIRST_S))
        query: dict[str, str | int] = {
            "query": place.query[0],
            "max_results": LIMIT,
            "tweet.fields": FIELDS,
            "since_id": str(max(state.seen, _id_at(session.now - WEEK_S))),
        }
        if state.high:
            query["until_id"] = str(state.high)
        headers = {"authorization": f"Bearer {token}"}
        url = f"{session.base('api', API)}/2/tweets/search/recent"
        answer = answered(session.web.get(url, query, headers), session.now)
        told = json_of(answer)
        posts = [each for each in told.get("data") or [] if isinstance(each, dict) and _id(each)]
        meta = told.get("meta")
        if not isinstance(meta, dict) or meta.get("result_count", len(posts)) != len(posts):
            raise Unavailable(f"half a page: {len(posts)} posts, and it says {meta}")
        more = bool(meta.get("next_token"))
        after = state.after({each["id"]: _id(each) for each in posts}, more)
        new = [_found(each) for each in posts if state.is_new(each["id"])]
        return Page(new, cursor_of(after), after.unfinished, limit_of(answer.headers, session.now))


def _id_at(unix: float) -> int:
    return max(int(unix * 1000) - EPOCH_MS, 0) << 22


def _id(post: Mapping[str, Any]) -> int:
    """0 for what is none."""
    given = post.get("id")
    return int(given) if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 20 else 0


def _found(post: dict[str, Any]) -> Found:
    metrics, long = post.get("public_metrics"), post.get("note_tweet")
    counts = metrics if isinstance(metrics, dict) else {}
    text = long.get("text") if isinstance(long, dict) and long.get("text") else post.get("text")
    referenced = post.get("referenced_tweets")
    original = next(
        (
            each.get("id")
            for each in (referenced if isinstance(referenced, list) else [])
            if isinstance(each, dict) and each.get("type") == "retweeted"
        ),
        None,
    )
    language = post.get("lang")
    return found(
        "x",
        post["id"],
        text if isinstance(text, str) else "",
        "x",
        time=time_of(post.get("created_at")),
        url=f"https://x.com/i/status/{post['id']}",  # the other address has the author's name
        author=str(post.get("author_id") or ""),
        # und, and X's own codes for posts of links, hashtags or pictures alone: qme, qht, zxx, ...
        language=language if isinstance(language, str) and len(language) == 2 else None,
        repost_of=original if isinstance(original, str) else None,
        counts=(counts.get("like_count"), counts.get("retweet_count"), counts.get("reply_count")),
    )
