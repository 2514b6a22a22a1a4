"""Changes of the catalogue, in their order -> which items the new shelf gets, and which it loses."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from cuatro.adapters.attributes import Item
from functions.recommendations import shelves
from functions.recommendations.catalogue import category_of
from functions.recommendations.shelves import DAY_MS, NewItem


class Listing(NamedTuple):
    """An item as the catalogue has it now; new: None if it is not new, not available or deleted."""

    item: str
    new: NewItem | None


def listing(item_id: str, image: Item | None, now_ms: int, new_days: float) -> Listing:
    """image: the catalogue's item, None if it was deleted. An item without a date of arrival is not new."""
    if image is None or not image.get("available", True) or not isinstance(image.get("added"), str):
        return Listing(item_id, None)
    try:
        added = datetime.fromisoformat(image["added"])
    except ValueError:
        return Listing(item_id, None)
    if added.tzinfo is None:
        return Listing(item_id, None)
    added_ms = round(added.timestamp() * 1000)
    if added_ms <= now_ms - new_days * DAY_MS:
        return Listing(item_id, None)
    return Listing(item_id, NewItem(item_id, added_ms, category_of(image)))


def stocked(p: bytes | None, listings: Iterable[Sequence[Listing]], now_ms: int, new_days: float) -> bytes:
    """The new shelf (attribute p) after these; the last listing of an item counts."""
    last = {each.item: each.new for some in listings for each in some}
    new = [each for each in last.values() if each]
    gone = {item for item, each in last.items() if not each}
    return shelves.encode(shelves.arrived(shelves.decode_new(p), new, gone, now_ms, new_days))
