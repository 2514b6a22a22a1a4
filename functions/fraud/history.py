"""What a card or a terminal did lately: transactions and fraud labels -> one bounded, packed state -> windows.

Promises: a transaction counts once, whatever the order of arrival; everything is an exact integer, so that training and
serving compute the same bits; the newest CAPACITY transactions (at least CAPACITY - MERGED) are kept one by one, older
ones in buckets whose width grows with age. Windows are exact as far as the single transactions reach back, and exact to
one bucket beyond.
"""

import hashlib
import struct
from array import array
from bisect import insort
from typing import Self

HOUR = 3600
DAY = 24 * HOUR

CAPACITY = 72
"""Transactions kept one by one."""
MERGED = 24
"""How many of the oldest go to buckets when there are more than CAPACITY: merging now and then is cheaper."""
HORIZON = 38 * DAY
"""Buckets older than this go to the lifetime totals: the longest window and its label delay, and a day of lateness."""
RETENTION = 90 * DAY
"""A state without a transaction for this long may be deleted."""
MAX_AMOUNT = 10_000_000
"""Minor units. Larger amounts count as this one: squares of 92,000 such amounts still fit in 64 bits."""
MAX_FRAUDS = 64
TAGS_ALWAYS, TAGS_AT_MOST = 32, 256

_FORMAT = 1
_HEADER = struct.Struct("<BxHHHHxxIqqqq")
_WIDTHS = ((HOUR, 120), (DAY, HOUR), (8 * DAY, 6 * HOUR), (HORIZON, DAY))
"""(age below which, bucket width), seconds; each width divides the next, so that buckets only ever coarsen."""


def tag_of(transaction_id: str) -> int:
    """64 bits that stand for a transaction: two of a million share one with probability 3e-8."""
    return int.from_bytes(hashlib.blake2b(transaction_id.encode(), digest_size=8).digest(), "little")


class History:
    """State of one card or one terminal.

    singles   sorted, one word each: time << 32 | amount
    buckets   four words each, sorted by start: start, count, sum, sum of squares
    frauds    three words each, sorted by transaction time: tag, time << 32 | known_at, amount in % of the usual
    tags      of the transactions folded last, in order of arrival, with tag_times
    past      count, sum, sum of squares of what is older than HORIZON, and the number of forgotten frauds
    """

    __slots__ = ("buckets", "frauds", "newest", "past", "singles", "tag_times", "tags")

    def __init__(self) -> None:
        self.newest = 0
        self.past = (0, 0, 0, 0)
        self.singles: array[int] = array("Q")
        self.buckets: array[int] = array("q")
        self.frauds: array[int] = array("Q")
        self.tags: array[int] = array("Q")
        self.tag_times: array[int] = array("I")

    @classmethod
    def unpack(cls, blob: bytes | None) -> Self:
        """Read what pack() wrote; None or empty is a new state. Raises ValueError on anything else."""
        if not blob:
            return cls()
        if len(blob) < _HEADER.size or blob[0] != _FORMAT:
            raise ValueError(f"not a history of format {_FORMAT}: {bytes(blob[:8])!r}")
        _, singles, buckets, frauds, tags, newest, *past = _HEADER.unpack_from(blob)
        a = _HEADER.size
        b = a + 8 * singles
        c = b + 32 * buckets
        d = c + 24 * frauds
        e = d + 8 * tags
        if e + 4 * tags != len(blob):
            raise ValueError(f"history of {len(blob)} bytes, expected {e + 4 * tags}")
        self = cls.__new__(cls)
        self.newest, self.past = newest, (past[0], past[1], past[2], past[3])
        self.singles = array("Q", blob[a:b])
        self.buckets = array("q", blob[b:c])
        self.frauds = array("Q", blob[c:d])
        self.tags = array("Q", blob[d:e])
        self.tag_times = array("I", blob[e:])
        return self

    def pack(self) -> bytes:
        """Little endian, 48 bytes and 8 a transaction, 32 a bucket, 24 a fraud, 12 a tag."""
        header = _HEADER.pack(
            _FORMAT,
            len(self.singles),
            len(self.buckets) // 4,
            len(self.frauds) // 3,
            len(self.tags),
            self.newest,
            *self.past,
        )
        return b"".join((header, self.singles, self.buckets, self.frauds, self.tags, self.tag_times))

    def __contains__(self, tag: int) -> bool:
        """Was this transaction folded already? Known for the last 32 arrivals, and up to 256 of the last 24 hours."""
        # Bytes are searched ten times as fast as an array, but a match may lie across two tags.
        wanted, tags = tag.to_bytes(8, "little"), self.tags.tobytes()
        at = tags.find(wanted)
        while at % 8 and at >= 0:
            at = tags.find(wanted, at + 1)
        return at >= 0

    def __len__(self) -> int:
        """Number of transactions ever folded."""
        return self.past[0] + sum(self.buckets[1::4]) + len(self.singles)

    @property
    def expires_at(self) -> int:
        """Unix seconds after which the state is worth nothing."""
        return self.newest + RETENTION

    def add(self, tag: int, time: int, amount: int) -> None:
        """Fold one transaction: unix seconds, minor units of the base currency. Nothing happens if the tag is known."""
        if tag in self:
            return
        single = time << 32 | min(amount, MAX_AMOUNT)
        singles = self.singles
        if not singles or single >= singles[-1]:
            singles.append(single)
        else:
            insort(singles, single)
        if time > self.newest:  # noqa: PLR1730 - max() costs three times as much
            self.newest = time
        self.tags.append(tag)
        self.tag_times.append(time)
        if len(self.tags) > TAGS_ALWAYS:
            self._forget()
        if len(singles) > CAPACITY:
            self._merge()

    def label(self, tag: int, time: int, known_at: int, fraud: bool, ratio: float = 1.0) -> None:
        """Learn whether the transaction of `time` was fraud, as known from `known_at` on. Last call for a tag wins.

        ratio: its amount over the card's usual one, the feature card_profile_ratio of its row. Only frauds are kept: a
        transaction without a label counts as genuine once the feedback delay has passed.
        """
        frauds = self.frauds
        known = tag in frauds[0::3]
        if known and not fraud:
            at = 3 * frauds[0::3].index(tag)
            del frauds[at : at + 3]
        if known or not fraud:
            return
        at = len(frauds)
        while at and frauds[at - 2] >> 32 > time:
            at -= 3
        frauds[at:at] = array("Q", (tag, time << 32 | known_at, round(100 * min(ratio, MAX_AMOUNT))))
        if len(frauds) > 3 * MAX_FRAUDS:
            del frauds[:3]
            self.past = (*self.past[:3], self.past[3] + 1)

    def _forget(self) -> None:
        drop, end, times = 0, len(self.tags), self.tag_times
        while end - drop > TAGS_ALWAYS and (end - drop > TAGS_AT_MOST or times[drop] < self.newest - DAY):
            drop += 1
        if drop:
            del self.tags[:drop], times[:drop]

    def _merge(self) -> None:
        oldest = self.singles[:MERGED]
        del self.singles[:MERGED]
        old = self.buckets
        rows = list(zip(old[0::4], old[1::4], old[2::4], old[3::4], strict=True))
        rows += [(single >> 32, 1, single & 0xFFFFFFFF, (single & 0xFFFFFFFF) ** 2) for single in oldest]
        merged: dict[int, tuple[int, int, int]] = {}
        count, total, squares, frauds = self.past
        for time, n, s, q in rows:
            age = self.newest - time
            width = next((width for below, width in _WIDTHS if age < below), 0)
            if not width:
                count, total, squares = count + n, total + s, squares + q
                continue
            start = time - time % width
            n0, s0, q0 = merged.get(start, (0, 0, 0))
            merged[start] = (n0 + n, s0 + s, q0 + q)
        # 64 bits hold a lifetime of anything real; a forged stream of huge amounts must not make the state unreadable.
        self.past = (count, min(total, 1 << 62), min(squares, 1 << 62), frauds)
        self.buckets = array("q", (word for start in sorted(merged) for word in (start, *merged[start])))
