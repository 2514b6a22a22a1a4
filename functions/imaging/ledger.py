"""Audit events and the newest entry -> the next entries, each with the hash of the one before; and back: is all there?

A hash chain (Haber and Stornetta, How to time-stamp a digital document, 1991): who changes, drops or
inserts an entry must write all that follow anew, and then the anchors, which lie in a locked bucket, do not fit.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from cuatro.audit import Action, AuditEvent, Result

CHAIN, ANCHORS = "ledger", "anchors"
"""Partition keys of the table: entries, and where the anchors are."""
GENESIS = "0" * 64
"""What the first entry has in place of a hash before it."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """seq: 1, 2, ... previous, hash: SHA-256 in hex. time: of the event; recorded: of the entry, RFC 3339."""

    seq: int
    id: str
    time: str
    recorded: str
    actor: str
    action: Action
    object: str
    outcome: Result
    purpose: str
    correlation: str
    details: dict[str, str | int]
    previous: str
    hash: str = ""


class Head(NamedTuple):
    """Where the chain ends."""

    seq: int = 0
    hash: str = GENESIS


class Broken(NamedTuple):
    """What does not hold at an entry.

    changed: the hash is not of what it says. unlinked: it does not follow the one before. missing: there is none where
    there should be. replaced: an anchor that was written again. differs: not what the anchor says. cut: the chain ends
    before its newest anchor.
    """

    seq: int
    why: Literal["changed", "unlinked", "missing", "replaced", "differs", "cut"]


_ENCODE = msgspec.json.Encoder(order="sorted").encode
_DECODER = msgspec.json.Decoder(Entry)
_EMPTY: dict[str, Any] = {
    **dict.fromkeys(("id", "time", "recorded", "actor", "object", "purpose", "correlation", "previous"), ""),
    "details": {},
}


def chained(head: Head, events: Sequence[AuditEvent], recorded: str) -> list[Entry]:
    """The entries that follow `head`. recorded: now, RFC 3339."""
    entries: list[Entry] = []
    for event in events:
        entry = Entry(
            seq=head.seq + 1, id=event.id, time=event.time, recorded=recorded, actor=event.actor, action=event.action,
            object=event.object, outcome=event.outcome, purpose=event.purpose, correlation=event.correlation,
            details=event.details, previous=head.hash,
        )  # fmt: skip
        entries.append(msgspec.structs.replace(entry, hash=digest(entry)))
        head = Head(entries[-1].seq, entries[-1].hash)
    return entries


def digest(entry: Entry) -> str:
    """SHA-256 of all fields but the hash, as JSON with sorted names and no spaces: any language can do it again."""
    fields = msgspec.structs.asdict(entry)
    del fields["hash"]
    return hashlib.sha256(_ENCODE(fields)).hexdigest()


def broken(entries: Iterable[Entry], head: Head = Head()) -> Iterator[Broken]:  # noqa: B008 - immutable
    """What is wrong with entries that should follow `head`, in the order of their numbers."""
    for entry in entries:
        if entry.seq != head.seq + 1:
            yield Broken(head.seq + 1, "missing")
        elif entry.previous != head.hash:
            yield Broken(entry.seq, "unlinked")
        if entry.hash != digest(entry):
            yield Broken(entry.seq, "changed")
        head = Head(entry.seq, entry.hash)


def unanchored(chain: Mapping[int, str], anchored: Iterable[Entry]) -> Iterator[Broken]:
    """Where the chain (hash by number) is not what was anchored: the table against the locked bucket."""
    last = max(chain, default=0)
    for entry in anchored:
        if entry.seq > last:
            yield Broken(entry.seq, "cut")
        elif chain.get(entry.seq) != entry.hash:
            yield Broken(entry.seq, "differs")


def row(entry: Entry) -> dict[str, Any]:
    """An item of the table; words that are empty are left out, since indexes hold none."""
    fields = {name: value for name, value in msgspec.structs.asdict(entry).items() if value not in ("", {})}
    return {"chain": CHAIN, **fields}


def entry_of(item: dict[str, Any]) -> Entry:
    """An item that no entry makes becomes an entry whose hash cannot hold, so that the chain shows it and goes on."""
    try:
        return msgspec.convert({**_EMPTY, **item}, Entry)
    except msgspec.ValidationError:
        return Entry(**_EMPTY, seq=item["seq"], action="refuse", outcome="failed", hash=str(item.get("hash", "")))


def lines(entries: Iterable[Entry]) -> bytes:
    """One JSON document a line."""
    return b"".join(_ENCODE(entry) + b"\n" for entry in entries)


def entries_of(content: bytes) -> list[Entry]:
    """Of an anchor. Raises msgspec.MsgspecError."""
    return [_DECODER.decode(line) for line in content.splitlines() if line]


def anchor_key(entry: Entry) -> str:
    """Of the object that ends with this entry: in the order of listings."""
    return f"{CHAIN}/{entry.seq:012d}.jsonl"
