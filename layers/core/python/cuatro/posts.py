"""Bytes from outside -> checked posts of the networks, or Rejected with field and reason; and what is kept of each.

An Incoming is a post as somebody hands it in, a Post is one that is cleaned, redacted and belongs to one brand, a
Scored is a Post with its class: a line of the lake, and the attribute p of its row.
"""

import json
import re
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from cuatro.decoding import MAX_AHEAD_S, decoded
from cuatro.errors import Rejected
from cuatro.events import Id, Network, Sentiment, ZonedTime
from cuatro.interactions import checked_text

Label = Sentiment
LABELS: tuple[Sentiment, Sentiment, Sentiment] = ("negative", "neutral", "positive")
"""The order of all probabilities."""
MAX_TEXT, MAX_ID, MAX_URL = 10_000, 512, 2_048
MAX_POST_BYTES = 131_072
"""The longest text of four-byte letters, with an id and an address as long as they may be, has some 50,000."""
MAX_INCOMING_BYTES = 262_144
"""HTML is longer than the text in it."""
MAX_POSTS, MAX_POSTS_BYTES = 500, 4_194_304
MAX_KEY_ID = 256
"""Characters of a network's id that stand in a row's key as they are."""

Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\Z")]
"""Of a brand, or a hook."""
Url = Annotated[str, msgspec.Meta(max_length=MAX_URL)]
"""Of http or https, see checked_url: people will click on it."""
Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Short = Annotated[str, msgspec.Meta(max_length=256)]


class Verdict(NamedTuple):
    """What a backend says of a text. probabilities: in the order of LABELS. unsure: too close to call."""

    label: Sentiment
    probabilities: tuple[float, float, float]
    unsure: bool
    backend: str
    model_version: str


class ShadowVerdict(msgspec.Struct, frozen=True):
    """What a version that does not decide yet says of the same text."""

    version: str
    label: Sentiment
    unsure: bool


class Incoming(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A post before cleaning. Without a brand it counts for each brand whose terms it has.

    id: the network's own. author: a handle, which is never kept. repost_of: the network's id of the original.
    language: the network's word for it, a hint.
    """

    version: Literal[1]
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
    text: str
    brand: Slug | None = None
    network: Network = "web"
    language: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    time: ZonedTime | None = None
    url: Url | None = None
    author: Short | None = None
    repost_of: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)] | None = None
    likes: Number = 0
    reposts: Number = 0
    replies: Number = 0


class IncomingPosts(msgspec.Struct, frozen=True):
    """The body of POST /posts and POST /hooks/{source}; each one is read by itself."""

    posts: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=MAX_POSTS)]


class Post(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A post that is cleaned and redacted, of one brand. Times in UTC, to the millisecond.

    author: a pseudonym, see functions.sentiment.redact. source: the instance, subreddit, feed or hook it came by.
    cut: the text was longer than MAX_TEXT. time_adjusted: it was written in the future, they said. replayed: sent again
    by hand since the lake never got it, so it counts as delivered for the first time though its row may be there.
    """

    version: Literal[1] = 1
    network: Network
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
    brand: Slug
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
    language: str | None = None
    time: ZonedTime
    collected_at: ZonedTime
    url: Url | None = None
    author: str | None = None
    repost_of: str | None = None
    likes: Number = 0
    reposts: Number = 0
    replies: Number = 0
    source: str | None = None
    cut: bool = False
    time_adjusted: bool = False
    replayed: bool = False
    correlation_id: Id | None = None


class Scored(Post, frozen=True, kw_only=True, gc=False):
    """A Post and its class. language: detected, "und" when it cannot be. dt: the day of `time`, UTC.

    repost: of a post that counts already, so it counts apart. human_label: what a person said instead.
    shadow: what the version that follows the live one says; null when there is none.
    """

    language: str
    label: Sentiment
    probabilities: tuple[float, float, float]
    unsure: bool
    backend: str
    model_version: str
    classified_at: ZonedTime
    fingerprint: str
    repost: bool
    human_label: Sentiment | None = None
    shadow: ShadowVerdict | None = None
    dt: str


_URL = re.compile(r"https?://[^\s\"'<>\\^`{|}\x00-\x20]+\Z")
_POST = msgspec.json.Decoder(Post)
_SCORED = msgspec.json.Decoder(Scored)
_INCOMING = msgspec.json.Decoder(Incoming)
_INCOMING_POSTS = msgspec.json.Decoder(IncomingPosts)
encode = msgspec.json.Encoder().encode
"""A Post or a Scored -> one line of JSON, without its end."""


def raw_line(post: Post) -> bytes:
    """A post as it was collected, for the lake: with the day of its time, by which the lake is sorted."""
    return encode(msgspec.structs.asdict(post) | {"dt": day(post.time)})


def decode_post(data: bytes) -> Post:
    """A post as a collector sent it. Raises Rejected."""
    return decoded(_POST, data, MAX_POST_BYTES)


def decode_scored(data: bytes) -> Scored:
    """Attribute p of a row, or a line of the lake. Raises Rejected."""
    return decoded(_SCORED, data, 2 * MAX_POST_BYTES)


def decode_incoming(data: bytes | msgspec.Raw) -> Incoming:
    """A checked post before cleaning. Raises Rejected."""
    incoming = decoded(_INCOMING, data, MAX_INCOMING_BYTES)
    checked_text(incoming.id, "id", MAX_ID)
    if incoming.repost_of is not None:
        checked_text(incoming.repost_of, "repost_of", MAX_ID)
    if incoming.url is not None:
        checked_url(incoming.url)
    return incoming


def checked_url(url: str) -> str:
    """An address that may stand as a link on a page. Raises Rejected."""
    if len(url) > MAX_URL or not _URL.match(url):
        raise Rejected(f"must be an address of http or https, at most {MAX_URL} characters", "url", "invalid_value")
    return url


def decode_incoming_posts(data: bytes) -> tuple[list[tuple[int, Incoming]], list[tuple[int, Rejected]]]:
    """The good and the bad of one request, each with its place in it. Raises Rejected when there is nothing to read."""
    good: list[tuple[int, Incoming]] = []
    bad: list[tuple[int, Rejected]] = []
    for place, each in enumerate(_incoming_posts(data).posts):
        try:
            good.append((place, decode_incoming(each)))
        except Rejected as rejected:
            bad.append((place, rejected))
    return good, bad


def _incoming_posts(data: bytes) -> IncomingPosts:
    """Half an emoji in one post must not cost the other 499: text that is no Unicode is mended where JSON is sound."""
    try:
        data.decode()
        return decoded(_INCOMING_POSTS, data, MAX_POSTS_BYTES)
    except UnicodeDecodeError:
        return decoded(_INCOMING_POSTS, _mended(data), MAX_POSTS_BYTES)
    except Rejected as rejected:
        if rejected.code != "malformed_json":
            raise
        return decoded(_INCOMING_POSTS, _mended(data), MAX_POSTS_BYTES)


_SURROGATES = re.compile("[\ud800-\udfff]")


def _mended(data: bytes) -> bytes:
    """Bad UTF-8 and lone surrogates -> U+FFFD. The data as it is when it is no JSON either way."""
    if len(data) > MAX_POSTS_BYTES:
        return data
    try:
        value = json.loads(data.decode("utf-8", "replace"))
        return _SURROGATES.sub("\ufffd", json.dumps(value, ensure_ascii=False)).encode()
    except (ValueError, RecursionError):
        return data


def post_key(brand: str, network: str, id: str) -> str:  # noqa: A002 - the field's name
    """The key of a post's row: brand#network#id. An id that is long stands there as a hash (BLAKE2b, 160 bits)."""
    if len(id) > MAX_KEY_ID:
        id = f"h-{blake2b(id.encode(), digest_size=20).hexdigest()}"  # noqa: A001
    return f"{brand}#{network}#{id}"


def primary(language: str | None) -> str | None:
    """The primary subtag of a language's BCP 47 name, lower case: pt-BR -> pt. None for what is none, and "und"."""
    subtag = re.split("[-_]", language or "", maxsplit=1)[0].lower()
    return subtag if re.fullmatch("[a-z]{2,3}", subtag) and subtag not in {"und", "zxx", "mul"} else None


def moment(unix: float) -> datetime:
    """Unix seconds -> UTC, to the millisecond, which is what a row and a line keep."""
    return datetime.fromtimestamp(round(unix * 1000) / 1000, UTC)


def written(time: datetime | None, collected_at: datetime) -> tuple[datetime, bool]:
    """When a post was written, and whether that had to be adjusted: nobody writes in the future. None: just now."""
    if time is None:
        return collected_at, False
    ahead = (time - collected_at).total_seconds()
    return (collected_at, True) if ahead > MAX_AHEAD_S else (moment(time.timestamp()), False)


def day(time: datetime) -> str:
    """The day of a time, UTC: 2026-11-23."""
    return time.astimezone(UTC).date().isoformat()


def told(rejected: Rejected) -> dict[str, Any]:
    """What is wrong with one post of many, for the answer."""
    return {"code": rejected.code, "field": rejected.field, "message": rejected.reason}
