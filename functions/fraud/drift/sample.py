"""Things with a key, any number of them, each maybe several times -> an even sample that fits into memory.

The ones with the smallest hashes stay (a bottom-k sketch: E. Cohen and H. Kaplan, "Summarizing data using bottom-k
sketches", PODC 2007). So each key has the same chance whatever the order, counts once, and the same input gives the
same sample.
"""

import heapq
from collections.abc import Iterator
from hashlib import blake2b
from typing import Generic, TypeVar

T = TypeVar("T")


class Sample(Generic[T]):
    """At most `size` values; the first one of a key stays."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: dict[int, T] = {}
        self._largest: list[int] = []  # a heap of negative hashes: the largest hash first
        self._full = False

    def add(self, key: str, value: T) -> None:
        """Offer a value."""
        number = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
        if number in self._kept or (self._full and number > -self._largest[0]):
            return
        self._kept[number] = value
        heapq.heappush(self._largest, -number)
        if len(self._largest) > self._size:
            del self._kept[-heapq.heappop(self._largest)]
            self._full = True

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def __iter__(self) -> Iterator[T]:
        """The values, in the order in which they came."""
        return iter(self._kept.values())

    @property
    def seen(self) -> int:
        """How many different keys were offered: exact while all are kept, an estimate afterwards."""
        if not self._full:
            return len(self._kept)
        return round((self._size - 1) * 2**64 / -self._largest[0])
