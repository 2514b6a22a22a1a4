"""What this process read lately, by key: fresh for a while, and better than nothing when it cannot be read again."""

from collections.abc import Iterable
from typing import Generic, TypeVar

V = TypeVar("V")


class Memory(Generic[V]):
    """At most `capacity` values; what was read longest ago goes first. Times in seconds, of one clock."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: dict[str, tuple[float, V]] = {}

    def put(self, key: str, value: V, now: float) -> None:
        """As read now."""
        self._kept.pop(key, None)
        self._kept[key] = (now, value)
        if len(self._kept) > self._capacity:
            del self._kept[next(iter(self._kept))]

    def stale(self, keys: Iterable[str], now: float, age_s: float) -> list[str]:
        """Those that were not read within the last age_s seconds, each once."""
        kept, since = self._kept, now - age_s
        return [key for key in dict.fromkeys(keys) if key not in kept or not since < kept[key][0] <= now]

    def last(self, keys: Iterable[str]) -> dict[str, V]:
        """As they were last read, however long ago; absent if they were not."""
        kept = self._kept
        return {key: kept[key][1] for key in keys if key in kept}
