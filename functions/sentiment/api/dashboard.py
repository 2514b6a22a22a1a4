"""What is said of a brand, for a page: its series, its words, its posts, its alerts; and one post.

A time range is from (in it) to (not in it), RFC 3339 with zone; its buckets are in UTC, whole ones. What is fresh in a
row is here at once.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from urllib.parse import unquote

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.errors import Rejected, Unavailable
from cuatro.events import Network
from cuatro.posts import LABELS, MAX_ID, Scored, Slug, decode_scored
from functions.sentiment import aggregates, alerting, terms
from functions.sentiment.aggregates import GRAINS, MILLIONTHS, Aggregate, Counts, Grain, bucket, starts
from functions.sentiment.api.queries import Query, chosen, length, moment, one
from functions.sentiment.api.settings import Settings
from functions.sentiment.policy import policy

MAX_BUCKETS = 1_500
"""Of a series: a day of minutes, two months of hours, four years of days."""
MAX_POSTS, DEFAULT_POSTS = 100, 20
_PAGES = 10
"""Pages of an index that are looked through for the posts that are wanted."""
_USUAL: dict[Grain, timedelta] = {
    "minute": timedelta(hours=1), "hour": timedelta(days=1), "day": timedelta(days=30),
}  # fmt: skip


def series(brand: str, query: Query, setting: Settings, dynamo: Dynamo, now: float) -> dict[str, Any]:
    """Buckets in order, also the empty ones. score: mean of probability(positive) - probability(negative), -1 to 1.

    posts = negative + neutral + positive + reposts. Raises Rejected, Unavailable.
    """
    name = checked_brand(brand)
    grain = chosen(query, "grain", GRAINS) or "hour"
    network = chosen(query, "network", get_args(Network))
    language = one(query, "language")
    times = _range(query, grain, now)
    rows = _rows(name, grain, times, setting, dynamo)
    return {
        "brand": name,
        "grain": grain,
        "buckets": [
            {"start": _text(time), **_told(row.total(network, language) if row else Counts())}
            for time, row in zip(times, rows, strict=True)
        ],
    }


def words(brand: str, query: Query, setting: Settings, dynamo: Dynamo, now: float) -> dict[str, Any]:
    """The words of each class, the most frequent first, by hours (up to two days) or by days.

    posts: in how many posts, at least; more by so few that no word is missing which a fiftieth of them had. Raises
    Rejected, Unavailable.
    """
    name = checked_brand(brand)
    label = chosen(query, "label", LABELS)
    times = _range(query, "hour", now)
    grain: Grain = "hour" if len(times) <= 48 else "day"
    if grain == "day":
        times = starts("day", times[0], times[-1])
    rows = [row for row in _rows(name, grain, times, setting, dynamo) if row]
    shown = policy(setting.policy).terms
    found = aggregates.words_of(rows, 2 * shown)
    return {
        "brand": name,
        "grain": grain,
        "from": _text(times[0]),
        "terms": {
            each: [{"term": term, "posts": number} for term, number in terms.top(found[each], shown)]
            for each in LABELS
            if label in {None, each}
        },
    }


def posts(brand: str, query: Query, setting: Settings, dynamo: Dynamo) -> dict[str, Any]:
    """The brand's posts, newest first; next: for the next page, None after the last.

    A page may be shorter than limit, or empty with a next, where few of many are wanted. Raises Rejected, Unavailable.
    """
    name = checked_brand(brand)
    label = chosen(query, "label", LABELS)
    network = chosen(query, "network", get_args(Network))
    language = one(query, "language")
    limit = length(query, DEFAULT_POSTS, MAX_POSTS)
    start = _start(one(query, "next"))
    if start and start.get("b") != name:
        raise Rejected("is no token that this API gave for this brand", "next", "invalid_value")
    found: list[dict[str, Any]] = []
    for _ in range(_PAGES):
        page = dynamo.query(setting.posts_table, "by_brand", {"b": name}, limit - len(found), start)
        start = page.start
        for item in page.items:
            scored = decode_scored(item["p"])
            of_label = label in {None, scored.human_label or scored.label}
            if of_label and network in {None, scored.network} and language in {None, scored.language}:
                found.append(shown(item["post"], scored))
        if start is None or len(found) >= limit:
            break
    return {"brand": name, "posts": found, "next": _token(start)}


def alerts(brand: str, setting: Settings, dynamo: Dynamo) -> dict[str, Any]:
    """Newest first; those without cleared_at are on. Raises Rejected, Unavailable."""
    name = checked_brand(brand)
    table = setting.alerts_table
    items, unread = dynamo.read({table: Keys(alerting.KEY, [name])})[table]
    if unread:
        raise Unavailable("the alerts could not be read")
    row = alerting.decode(items[name]["p"] if name in items else None)
    return {"brand": name, "alerts": [alerting.shown(name, each) for each in row.state.alerts]}


def post(key: str, setting: Settings, dynamo: Dynamo) -> dict[str, Any]:
    """One post by its row's key. Raises Rejected (not_found), Unavailable."""
    name = checked_key(key)
    return shown(name, decode_scored(read_post(name, setting, dynamo)["p"]))


def shown(key: str, scored: Scored) -> dict[str, Any]:
    """A post for the API: `post` is its key."""
    told: dict[str, Any] = msgspec.to_builtins(scored)
    return {"post": key, **told}


def read_post(key: str, setting: Settings, dynamo: Dynamo) -> Item:
    """The row of a post. Raises Rejected (not_found), Unavailable."""
    table = setting.posts_table
    items, unread = dynamo.read({table: Keys("post", [key])})[table]
    if unread:
        raise Unavailable("the post could not be read")
    if key not in items or "p" not in items[key]:
        raise Rejected("no such post, or it is too old", "post", "not_found")
    return items[key]


def checked_key(text: str) -> str:
    """A post's key from a path. Raises Rejected."""
    key = unquote(text)
    if not 1 <= len(key) <= MAX_ID or not key.isprintable():
        raise Rejected("is no key of a post", "post", "invalid_value")
    return key


def checked_brand(text: str) -> str:
    """A brand from a path. Raises Rejected."""
    try:
        return msgspec.convert(unquote(text), Slug)
    except msgspec.ValidationError:
        raise Rejected("must be letters a to z, digits and -, at most 63", "brand", "invalid_value") from None


def _range(query: Query, grain: Grain, now: float) -> list[datetime]:
    """Beginnings of the buckets that are asked for."""
    last = moment(query, "to") or datetime.fromtimestamp(now, UTC) + timedelta(microseconds=1)
    first = moment(query, "from") or last - _USUAL[grain]
    if first >= last:
        raise Rejected("must be before `to`", "from", "out_of_range")
    step = {"minute": 60, "hour": 3600, "day": 86_400}[grain]
    if (last - first).total_seconds() / step > MAX_BUCKETS:
        raise Rejected(f"more than {MAX_BUCKETS} buckets: take a larger grain or less time", "from", "out_of_range")
    return starts(grain, first, last - timedelta(microseconds=1))


def _rows(
    brand: str, grain: Grain, times: Sequence[datetime], setting: Settings, dynamo: Dynamo
) -> list[Aggregate | None]:
    table = setting.aggregates_table
    keys = [bucket(brand, grain, time) for time in times]
    found = dynamo.read({table: Keys(aggregates.KEY, keys, (aggregates.KEY, "p"), consistent=False)})[table]
    if found.unread:
        raise Unavailable("aggregates could not be read")
    return [aggregates.decode(found.items[key]["p"]) if key in found.items else None for key in keys]


def _told(counts: Counts) -> dict[str, Any]:
    classed = counts.classed
    return {
        "posts": max(0, counts.posts),
        **{name: max(0, getattr(counts, name)) for name in ("negative", "neutral", "positive", "reposts", "unsure")},
        "score": round(counts.score / MILLIONTHS / classed, 4) if classed > 0 else None,
    }


def _text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _token(start: Item | None) -> str | None:
    return urlsafe_b64encode(msgspec.json.encode(start)).decode().rstrip("=") if start else None


def _start(token: str | None) -> Item | None:
    if not token:
        return None
    try:
        start = msgspec.json.decode(urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=dict[str, str | int])
    except ValueError:  # of base64, of Unicode, of msgspec
        start = {}
    if start.keys() != {"post", "b", "t"} or not isinstance(start["t"], int):
        raise Rejected("is no token that this API gave", "next", "invalid_value")
    return start
