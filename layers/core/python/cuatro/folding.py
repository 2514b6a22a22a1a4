"""Parts of rows -> a table's rows, by compare-and-set; a part that is delivered again counts once.

A row has its key, `n` (its number, condition of every write), `p` (what readers want), `m` (marks of what was folded
lately, for writers) and `x` (expiry). It remembers the marks of the last quarter of an hour, so many at most as the
plan says (writes are paid by size): long enough for what Lambda delivers again. A crowd of writers beyond that may
have a part count twice.
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
class Folded:
    """failed: row -> why; what it lacks is to be delivered again. damaged: rows that were begun anew."""

    written: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)


class Plan(NamedTuple, Generic[T]):
    """key: the table's key attribute. fold: attribute p (None: no row yet) and new parts -> p.

    expires: row -> unix seconds at which it may go, if nobody writes it until then. marks: so many are remembered,
    and whatever one write folds.
    """

    table: str
    key: str
    fold: Callable[[bytes | None, Sequence[T]], bytes]
    expires: Callable[[str], int]
    now_s: int
    marks: int = MARKS


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


def fold(parts: Mapping[str, Mapping[bytes, T]], plan: Plan[T], dynamo: Dynamo) -> Folded:
    """Fold each row's parts (by their marks) into it. A round writes all that nobody else has written meanwhile."""
    folded = Folded()
    waiting = [key for key, some in parts.items() if some]
    for attempt in range(ROUNDS):
        if not waiting:
            return folded
        if attempt:
            backoff(attempt)
        try:
            found, unread = dynamo.read({plan.table: Keys(plan.key, waiting)})[plan.table]
        except Unavailable as error:
            folded.failed |= dict.fromkeys(waiting, str(error))
            return folded
        folded.failed |= dict.fromkeys(unread, "the row could not be read")
        statements = {}
        for key in waiting:
            statement = None if key in unread else _statement(key, found.get(key), parts[key], plan, folded)
            if statement:
                statements[key] = statement
        waiting = []
        for key, written in zip(statements, dynamo.write(list(statements.values())), strict=True):
            if written.status == "failed":
                folded.failed[key] = written.code
            elif written.status == "conflict":  # with another writer, or with this very write, whose answer was lost
                waiting.append(key)
            else:
                folded.written += 1
    folded.failed |= dict.fromkeys(waiting, "too many concurrent writers")
    return folded


def _statement(
    key: str, before: Item | None, parts: Mapping[bytes, T], plan: Plan[T], folded: Folded
) -> Statement | None:
    """None: all parts are in the row already, or change nothing."""
    p, groups = (before.get("p"), _groups(before.get("m"))) if before else (None, [])
    # As words: a thousand slices of bytes would cost more than all that is done with the row.
    seen = set(array("Q", b"".join([group.marks for group in groups])))
    fresh = {mark: part for mark, part in parts.items() if int.from_bytes(mark, sys.byteorder) not in seen}
    if not fresh:
        return None
    try:
        after = plan.fold(p, list(fresh.values()))
    except ValueError:  # a statistic that nobody can read is worth nothing: begin anew instead of stopping the stream
        folded.damaged.add(key)
        after = plan.fold(None, list(fresh.values()))
    if after == p:
        return None
    values: Item = {"p": after, "m": _remembered(groups, fresh, plan), "x": plan.expires(key)}
    if before:
        return change(plan.table, {"n": before["n"] + 1, **values}, {plan.key: key, "n": before["n"]})
    return insertion(plan.table, {plan.key: key, "n": 1, **values})


def _remembered(groups: Sequence[_Group], fresh: Collection[bytes], plan: Plan[T]) -> bytes:
    kept = [_Group(plan.now_s, b"".join(fresh))]
    room = plan.marks - len(fresh)
    for group in sorted(groups, key=lambda each: -each.time_s):  # the oldest are forgotten first
        room -= len(group.marks) // _MARK_BYTES
        if room < 0 or group.time_s < plan.now_s - REMEMBER_S:
            break
        kept.append(group)
    return _ENCODE(kept)


def _groups(m: bytes | None) -> list[_Group]:
    try:
        groups = _GROUPS.decode(m) if m else []
    except ValueError:
        return []
    return [group for group in groups if not len(group.marks) % _MARK_BYTES]
