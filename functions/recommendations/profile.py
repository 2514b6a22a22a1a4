"""Interactions -> what is known of a user: newest items, purchases, ratings, counts, context; bounded and packed.

Promises: an interaction counts once and in whatever order it comes, since every part is a maximum, a union or a sum.
Known are the last REMEMBERED interactions, and always all of the last fold: what Lambda delivers again. Bounded are the
items: the CAPACITY newest are kept, of each item its newest interaction; and as many purchases and ratings besides,
which a later view of the same item does not hide.
"""

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from cuatro.events import Kind, milliseconds
from cuatro.interactions import Interaction

CAPACITY = 100
"""Items, purchases and ratings kept, each."""
REMEMBERED = 128
"""Interactions that are known again when they come a second time."""
_STRENGTH = {"view": 0, "click": 1, "cart": 2, "purchase": 3, "rating": 4}
_TAG_BYTES = 8
_FORMAT = 1
_LEVEL = 1
"""The fastest: higher ones take twice the time for a few bytes."""


class Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a user did with an item last. value: as told with it."""

    item: str
    time_ms: int
    kind: Kind
    value: float | None = None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """entries, purchases, ratings: newest first, each item once. n: number of the stored row, 0 = there is none.

    counters: interactions of each kind, ever. context: of the newest interaction that had one, context_ms its time.
    first_ms, last_ms: of all interactions, 0 without any. tags: of the interactions folded last, 8 bytes each.
    """

    entries: tuple[Entry, ...] = ()
    purchases: tuple[Entry, ...] = ()
    ratings: tuple[Entry, ...] = ()
    counters: dict[Kind, int] = {}
    context: dict[str, str] = {}
    context_ms: int = 0
    first_ms: int = 0
    last_ms: int = 0
    tags: bytes = b""
    n: int = 0


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    """As it is stored: a msgpack array, in which new fields go to the end, with a default."""

    format: int
    entries: tuple[Entry, ...]
    purchases: tuple[Entry, ...]
    ratings: tuple[Entry, ...]
    counters: dict[Kind, int]
    context: dict[str, str]
    context_ms: int
    first_ms: int
    last_ms: int
    tags: bytes


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(_Packed).decode


def encode(profile: Profile) -> bytes:
    """Attribute p: msgpack, compressed, since a write is paid by the KB; some 12 bytes and a part of its name an item.

    At most 160 KB, with the longest names there can be.
    """
    packed = _ENCODE(
        _Packed(
            _FORMAT,
            profile.entries,
            profile.purchases,
            profile.ratings,
            dict(sorted(profile.counters.items())),
            dict(sorted(profile.context.items())),
            profile.context_ms,
            profile.first_ms,
            profile.last_ms,
            profile.tags,
        )
    )
    return zlib.compress(packed, _LEVEL)


def decode(data: bytes, n: int = 0) -> Profile:
    """What encode() wrote, as row number n. Raises ValueError on anything else."""
    try:
        packed = _DECODE(zlib.decompress(data))
    except zlib.error as error:
        raise ValueError(f"not a profile: {error}") from None
    if packed.format != _FORMAT or len(packed.tags) % _TAG_BYTES:
        raise ValueError(f"not a profile of format {_FORMAT}: {bytes(data[:8])!r}")
    fields = {name: getattr(packed, name) for name in packed.__struct_fields__ if name != "format"}
    return Profile(**fields, n=n)


def stored(item: Mapping[str, Any] | None) -> Profile:
    """An item of the profiles table (attributes n and p), an empty profile for none. Raises ValueError if damaged."""
    return decode(item["p"], item["n"]) if item else Profile()


def numbered(profile: Profile, n: int) -> Profile:
    """The same in row number n."""
    return msgspec.structs.replace(profile, n=n)


def fold(
    profile: Profile, interactions: Sequence[Interaction], remember: int = REMEMBERED
) -> tuple[Profile, list[Interaction]]:
    """The profile with what is new of the interactions, and that, in order of time; n stays.

    remember: how many interactions the new profile knows again at least, besides all of these.
    """
    known = {profile.tags[at : at + _TAG_BYTES] for at in range(0, len(profile.tags), _TAG_BYTES)}
    recorded: list[Interaction] = []
    tags: list[bytes] = []
    for each in sorted(interactions, key=_order):  # so that the order of arrival makes no difference
        tag = blake2b(each.event_id.encode(), digest_size=_TAG_BYTES).digest()
        if tag not in known:
            known.add(tag)
            tags.append(tag)
            recorded.append(each)
    if not recorded:
        return profile, []
    entries = [Entry(each.item_id, milliseconds(each.time), each.kind, each.value) for each in recorded]
    times = [each.time_ms for each in entries]
    counters = Counter(profile.counters)
    counters.update(each.kind for each in entries)
    situations = [(profile.context_ms, sorted(profile.context.items()))]
    situations += [
        (time, sorted(each.context.items())) for time, each in zip(times, recorded, strict=True) if each.context
    ]
    context_ms, context = max(situations)
    new = Profile(
        entries=_newest(profile.entries, entries),
        purchases=_newest(profile.purchases, [each for each in entries if each.kind == "purchase"]),
        ratings=_newest(profile.ratings, [each for each in entries if each.kind == "rating"]),
        counters=dict(counters),
        context=dict(context),
        context_ms=context_ms,
        first_ms=min(profile.first_ms, *times) if profile.tags else min(times),
        last_ms=max(profile.last_ms, *times),
        tags=(profile.tags + b"".join(tags))[-_TAG_BYTES * max(remember, len(tags)) :],
        n=profile.n,
    )
    return new, recorded


def _order(each: Interaction) -> tuple[Any, ...]:
    """By time; all that is told of an interaction takes part, for those that share an event id by mistake."""
    return (
        milliseconds(each.time),
        each.event_id,
        *_rank(each.kind, each.value),
        each.item_id,
        sorted(each.context.items()),
    )


def _newest(kept: tuple[Entry, ...], new: Sequence[Entry]) -> tuple[Entry, ...]:
    """Of each item the newest entry, of those at one moment the strongest; the newest CAPACITY items."""
    if not new:
        return kept
    newest = {each.item: each for each in kept}
    for each in new:
        other = newest.get(each.item)
        if other is None or _key(each) > _key(other):
            newest[each.item] = each
    return tuple(sorted(newest.values(), key=_place)[:CAPACITY])


def _place(entry: Entry) -> tuple[int, str]:
    return -entry.time_ms, entry.item


def _key(entry: Entry) -> tuple[int, int, float]:
    return (entry.time_ms, *_rank(entry.kind, entry.value))


def _rank(kind: str, value: float | None) -> tuple[int, float]:
    return _STRENGTH[kind], -1.0 if value is None else value
