"""A row of any accepted shape -> interaction v1 as the stream takes it; a bad row is still sent, with what is wrong.

Two shapes are known: interaction v1 (CSV and Parquet use the same names as columns, context.country for a pair of the
context), and what data sets of ratings and sequences have: user, item, perhaps rating, timestamp, under their usual
names (RecBole's typed ones, too) or, in three or four columns, without a header.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from cuatro.interactions import decode_interaction
from local.feed.events import Event, checked, encoded, moment, rfc3339, unix
from local.feed.rows import Row
from local.platform.client import Connection
from local.replay.stream import put

# Names of data sets' columns, in lower case -> the schema's.
_NAMES = {
    **dict.fromkeys(("user", "user_id", "userid", "uid", "customer_id", "reviewerid"), "user_id"),
    **dict.fromkeys(("item", "item_id", "itemid", "iid", "movie_id", "movieid", "product_id", "asin"), "item_id"),
    **dict.fromkeys(("rating", "score", "stars", "overall"), "rating"),
    **dict.fromkeys(("timestamp", "time", "datetime", "date", "ts", "unixreviewtime"), "time"),
    **dict.fromkeys(("kind", "event", "event_type", "behavior"), "kind"),
}
_BY_WIDTH = {3: ("user_id", "item_id", "timestamp"), 4: ("user_id", "item_id", "rating", "timestamp")}
_OWN = ("version", "event_id", "value", "context", "list_id", "correlation_id")


@dataclass(frozen=True)
class Feed(Event):
    """One interaction on its way; a user's stay in order."""

    keyed_by: ClassVar[str] = "user_id"


def headless(cells: Sequence[str]) -> Sequence[str] | None:
    """Names of the columns if a file's first line is a row already: user, item, rating (optional), timestamp."""
    known = {_NAMES.get(cell.partition(":")[0].strip().lower()) for cell in cells}
    if {"user_id", "item_id"} <= known or len(cells) not in _BY_WIDTH or not re.fullmatch(r"[\d.]+", cells[-1].strip()):
        return None
    return _BY_WIDTH[len(cells)]


def feed(row: Row, kind: str = "") -> Feed:
    """Read one row; `kind` is for rows that name none: by default rating where there is one, else view."""
    if row.fields is None:
        return Feed(row.number, row.raw, None, row.problem)
    if row.raw.startswith(b"{") and "event_id" in row.fields:
        return Feed(row.number, row.raw, row.fields, row.problem)  # interaction v1 goes out as it came in
    fields = _fields(row.fields, kind)
    return Feed(row.number, encoded(fields), fields, row.problem)


def judged(item: Feed, now: datetime) -> Feed:
    """The interaction with what the platform will say against it, if anything; its age limit is not known here."""
    return checked(item, now, decode_interaction)


def put_interactions(connection: Connection, stream: str, interactions: Iterable[dict[str, Any]]) -> int:
    """Puts interactions (schema v1) on the stream, a user's in order; returns how many.

    Raises NotAcceptedError when the stream keeps refusing.
    """
    return put(connection.client("kinesis"), stream, ((each["user_id"], encoded(each)) for each in interactions))


def _fields(columns: dict[str, Any], kind: str) -> dict[str, Any]:
    named = {_NAMES.get(name.lower(), name): value for name, value in columns.items() if not _is_context(name)}
    fields: dict[str, Any] = {"version": 1} | {name: named[name] for name in _OWN if name in named}
    for name in ("user_id", "item_id"):
        if name in named:
            fields[name] = named[name] if isinstance(named[name], list | dict) else str(named[name])
    rating = named.get("rating")
    fields["kind"] = named.get("kind") or kind or ("view" if rating is None else "rating")
    if rating is not None and fields["kind"] == "rating":
        fields["value"] = rating
    fields["version"], fields["value"] = _number(fields["version"]), _number(fields.get("value"))
    when = moment(named.get("time")) or unix(named.get("time"))
    fields["time"] = rfc3339(when) if when else named.get("time")
    context = _context(columns)
    fields |= {"context": context} if context else {}
    kept = {name: value for name, value in fields.items() if value is not None}
    return kept | {"event_id": str(kept.get("event_id") or _identity(kept))}


def _identity(fields: dict[str, Any]) -> str:
    """The same for the same row, so that a file that is sent twice counts once."""
    parts = [fields.get(name) for name in ("user_id", "item_id", "kind", "time", "value")]
    return f"f-{hashlib.blake2b(json.dumps(parts, default=str).encode(), digest_size=16).hexdigest()}"


def _is_context(name: str) -> bool:
    return name.lower().startswith("context.")


def _context(columns: dict[str, Any]) -> Any:
    """Of columns context.country, or one column context: an object, its JSON, or Parquet's list of pairs."""
    whole = columns.get("context")
    if isinstance(whole, str):
        try:
            whole = json.loads(whole)
        except ValueError:
            return whole
    if isinstance(whole, list) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in whole):
        whole = dict(whole)
    pairs = {name[len("context.") :]: str(value) for name, value in columns.items() if _is_context(name)}
    return {**(whole or {}), **pairs} if isinstance(whole, dict | None) else whole


def _number(value: Any) -> Any:
    """Text of a number as a number; what is none stays as it is."""
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return float(value) if "." in value else int(value)
    return value
