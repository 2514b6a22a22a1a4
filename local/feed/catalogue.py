"""A row of a catalogue's file -> an item, checked -> the table of items, 25 a call; what is throttled is put again.

An item is {item_id, title?, category?, tags?, available?, added?, price?, image_url?, url?}; CSV has tags between bars.
"""

import json
import math
import random
import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlparse

from cuatro.adapters.attributes import encoded
from cuatro.errors import Rejected
from cuatro.interactions import checked_name
from local.feed.batch import batched
from local.feed.events import moment, rfc3339, unix
from local.feed.rows import Row
from local.platform.client import Connection
from local.platform.errors import PlatformError

Item = dict[str, Any]

MAX_TITLE, MAX_CATEGORY, MAX_TAGS, MAX_TAG, MAX_URL, MAX_ITEM_BYTES = 200, 64, 16, 32, 1024, 4096
ITEMS_A_CALL = 25
TRIES, FIRST_WAIT_S = 10, 0.05
_NAMES = {"id": "item_id", "item": "item_id", "name": "title", "categories": "category", "image": "image_url"}
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class ItemError(ValueError):
    """The row is no item; the message names the column and why."""


def item(row: Row, now: datetime) -> Item:
    """The item of one row; `now` is when an item that says nothing of it was added. Raises ItemError."""
    if row.fields is None or row.problem:
        raise ItemError(row.problem or "not an item")
    given = {_NAMES.get(name.lower(), name.lower()): value for name, value in row.fields.items() if value is not None}
    if "item_id" not in given:
        raise ItemError("item_id is missing")
    found: Item = {"item_id": _name(given["item_id"])}
    for name, read in _COLUMNS.items():
        if name in given:
            found[name] = read(name, given[name])
    found.setdefault("available", True)
    found.setdefault("added", rfc3339(now))
    size = len(json.dumps(found, ensure_ascii=False).encode())
    if size > MAX_ITEM_BYTES:
        raise ItemError(f"{size:,} bytes: an item has at most {MAX_ITEM_BYTES:,}")
    return found


def unknown(row: Row) -> set[str]:
    """Columns of a row that an item does not have."""
    return {name for name in row.fields or {} if _NAMES.get(name.lower(), name.lower()) not in {"item_id", *_COLUMNS}}


def put_items(
    connection: Connection, table: str, items: Iterable[Item], count: Callable[[int], None] = lambda _: None
) -> int:
    """Puts items into the table; returns how many. Of equal ids the last one wins.

    `count` hears how many items were dealt with. Raises PlatformError when the table keeps refusing.
    """
    client = connection.client("dynamodb")
    written = 0
    for batch in batched(items, ITEMS_A_CALL):
        latest = {each["item_id"]: each for each in batch}  # a call must not name a key twice
        waiting = {table: [{"PutRequest": {"Item": encoded(each)}} for each in latest.values()]}
        for attempt in range(TRIES):
            waiting = client.batch_write_item(RequestItems=waiting).get("UnprocessedItems") or {}
            if not waiting:
                break
            time.sleep(random.uniform(0.5, 1) * FIRST_WAIT_S * 2**attempt)  # noqa: S311 - spreads the tries
        else:
            raise PlatformError(
                f"{table} keeps refusing items ({written:,} are in it).", "Import the file again later: that is safe."
            )
        written += len(latest)
        count(len(batch))
    return written


def get_item(connection: Connection, table: str, item_id: str) -> Item | None:
    """The item as it is in the table, if it is there."""
    from boto3.dynamodb.types import TypeDeserializer  # noqa: PLC0415 - boto3 takes long to import

    found = connection.client("dynamodb").get_item(TableName=table, Key={"item_id": {"S": item_id}}).get("Item")
    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in found.items()} if found else None


def _name(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ItemError("item_id must be text")
    try:
        return checked_name(str(value), "item_id")
    except Rejected as rejected:
        raise ItemError(f"item_id {rejected.reason}") from None


def _text(name: str, value: Any, limit: int) -> str:
    text = str(value) if isinstance(value, str | int | float) else ""
    if not text.strip() or len(text) > limit or _CONTROL.search(text):
        raise ItemError(f"{name} must be text of 1 to {limit} characters without control characters")
    return text.strip()


def _tags(name: str, value: Any) -> list[str]:
    if isinstance(value, str):
        if value.startswith("["):
            try:
                value = json.loads(value)
            except ValueError:
                raise ItemError(f"{name} begin like JSON and are none") from None
        else:
            value = [tag for tag in value.split("|") if tag.strip()]
    if not isinstance(value, list) or len(value) > MAX_TAGS:
        raise ItemError(f"{name} must be at most {MAX_TAGS} texts")
    return list(dict.fromkeys(_text(name, tag, MAX_TAG) for tag in value))


def _truth(name: str, value: Any) -> bool:
    found = _TRUTH.get(str(value).lower())
    if found is None:
        raise ItemError(f"{name} must be true or false")
    return found


def _moment(name: str, value: Any) -> str:
    found = moment(value) or unix(value)
    if found is None:
        raise ItemError(f"{name} must be a time, such as 2026-11-23T10:00:00Z")
    return rfc3339(found)


def _price(name: str, value: Any) -> float:
    try:
        price = float(value)
    except (TypeError, ValueError):
        price = math.nan
    if isinstance(value, bool) or not 0 <= price <= 1e9:
        raise ItemError(f"{name} must be a number from 0 to 1,000,000,000")
    return price


def _url(name: str, value: Any) -> str:
    text = _text(name, value, MAX_URL)
    if urlparse(text).scheme not in {"http", "https"} or " " in text:
        raise ItemError(f"{name} must begin with http:// or https://")
    return text


_COLUMNS: dict[str, Callable[[str, Any], Any]] = {
    "title": lambda name, value: _text(name, value, MAX_TITLE),
    "category": lambda name, value: _text(name, value, MAX_CATEGORY),
    "tags": _tags,
    "available": _truth,
    "added": _moment,
    "price": _price,
    "image_url": _url,
    "url": _url,
}
