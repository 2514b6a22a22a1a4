"""A row of any accepted shape -> a post as POST /posts takes it, and batches of posts -> the API; the bad ones told.

Two shapes are known: the schema's own (version, id, text, ...; CSV and Parquet use the same names as columns), and
what exports of networks and data sets have: text under one of its usual names, perhaps id, time, author, language.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from cuatro.errors import Rejected
from cuatro.posts import MAX_POSTS, MAX_POSTS_BYTES, decode_incoming
from local.feed.api import Api
from local.feed.events import Event, encoded, moment, rfc3339, unix
from local.feed.rows import Row

PATH = "/posts"
# Bytes of a request around its posts, and of the comma after each.
_AROUND = len('{"posts":[]}')
# Names of exports' columns, in lower case -> the schema's.
_NAMES = {
    **dict.fromkeys(("text", "content", "body", "message", "tweet", "full_text", "comment", "review"), "text"),
    **dict.fromkeys(("id", "post_id", "tweet_id", "id_str", "status_id", "comment_id", "uri"), "id"),
    **dict.fromkeys(("time", "created_at", "createdat", "timestamp", "date", "published"), "time"),
    **dict.fromkeys(("author", "user", "username", "screen_name", "handle"), "author"),
    **dict.fromkeys(("language", "lang"), "language"),
    **dict.fromkeys(("url", "link", "permalink"), "url"),
    **dict.fromkeys(("likes", "like_count", "favorite_count", "favourites_count"), "likes"),
    **dict.fromkeys(("reposts", "repost_count", "retweet_count", "reblogs_count"), "reposts"),
    **dict.fromkeys(("replies", "reply_count", "replies_count"), "replies"),
    **dict.fromkeys(("repost_of", "retweeted_id", "reblog_of"), "repost_of"),
    "brand": "brand",
    "network": "network",
}
_COUNTS = ("likes", "reposts", "replies")


@dataclass(frozen=True)
class Feed(Event):
    """One post on its way; each one stands for itself."""

    @property
    def too_large(self) -> bool:
        """The API judges each post."""
        return False


@dataclass(frozen=True)
class Taken:
    """What the API answered: posts that it took, the brands' mentions in them, (line, why) of the others."""

    accepted: int
    matched: int
    refused: list[tuple[int, str]]


def feed(row: Row, defaults: Mapping[str, str]) -> Feed:
    """Read one row; `defaults` are for rows that say nothing of brand, network or language."""
    if row.fields is None:
        return Feed(row.number, row.raw, None, row.problem)
    if "version" in row.fields and "id" in row.fields and row.raw.startswith(b"{"):
        fields = dict(row.fields)  # the schema's own goes out as it came in
    else:
        fields = _fields(row.fields)
    fields = {name: value for name, value in defaults.items() if value} | fields
    return Feed(row.number, encoded(fields), fields, row.problem)


def judged(item: Feed) -> Feed:
    """The post with what the API will say against it, if anything; which brands it names is not known here."""
    if item.problem is not None:
        return item
    try:
        decode_incoming(item.payload)
    except Rejected as rejected:
        why = f"{rejected.field or ''} {rejected.reason}".strip()
        return Feed(item.number, item.payload, item.fields, why)
    return item


def one(text: str, identity: str, time: datetime, **fields: str) -> dict[str, Any]:
    """A post made on the spot; empty fields are left out."""
    given = {name: value for name, value in fields.items() if value}
    return {"version": 1, "id": identity, "text": text, "time": rfc3339(time)} | given


def batches(feeds: Iterable[Feed]) -> Iterator[list[Feed]]:
    """As many posts as one request takes, by number and bytes."""
    batch: list[Feed] = []
    size = _AROUND
    for item in feeds:
        if batch and (len(batch) == MAX_POSTS or size + len(item.payload) + 1 > MAX_POSTS_BYTES):
            yield batch
            batch, size = [], _AROUND
        batch.append(item)
        size += len(item.payload) + 1
    if batch:
        yield batch


def post(api: Api, batch: list[Feed]) -> Taken:
    """Posts one batch. Lines that are no objects are told and not sent. Raises PlatformError.

    A request that the API refuses as a whole is halved until what is wrong with it stands alone.
    """
    sent = [item for item in batch if item.fields is not None]
    unreadable = [(item.number, item.problem or "not a post") for item in batch if item.fields is None]
    if not sent:
        return Taken(0, 0, unreadable)
    answer = api.post(PATH, {"posts": [item.fields for item in sent]})
    if answer.ok:
        told = answer.body.get("rejected") or []
        refused = [(sent[each["index"]].number, why(each["error"])) for each in told]
        return Taken(int(answer.body["accepted"]), int(answer.body["matched"]), sorted(unreadable + refused))
    if len(sent) == 1:
        return Taken(0, 0, [*unreadable, (sent[0].number, why(answer.body, answer.status))])
    half = len(sent) // 2
    first, second = post(api, sent[:half]), post(api, sent[half:])
    refused = sorted(unreadable + first.refused + second.refused)
    return Taken(first.accepted + second.accepted, first.matched + second.matched, refused)


def path_of(key: str) -> str:
    """Path of a post by its row's key. A slash, which ids of some networks have, must outlive the decoding of paths."""
    return f"{PATH}/{quote(key.replace('/', '%2F'), safe='')}"


def why(body: Any, status: int = 400) -> str:
    """The API's error as a person reads it."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict) or "message" not in error:
        return f"HTTP {status}: {error}"
    return f"{error.get('field') or ''} {error['message']}".strip()


def _fields(columns: Mapping[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for name, value in columns.items():
        if (known := _NAMES.get(name.lower())) and known not in named:
            named[known] = value
    when = moment(named.get("time")) or unix(named.get("time"))
    if when:
        named["time"] = rfc3339(when)
    for name in _COUNTS:
        if isinstance(named.get(name), str) and named[name].isdecimal():
            named[name] = int(named[name])
    for name in ("id", "repost_of"):
        if isinstance(named.get(name), int):
            named[name] = str(named[name])
    return {"version": 1} | named | {"id": named.get("id") or _identity(named)}


def _identity(fields: Mapping[str, Any]) -> str:
    """The same for the same row, so that a file that is sent twice counts once."""
    parts = [fields.get(name) for name in ("network", "author", "time", "text")]
    return f"f-{hashlib.blake2b(json.dumps(parts, default=str).encode(), digest_size=16).hexdigest()}"
