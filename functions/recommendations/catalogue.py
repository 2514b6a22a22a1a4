"""An item of the catalogue's table -> what lists need of it; and how alike two items are by what they are.

Anybody may write the table, so a field of another type than it should have counts as absent: one such item must not
spoil the lists that it could be in.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from cuatro.adapters.attributes import Item
from functions.recommendations.shelves import Count, NewItem

SHOWN = ("title", "category", "tags", "price", "image_url", "url", "available", "added")
MAX_CATEGORY = 64
"""As the import has it."""
_POPULAR_PART = 0.5
"""Of similarity by content; the rest is what tags say. A category without tags is then ordered by popularity."""


class Entry(NamedTuple):
    """An item of the catalogue. shown: what answers tell of it, by name."""

    item: str
    title: str
    category: str | None
    tags: frozenset[str]
    available: bool
    shown: dict[str, Any]


def entry(found: Item) -> Entry:
    """Of a row of the table. What is absent is empty; an item that does not say so is available."""
    title, tags = found.get("title"), found.get("tags")
    return Entry(
        item=found["item_id"],
        title=title if isinstance(title, str) and title else found["item_id"],
        category=category_of(found),
        tags=frozenset(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else frozenset(),
        available=bool(found.get("available", True)),
        shown={name: found[name] for name in SHOWN if name in found},
    )


def category_of(found: Item) -> str | None:
    """Of a row of the table; it names a shelf, so it is text and not too long for a key."""
    category = found.get("category")
    return category if isinstance(category, str) and 0 < len(category) <= MAX_CATEGORY else None


def alike(one: Entry, other: Entry) -> float:
    """Jaccard index of the tags, 0 to 1."""
    both = len(one.tags | other.tags)
    return len(one.tags & other.tags) / both if both else 0.0


def same_category(category: str, counts: Sequence[Count], new: Sequence[NewItem]) -> dict[str, float]:
    """Items of a category with their popularity within it (0 to 1): its shelf, and what is new in it with 0."""
    most = max((each.least for each in counts), default=0.0)
    found = {each.item: 0.0 for each in new if each.category == category}
    return found | {each.item: each.least / most if most > 0 else 0.0 for each in counts}


def similar(
    to: Entry, popular: Mapping[str, float], entries: Mapping[str, Entry], exclude: Collection[str]
) -> list[tuple[str, float]]:
    """Items of the same category by tags and popularity, best first, scores 0 to 1; of equal ones by name."""
    scored = []
    for item, share in popular.items():
        if item == to.item or item in exclude:
            continue
        tags = alike(to, entries[item]) if item in entries else 0.0
        scored.append((item, _POPULAR_PART * share + (1 - _POPULAR_PART) * tags))
    return sorted(scored, key=lambda each: (-each[1], each[0]))
