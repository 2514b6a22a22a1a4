"""Mastodon: a brand's hashtags on each instance -> posts, read upwards from the last one's id.

An instance shows hashtags to everybody (unless it is closed: then a token of it in the secret), and searches texts for
nobody: so a term is looked for as a hashtag. Plain HTTP by the documented API (docs.joinmastodon.org, timelines/tag)
instead of Mastodon.py: that takes 430 ms of CPU to import, and makes connections that nobody has looked at.
"""

from hashlib import blake2b
from html import escape
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from cuatro.events import Network
from functions.sentiment.brands import Brand, hashtags
from functions.sentiment.sources.source import (
    FIRST_S,
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
from functions.sentiment.sources.window import digest

LIMIT = 40
TAGS = 5
"""A timeline is of one hashtag, and of four more at most."""


OVERLAP_MS = 300_000
"""A post of another instance may arrive late, and its id says when it was written, not when it came."""
REMEMBERED = 200


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """seen: the newest post that was read. at: where the next page begins, within a poll; "": a new poll.

    recent: short hashes of what was read last, since each poll begins a little before `seen`.
    """

    seen: str
    at: str = ""
    recent: list[str] = []

    def begin(self) -> str:
        """`min_id` of the next page."""
        if self.at or not self.seen.isdigit():  # another software's ids, which tell no time
            return self.at or self.seen
        return str(max(int(self.seen) - (OVERLAP_MS << 16), 0))


class Mastodon:
    """Ids of an instance grow with time: milliseconds, then 16 bits of a sequence (Mastodon::Snowflake)."""

    network: Network = "mastodon"

    def places(self, brand: Brand) -> list[Place]:
        watched = brand.networks.mastodon
        if not watched:
            return []
        tags = list(dict.fromkeys([*(tag.casefold() for tag in watched.hashtags), *hashtags(brand)]))
        groups = [tuple(tags[start : start + TAGS]) for start in range(0, len(tags), TAGS)]
        return [
            Place(f"{instance} {' '.join(f'#{tag}' for tag in group)}", instance, (instance, *group))
            for instance in watched.instances
            for group in groups
        ]

    def fetch(self, brand: Brand, place: Place, cursor: str | None, session: Session) -> Page:  # noqa: ARG002
        instance, tag, *others = place.query
        first = str(int((session.now - FIRST_S) * 1000) << 16)
        state = msgspec.json.decode(cursor, type=Cursor) if cursor else Cursor(first, first)
        min_id = state.begin()
        query = urlencode([("limit", LIMIT), ("min_id", min_id), *(("any[]", other) for other in others)])
        token = session.credentials.get("tokens")
        token = token.get(instance) if isinstance(token, dict) else None
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = answered(
            session.web.get(f"{instance}/api/v1/timelines/tag/{quote(tag, safe='')}?{query}", headers=headers),
            session.now,
        )
        statuses = [each for each in json_of(answer, list) if isinstance(each, dict) and _id(each)]
        newest = max([min_id, *map(_id, statuses)], key=_order)
        # A filter of the instance makes a page shorter; an id that stays is the same page again.
        more = len(statuses) > LIMIT // 2 and newest != min_id
        hashes = {digest(_id(each)): each for each in statuses}
        known = set(state.recent)
        after = Cursor(
            max(state.seen, newest, key=_order),
            newest if more else "",
            [*state.recent, *(each for each in reversed(hashes) if each not in known)][-REMEMBERED:],
        )
        new = [_found(status, instance) for short, status in hashes.items() if short not in known]
        return Page(new, msgspec.json.encode(after).decode(), more, limit_of(answer.headers, session.now))


def _id(status: dict[str, Any]) -> str:
    return status["id"] if isinstance(status.get("id"), str) else ""


def _order(id: str) -> tuple[int, str]:  # noqa: A002
    """Ids as numbers of any length."""
    return len(id), id


def _found(status: dict[str, Any], instance: str) -> Found:
    """The post that was boosted is the post that is read; a boost's own id would count it again on each instance.

    Its id is a hash of its URI: the same on every instance, and without the author's name.
    """
    boosted = status.get("reblog")
    post = boosted if isinstance(boosted, dict) else status
    account = post.get("account")
    warning, content = post.get("spoiler_text"), post.get("content")
    acct = account.get("acct") if isinstance(account, dict) else None
    local = f"{instance}/statuses/{_id(post) or _id(status)}"
    return found(
        "mastodon",
        blake2b(str(post.get("uri") or local).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
        f"<p>{escape(warning) if isinstance(warning, str) else ''}</p>{content if isinstance(content, str) else ''}",
        urlsplit(instance).netloc,
        time=time_of(post.get("created_at")),
        html=True,
        url=local,  # the post's own address has the author's name
        author=(acct if "@" in acct else f"{acct}@{urlsplit(instance).netloc}") if isinstance(acct, str) else None,
        language=post.get("language") if isinstance(post.get("language"), str) else None,
        counts=(post.get("favourites_count"), post.get("reblogs_count"), post.get("replies_count")),
    )
