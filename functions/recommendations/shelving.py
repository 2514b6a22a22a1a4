"""Parts of shelves -> the shelves table, by compare-and-set; a part that is delivered again counts once.

A shelf remembers the marks of what was folded into it in the last quarter of an hour, 512 at most (its writes are paid
by size): long enough for what Lambda delivers again. A crowd of writers beyond that may have an interaction count
twice, in a number that decays.
"""

import sys
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Generic, NamedTuple, TypeVar

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.adapters.aws import backoff
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.partiql import Statement, change, insertion
from cuatro.errors import Unavailable

T = TypeVar("T")

ROUNDS = 8
"""Rounds of compare-and-set against other writers."""
REMEMBER_S = 900
MARKS = 512
_MARK_BYTES = 8


@dataclass
class Shelved:
    """failed: shelf -> why; what it lacks is to be delivered again. damaged: shelves that were begun anew."""

    written: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)


class Plan(NamedTuple, Generic[T]):
    """fold: attribute p (None: no shelf yet) and new parts -> p. lasts_s: how long a shelf lives without a write."""

    table: str
    fold: Callable[[bytes | None, Sequence[T]], bytes]
    lasts_s: int
    now_s: int


class _Group(msgspec.Struct, array_like=True, gc=False):
    """Marks that were folded in one write."""

    time_s: int
    marks: bytes


_ENCODE = msgspec.msgpack.Encoder().encode
_GROUPS = msgspec.msgpack.Decoder(list[_Group])


def mark_of(*words: str | bytes | int) -> bytes:
    """8 bytes that stand for a delivery: two of a million share them with probability 3e-8."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    text = b"".join(len(part).to_bytes(4, "little") + part for part in parts)
    return blake2b(text, digest_size=_MARK_BYTES).digest()


def shelve(parts: Mapping[str, Mapping[bytes, T]], plan: Plan[T], dynamo: Dynamo) -> Shelved:
    """Fold each shelf's parts (by their marks) into it. A round writes all that nobody else has written meanwhile."""
    shelved = Shelved()
    waiting = [key for key, some in parts.items() if some]
    for attempt in range(ROUNDS):
        if not waiting:
            return shelved
        if attempt:
            backoff(attempt)
        try:
            found, unread = dynamo.read({plan.table: Keys("shelf", waiting)})[plan.table]
        except Unavailable as error:
            shelved.failed |= dict.fromkeys(waiting, str(error))
            return shelved
        shelved.failed |= dict.fromkeys(unread, "the shelf could not be read")
        statements = {}
        for key in waiting:
            statement = None if key in unread else _statement(key, found.get(key), parts[key], plan, shelved)
            if statement:
                statements[key] = statement
        waiting = []
        for key, written in zip(statements, dynamo.write(list(statements.values())), strict=True):
            if written.status == "failed":
                shelved.failed[key] = written.code
            elif written.status == "conflict":  # with another writer, or with this very write, whose answer was lost
                waiting.append(key)
            else:
                shelved.written += 1
    shelved.failed |= dict.fromkeys(waiting, "too many concurrent writers")
    return shelved


def _statement(
    key: str, before: Item | None, parts: Mapping[bytes, T], plan: Plan[T], shelved: Shelved
) -> Statement | None:
    """None: all parts are on the shelf already, or change nothing."""
    p, groups = (before.get("p"), _groups(before.get("m"))) if before else (None, [])
    # As words: a thousand slices of bytes would cost more than all that is done with the shelf.
    seen = set(array("Q", b"".join([group.marks for group in groups])))
    fresh = {mark: part for mark, part in parts.items() if int.from_bytes(mark, sys.byteorder) not in seen}
    if not fresh:
        return None
    try:
        after = plan.fold(p, list(fresh.values()))
    except ValueError:  # a statistic that nobody can read is worth nothing: begin anew instead of stopping the stream
        shelved.damaged.add(key)
        after = plan.fold(None, list(fresh.values()))
    if after == p:
        return None
    values: Item = {"p": after, "m": _remembered(groups, fresh, plan.now_s), "x": plan.now_s + plan.lasts_s}
    if before:
        return change(plan.table, {"n": before["n"] + 1, **values}, {"shelf": key, "n": before["n"]})
    return insertion(plan.table, {"shelf": key, "n": 1, **values})


def _remembered(groups: Sequence[_Group], fresh: Collection[bytes], now_s: int) -> bytes:
    kept = [_Group(now_s, b"".join(fresh))]
    room = MARKS - len(fresh)
    for group in sorted(groups, key=lambda each: -each.time_s):  # the oldest are forgotten first
        room -= len(group.marks) // _MARK_BYTES
        if room < 0 or group.time_s < now_s - REMEMBER_S:
            break
        kept.append(group)
    return _ENCODE(kept)


def _groups(m: bytes | None) -> list[_Group]:
    try:
        groups = _GROUPS.decode(m) if m else []
    except ValueError:
        return []
    return [group for group in groups if not len(group.marks) % _MARK_BYTES]
