"""Audit events -> the ledger's next entries, each event once; entries that have no anchor yet -> the locked bucket."""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from cuatro.adapters import blobs
from cuatro.adapters.chain import Chain
from cuatro.audit import AuditEvent
from cuatro.errors import Unavailable
from functions.imaging import ledger
from functions.imaging.ledger import Entry, Head

LOOKED_BACK = 50
"""A batch that comes again is the next that comes (the queue is FIFO, with one group), so its events are among the
newest entries: Lambda takes at most 10 from such a queue."""
ATTEMPTS = 5
ENTRIES_PER_ANCHOR = 1_000


class Appended(NamedTuple):
    """head: of the chain now. new: events that were not in it. sound: are the newest entries what their hashes say?"""

    head: Head
    new: list[AuditEvent]
    sound: bool


def append(chain: Chain, events: Sequence[AuditEvent], recorded: str) -> Appended:
    """All of the events or none. recorded: now, RFC 3339. Raises Unavailable or Refused.

    A chain that is not sound goes on all the same: what happens next must be told too.
    """
    for _ in range(ATTEMPTS):
        newest = [ledger.entry_of(item) for item in reversed(chain.newest(ledger.CHAIN, LOOKED_BACK))]
        head = Head(newest[-1].seq, newest[-1].hash) if newest else Head()
        before = Head(newest[0].seq - 1, newest[0].previous) if newest else Head()
        sound = not any(ledger.broken(newest, before))
        known = {entry.id for entry in newest}
        new = list({event.id: event for event in events if event.id not in known}.values())
        entries = ledger.chained(head, new, recorded)
        if not entries or chain.append([ledger.row(entry) for entry in entries]):
            return Appended(Head(entries[-1].seq, entries[-1].hash) if entries else head, new, sound)
    raise Unavailable("others append to the ledger at the same time")


def anchor(chain: Chain, bucket: str, recorded: str) -> int:
    """Entries since the last anchor -> an object each thousand of them; how many entries.

    The object comes first, then its row: what happens between the two makes a second object, of the same entries and
    more. Raises Unavailable or Refused.
    """
    last = chain.newest(ledger.ANCHORS, 1)
    entries = (ledger.entry_of(item) for item in chain.rows(ledger.CHAIN, last[0]["seq"] if last else 0))
    anchored = 0
    while part := list(islice(entries, ENTRIES_PER_ANCHOR)):
        _anchored(chain, bucket, part, recorded)
        anchored += len(part)
    return anchored


def _anchored(chain: Chain, bucket: str, part: Sequence[Entry], recorded: str) -> None:
    blobs.create(bucket, ledger.anchor_key(part[-1]), ledger.lines(part), "application/x-ndjson")
    chain.append(
        [{"chain": ledger.ANCHORS, "seq": part[-1].seq, "hash": part[-1].hash, "first": part[0].seq, "time": recorded}]
    )
