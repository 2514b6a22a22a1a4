"""Bluesky: app.bsky.feed.searchPosts for each of a brand's terms -> posts, newest first.

Without an account the public AppView answers, except to a `cursor`, which it refuses to strangers: so pages go by
`until`, the time of the oldest post so far, which both answer. With an app password in the secret the account's own
service is asked, which has a higher limit. Plain HTTP by the lexicons (docs.bsky.app) instead of atproto's SDK: that
has 58 MB and takes 1.5 s of CPU to import.
"""

from typing import Any

import msgspec

from cuatro.adapters.web import Answer
from cuatro.errors import Unavailable
from cuatro.events import Network, milliseconds
from cuatro.times import text_of
from functions.sentiment.brands import Brand
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

PUBLIC, SERVICE = "https://api.bsky.app", "https://bsky.social"
LIMIT = 100
OVERLAP_MS = 120_000
"""A post may be found some time after posts that are newer: the index is filled by many hands."""
_EXPIRED = {"ExpiredToken", "InvalidToken"}


class Bluesky:
    """Positions are milliseconds of when a post was written or indexed, what was first, as the search sorts."""

    network: Network = "bluesky"

    def places(self, brand: Brand) -> list[Place]:
        if brand.networks.bluesky is None:
            return []
        return [Place(term, "bluesky", (term,)) for term in brand.terms]

    def fetch(self, brand: Brand, place: Place, cursor: str | None, session: Session) -> Page:
        state = window(cursor, int((session.now - FIRST_S) * 1000))
        words = place.query[0].replace('"', " ").strip()
        query: dict[str, str | int] = {
            "q": f'"{words}"' if " " in words else words,
            "sort": "latest",
            "limit": LIMIT,
            "since": text_of(state.seen - OVERLAP_MS),
        }
        if state.high:
            query["until"] = text_of(state.high)
        if len(brand.languages) == 1:
            query["lang"] = brand.languages[0]
        answer = _search(query, session)
        found_ = [each for each in json_of(answer).get("posts") or [] if isinstance(each, dict) and each.get("uri")]
        positions = {str(each["uri"]): _position(each, session.now) for each in found_}
        after = state.after(positions, len(found_) >= LIMIT // 2, OVERLAP_MS)
        new = [each for each in found_ if state.is_new(str(each["uri"]))]
        limit = limit_of(answer.headers, session.now)
        return Page([_found(each) for each in new], cursor_of(after), after.unfinished, limit)


def _search(query: dict[str, str | int], session: Session) -> Answer:
    """With a session where there is an account; one that has expired is refreshed, or begun anew, once."""
    identifier, password = session.credentials.get("identifier"), session.credentials.get("password")
    if not (identifier and password):
        base = session.base("public", session.base("service", PUBLIC))
        return answered(session.web.get(f"{base}/xrpc/app.bsky.feed.searchPosts", query), session.now)
    base = session.base("service", SERVICE)
    for attempt in range(2):
        token = session.tokens.get("access") or _logged_in(base, str(identifier), str(password), session)
        headers = {"authorization": f"Bearer {token}"}
        answer = session.web.get(f"{base}/xrpc/app.bsky.feed.searchPosts", query, headers)
        if attempt or not (answer.status == 401 or (answer.status == 400 and _error(answer) in _EXPIRED)):
            break
        _refresh(base, session)
    return answered(answer, session.now)


def _logged_in(base: str, identifier: str, password: str, session: Session) -> str:
    body = msgspec.json.encode({"identifier": identifier, "password": password})
    url = f"{base}/xrpc/com.atproto.server.createSession"
    answer = answered(session.web.post(url, body, {"content-type": "application/json"}), session.now)
    return _keep(json_of(answer), session)


def _refresh(base: str, session: Session) -> None:
    """Forgets a session that cannot be refreshed: the next call logs in."""
    token = session.tokens.pop("refresh", "")
    session.tokens.pop("access", None)
    if not token:
        return
    url = f"{base}/xrpc/com.atproto.server.refreshSession"
    answer = session.web.post(url, b"", {"authorization": f"Bearer {token}"})
    if answer.status == 200:
        _keep(json_of(answer), session)


def _keep(told: dict[str, Any], session: Session) -> str:
    access, refresh = told.get("accessJwt"), told.get("refreshJwt")
    if not isinstance(access, str) or not isinstance(refresh, str):
        raise Denied("the service opened no session")
    session.tokens.update(access=access, refresh=refresh)
    return access


def _error(answer: Answer) -> str:
    try:
        return str(json_of(answer).get("error", ""))
    except Unavailable:  # an error page that is no JSON says nothing of the session
        return ""


def _position(post: dict[str, Any], now: float) -> int:
    """When it was written or indexed, what was first; a clock that is ahead must not hide what others write now."""
    times = [time_of(post.get("indexedAt")), time_of(_record(post).get("createdAt"))]
    return min([int(now * 1000), *(milliseconds(time) for time in times if time)])


def _record(post: dict[str, Any]) -> dict[str, Any]:
    record = post.get("record")
    return record if isinstance(record, dict) else {}


def _found(post: dict[str, Any]) -> Found:
    record, uri = _record(post), str(post["uri"])
    author = post.get("author")
    did = str(author.get("did") or author.get("handle") or "") if isinstance(author, dict) else ""
    languages = record.get("langs")
    text = record.get("text")
    return found(
        "bluesky",
        uri,
        text if isinstance(text, str) else "",
        "bluesky",
        time=time_of(record.get("createdAt")) or time_of(post.get("indexedAt")),
        url=f"https://bsky.app/profile/{did}/post/{uri.rpartition('/')[2]}" if did.startswith("did:") else None,
        author=did,
        # Several languages are no hint.
        language=str(languages[0]) if isinstance(languages, list) and len(languages) == 1 else None,
        counts=(post.get("likeCount"), post.get("repostCount"), post.get("replyCount")),
    )
