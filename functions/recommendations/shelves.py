"""Interactions, new items, answers to lists -> bounded shelves: what is popular where, and what is new and unproven.

A shelf is one row of the shelves table, written by cuatro.folding: `p` is what popular() or new_items() read.
"""

from collections.abc import Collection, Iterable, Mapping
from heapq import heapify, heapreplace
from typing import NamedTuple

import msgspec

KEY = "shelf"
"""The table's key attribute."""
ALL = "popular#all"
NEW = "new#all"
CAPACITY = 200
"""Items a shelf holds."""
LEAST = 0.001
"""A count that has decayed to less than this is forgotten: ten half lives after a single interaction."""
AHEAD_DAYS = 366
"""So long before its day an item may be announced."""
DAY_MS = 86_400_000


class Count(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An item's decayed number of interactions: at most `count`, at least `count - error`."""

    item: str
    count: float
    error: float = 0.0

    @property
    def least(self) -> float:
        return self.count - self.error


class Popular(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Counts as they stood at `at_ms`, best first (by what is certain of them)."""

    at_ms: int = 0
    counts: tuple[Count, ...] = ()


class NewItem(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An item of the catalogue's latest arrivals: how often it was shown in the explored slot's lists, and clicked."""

    item: str
    added_ms: int
    category: str | None = None
    impressions: int = 0
    clicks: int = 0


class NewItems(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Newest first, then those of the future, nearest first."""

    items: tuple[NewItem, ...] = ()


class Answers(NamedTuple):
    """What became known of items: how often shown, how often clicked."""

    impressions: Mapping[str, int]
    clicks: Mapping[str, int]


def in_category(category: str) -> str:
    """Key of the shelf of what is popular in a category."""
    return f"popular#category={category}"


def in_context(key: str, value: str) -> str:
    """Key of the shelf of what is popular where the context says key=value, such as country=IT."""
    return f"popular#{key}={value}"


def popular(p: bytes | None) -> list[Count]:
    """What stands on a popular shelf (attribute p), best first; None: an empty one. Raises ValueError if damaged."""
    return list(decode_popular(p).counts)


def new_items(p: bytes | None, now_ms: int, new_days: float) -> list[NewItem]:
    """What stands on the new shelf (attribute p) and is new now, newest first. Raises ValueError if damaged."""
    return [each for each in decode_new(p).items if now_ms - new_days * DAY_MS < each.added_ms <= now_ms]


def counted(shelf: Popular, interactions: Iterable[tuple[str, int]], half_life_days: float) -> Popular:
    """Fold (item, time in ms) into the shelf: each interaction counts 1 at its time and half of that a half life later.

    Forward decay makes a late interaction count what it would have counted in time (Cormode et al., ICDE 2009). The
    CAPACITY items are kept by Space-Saving (Metwally et al., ICDT 2005): a newcomer takes the place and the count of
    the least item, which is then its `error`; so whatever has more than 1/CAPACITY of all counts is on the shelf.
    Below CAPACITY items counts are exact, and the order of interactions does not matter.
    """
    found = list(interactions)
    if not found:
        return shelf
    at = max(shelf.at_ms, *(time for _, time in found)) if shelf.counts else max(time for _, time in found)
    half_life_ms = half_life_days * DAY_MS
    added: dict[str, float] = {}
    for item, time in found:
        added[item] = added.get(item, 0.0) + 2.0 ** ((time - at) / half_life_ms)
    faded = 2.0 ** ((shelf.at_ms - at) / half_life_ms) if shelf.counts else 1.0
    kept = [
        (each.count * faded + added.pop(each.item, 0.0), each.item, each.error * faded)
        for each in shelf.counts
        if each.count * faded >= LEAST or each.item in added
    ]
    heapify(kept)
    for item, count in sorted(added.items(), key=lambda each: (each[1], each[0])):
        if len(kept) < CAPACITY:
            kept.append((count, item, 0.0))
            if len(kept) == CAPACITY:
                heapify(kept)
        else:
            least = kept[0][0]
            heapreplace(kept, (least + count, item, least))
    counts = [Count(item, count, error) for count, item, error in kept]
    return Popular(at, tuple(sorted(counts, key=lambda each: (-each.least, each.item))))


def arrived(shelf: NewItems, items: Iterable[NewItem], gone: Collection[str], now_ms: int, new_days: float) -> NewItems:
    """Put new items of the catalogue on the shelf; the newest CAPACITY stay, until they are new_days old.

    An item that is there already keeps what is known of it. An item of the future waits on the shelf for its day, the
    nearest first, where those that are new now leave room.
    """
    known = {each.item: each for each in shelf.items}
    for each in items:
        before = known.get(each.item, each)
        known[each.item] = msgspec.structs.replace(each, impressions=before.impressions, clicks=before.clicks)
    oldest = now_ms - new_days * DAY_MS
    kept = [each for each in known.values() if each.added_ms > oldest and each.item not in gone]
    kept.sort(key=lambda each: (each.added_ms > now_ms, abs(each.added_ms - now_ms), each.item))
    return NewItems(tuple(kept[:CAPACITY]))


def new_lasts_s(new_days: float) -> int:
    """Seconds that the new shelf lives without a write: until the last of what waits on it is new no more."""
    return int((AHEAD_DAYS + new_days) * 86_400)


def answered(shelf: NewItems, answers: Answers) -> NewItems:
    """Count impressions and clicks of the items that are on the shelf."""
    if not any(each.item in answers.impressions or each.item in answers.clicks for each in shelf.items):
        return shelf
    return NewItems(
        tuple(
            msgspec.structs.replace(
                each,
                impressions=each.impressions + answers.impressions.get(each.item, 0),
                clicks=each.clicks + answers.clicks.get(each.item, 0),
            )
            for each in shelf.items
        )
    )


_ENCODE = msgspec.msgpack.Encoder().encode
_POPULAR, _NEW = msgspec.msgpack.Decoder(Popular), msgspec.msgpack.Decoder(NewItems)


def encode(shelf: Popular | NewItems) -> bytes:
    """Attribute p."""
    return _ENCODE(shelf)


def decode_popular(p: bytes | None) -> Popular:
    """Raises ValueError for what encode() did not write; None is an empty shelf."""
    return _POPULAR.decode(p) if p else Popular()


def decode_new(p: bytes | None) -> NewItems:
    """Raises ValueError for what encode() did not write; None is an empty shelf."""
    return _NEW.decode(p) if p else NewItems()
