"""What this process read lately, by key: fresh for a while, and better than nothing when it cannot be read again."""

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")


class Memory(Generic[V]):
    """At most `capacity` values; what was not asked for longest goes first. Times in seconds, of one clock."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, tuple[float, V]] = OrderedDict()

    def put(self, key: str, value: V, now: float) -> None:
        """As read now."""
        self._kept[key] = (now, value)
        self._kept.move_to_end(key)
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)

    def fresh(self, key: str, now: float, age_s: float) -> bool:
        """Was it read within the last age_s seconds?"""
        found = self._kept.get(key)
        return found is not None and 0 <= now - found[0] < age_s

    def last(self, key: str) -> V | None:
        """As it was last read, however long ago; None if it was not."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[1]

    def __contains__(self, key: str) -> bool:
        return key in self._kept
