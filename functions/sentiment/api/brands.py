"""/brands and /sources: what is watched, and how each place fares where it is looked for."""

from typing import Any, Protocol
from urllib.parse import unquote

import msgspec

from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.partiql import change, insertion
from cuatro.errors import Rejected, Unavailable
from cuatro.posts import Slug
from cuatro.times import text_of
from functions.sentiment.brands import Brand, checked, decode, encode
from functions.sentiment.sources import state
from functions.sentiment.sources.bluesky import Bluesky
from functions.sentiment.sources.mastodon import Mastodon
from functions.sentiment.sources.reddit import Reddit
from functions.sentiment.sources.rss import Rss
from functions.sentiment.sources.source import Source
from functions.sentiment.sources.state import State, key_of
from functions.sentiment.sources.x import X

SOURCES: tuple[Source, ...] = (Mastodon(), Bluesky(), Reddit(), X(), Rss())
_ATTEMPTS = 3


class Tables(Protocol):
    """Of the API's settings."""

    @property
    def brands_table(self) -> str: ...
    @property
    def cursors_table(self) -> str: ...


def listed(setting: Tables, dynamo: Dynamo) -> dict[str, Any]:
    """{"brands": [...]} by name. Raises Unavailable."""
    return {"brands": [msgspec.to_builtins(brand) for brand in watched(setting.brands_table, dynamo)]}


def watched(table: str, dynamo: Dynamo) -> list[Brand]:
    """All brands, also those that are not enabled. Raises Unavailable; Rejected when a row is damaged."""
    return sorted((decode(item["p"]) for item in dynamo.scan(table)), key=lambda brand: brand.brand)


def show(name: str, setting: Tables, dynamo: Dynamo) -> dict[str, Any]:
    """One brand. Raises Rejected (not_found), Unavailable."""
    found = _row(_name(name), setting.brands_table, dynamo)
    if found is None:
        raise Rejected("no such brand", "brand", "not_found")
    return dict(msgspec.to_builtins(decode(found["p"])))


def put(name: str, body: bytes, setting: Tables, dynamo: Dynamo) -> tuple[dict[str, Any], bool]:
    """The brand as it is from now on, and whether it is new. Whoever comes last wins. Raises Rejected, Unavailable."""
    brand = checked(body, _name(name))
    for _ in range(_ATTEMPTS):
        found = _row(brand.brand, setting.brands_table, dynamo)
        n = int(found["n"]) if found else 0
        values = {"n": n + 1, "p": encode(brand)}
        statement = (
            change(setting.brands_table, values, {"brand": brand.brand, "n": n})
            if found
            else insertion(setting.brands_table, {"brand": brand.brand, **values})
        )
        written = dynamo.write([statement])[0]
        if written.status == "done":
            return dict(msgspec.to_builtins(brand)), found is None
        if written.status == "failed":
            raise Unavailable(f"brand {brand.brand}: {written.code}")
    raise Unavailable(f"brand {brand.brand} is being changed by others")


def delete(name: str, setting: Tables, dynamo: Dynamo) -> dict[str, Any]:
    """No more is collected; what was, stays. How far its places were read is forgotten. Raises Rejected (not_found)."""
    brand = _name(name)
    existed = dynamo.delete(setting.brands_table, {"brand": brand})
    for row in dynamo.scan(setting.cursors_table, ("source",)):
        if str(row["source"]).startswith(tuple(f"{source.network}#{brand}#" for source in SOURCES)):
            dynamo.delete(setting.cursors_table, {"source": row["source"]})
    if not existed:
        raise Rejected("no such brand", "brand", "not_found")
    return {"brand": brand, "deleted": True}


def sources(setting: Tables, dynamo: Dynamo) -> dict[str, Any]:
    """{"sources": [...]}: every place of every enabled brand, also those that no poll has reached yet."""
    brands = watched(setting.brands_table, dynamo)
    found = {(each.network, each.brand, each.name): each for each in state.states(dynamo.scan(setting.cursors_table))}
    places = {
        key_of(source.network, brand.brand, place): State(network=source.network, brand=brand.brand, name=place.name)
        for brand in brands
        if brand.enabled
        for source in SOURCES
        for place in source.places(brand)
    }
    return {"sources": [_told(found.get((new.network, new.brand, new.name), new)) for new in places.values()]}


def _told(place: State) -> dict[str, Any]:
    """Without the cursor, which is the source's own. Times in RFC 3339; null: never."""
    times = ("polled_at", "last_ok", "last_error_at", "backoff_until", "reset_at")
    told = {
        name: getattr(place, name) for name in ("network", "brand", "name", "status", "posts", "failures", "remaining")
    }
    told["last_error"] = place.last_error or None
    return told | {name: text_of(round(at * 1000)) if (at := getattr(place, name)) else None for name in times}


def _row(brand: str, table: str, dynamo: Dynamo) -> dict[str, Any] | None:
    found = dynamo.read({table: Keys("brand", [brand])})[table]
    if found.unread:
        raise Unavailable(f"brand {brand} could not be read")
    return found.items.get(brand)


def _name(text: str) -> str:
    """Raises Rejected."""
    try:
        return msgspec.convert(unquote(text), Slug)
    except msgspec.ValidationError:
        raise Rejected("must be 1 to 63 lower case letters, digits and -", "brand", "invalid_value") from None
