"""A list that was shown, and what its user did with it <-> one item of the Lists table, whose stream fills the lake.

l = what was served, compressed JSON, written once with n = 1; f = the feedback kept, each (kind, item) once; d = the
outbox: the lake's lines that this very write added, empty with the first. Every change is conditional on n.
"""

import zlib
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.adapters.partiql import Statement, change, insertion

Source = Literal["model", "popular", "new", "similar"]
FeedbackKind = Literal["impression", "click"]


class ServedItem(msgspec.Struct, frozen=True, gc=False):
    """An item of a list, and why. because: what the user took that speaks for it.

    propensity: its probability at this place, given that this list explored; 1 wherever nothing was left to chance.
    among: the context (key=value) that it is popular in.
    """

    item: str
    score: float
    because: str | None
    source: Source
    propensity: float = 1.0
    among: str | None = None


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A new item that could have been at the explored place, with its probability there; they add up to 1."""

    item: str
    propensity: float


class ShadowList(msgspec.Struct, frozen=True):
    """What a second model would have shown, made in the same way but without exploration."""

    version: str
    items: tuple[str, ...]


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A list as it was shown. served_at: RFC 3339. explored: place (1 is the first) of the item left to chance.

    model_version: "popular" where no model had a say. A field may be added, with a default.
    """

    version: Literal[1] = 1
    list_id: str
    user_id: str
    served_at: str
    arm: str
    experiment: str
    model_version: str
    context: dict[str, str]
    items: tuple[ServedItem, ...]
    explored: int | None = None
    candidates: tuple[Candidate, ...] = ()
    shadow: ShadowList | None = None
    latency_ms: float


class Place(msgspec.Struct, frozen=True, gc=False):
    """An item of a list and where it stood, 1 is the first."""

    item: str
    place: int


class FeedbackRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """Items of a list were seen or clicked for the first time; time: RFC 3339, as the client said."""

    version: Literal[1] = 1
    list_id: str
    user_id: str
    event_id: str
    kind: FeedbackKind
    items: tuple[Place, ...]
    time: str
    arm: str
    experiment: str


class Kept(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Feedback that a list has."""

    kind: FeedbackKind
    item: str


class Stored(NamedTuple):
    """A list with its feedback. number: of its last write."""

    served: Served
    kept: list[Kept]
    number: int


class Added(NamedTuple):
    """recorded: the new feedback, None if the list had all of it. known: items of the list; unknown: the others."""

    recorded: FeedbackRecorded | None
    known: tuple[str, ...]
    unknown: tuple[str, ...]


_ENCODE = msgspec.json.Encoder().encode
_SERVED = msgspec.json.Decoder(Served).decode
_KEPT = msgspec.json.Decoder(list[Kept]).decode
_RECORDED = msgspec.json.Decoder(list[FeedbackRecorded]).decode
NOTHING_ADDED = b"[]"
_LEVEL = 1  # the names of a list repeat: higher levels find little more


def insert(table: str, served: Served, expires: int) -> Statement:
    """The list's first write. expires: unix seconds."""
    item = {"list_id": served.list_id, "n": 1, "l": _packed(served), "f": b"[]", "d": NOTHING_ADDED, "x": expires}
    return insertion(table, item)


def stored(item: Item) -> Stored:
    """An item of the table. Raises msgspec.DecodeError."""
    return Stored(_unpacked(item["l"]), _KEPT(item["f"]), item["n"])


def served(item: Item) -> Served:
    """What was served, of an item or a stream's image. Raises msgspec.DecodeError."""
    return _unpacked(item["l"])


def added_feedback(item: Item) -> list[FeedbackRecorded]:
    """What the last write of an item (or a stream's image) added. Raises msgspec.DecodeError."""
    return _RECORDED(item["d"])


def line(recorded: Served | FeedbackRecorded) -> bytes:
    """The lake's line, without its end."""
    return _ENCODE(recorded)


def added(before: Stored, kind: FeedbackKind, items: Sequence[str], event_id: str, time: str) -> Added:
    """What this feedback adds to a list: each (kind, item) counts once, items of other lists do not."""
    places = {each.item: place for place, each in enumerate(before.served.items, 1)}
    had = {each.item for each in before.kept if each.kind == kind}
    wanted = dict.fromkeys(items)
    known = tuple(item for item in wanted if item in places)
    new = tuple(Place(item, places[item]) for item in known if item not in had)
    unknown = tuple(item for item in wanted if item not in places)
    if not new:
        return Added(None, known, unknown)
    recorded = FeedbackRecorded(
        list_id=before.served.list_id,
        user_id=before.served.user_id,
        event_id=event_id,
        kind=kind,
        items=new,
        time=time,
        arm=before.served.arm,
        experiment=before.served.experiment,
    )
    return Added(recorded, known, unknown)


def keep(table: str, before: Stored, recorded: FeedbackRecorded) -> Statement:
    """The write that adds it, a conflict if somebody else's came first."""
    kept = [*before.kept, *(Kept(recorded.kind, each.item) for each in recorded.items)]
    values = {"f": _ENCODE(kept), "d": _ENCODE([recorded]), "n": before.number + 1}
    return change(table, values, {"list_id": before.served.list_id, "n": before.number})


def _packed(served: Served) -> bytes:
    """A quarter of the JSON's bytes, and every write and change of an item is paid by its size."""
    return zlib.compress(_ENCODE(served), _LEVEL)


def _unpacked(data: bytes) -> Served:
    try:
        return _SERVED(zlib.decompress(data))
    except zlib.error as error:
        raise msgspec.DecodeError(f"not a list: {error}") from None
