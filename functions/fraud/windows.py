"""The histories of a batch as flat arrays -> totals of any window of every row, by subtraction of running sums."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

UNUSUAL = 220
"""An amount above this percentage of the usual one stands out."""

_ROW = 1 << 33  # keys are row * _ROW + unix seconds: one sorted array for the histories of all rows

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = tuple[bytes, bytes, bytes]
"""singles, buckets, frauds of a History."""


class Totals(NamedTuple):
    """Of windows; int64 [..., rows]."""

    number: Ints
    sum: Ints
    squares: Ints

    def mean(self) -> Floats:
        """Major units; 0 if empty."""
        return np.asarray(self.sum / np.maximum(self.number, 1) / 100)

    def deviation(self) -> Floats:
        """Population standard deviation, major units; 0 below two transactions."""
        number = np.maximum(self.number, 1)
        mean = self.sum / number
        return np.asarray(np.sqrt(np.maximum(self.squares / number - mean * mean, 0)) / 100)


class Past:
    """The histories of all rows as flat arrays, with sums from the left: a window is a difference of two of them."""

    def __init__(self, words: list[Words], time: Ints) -> None:
        self.time = time
        self.base = np.arange(len(words), dtype=np.int64) * _ROW
        singles = np.frombuffer(b"".join([word[0] for word in words]), np.int64)
        lengths = np.array([len(word[0]) // 8 for word in words])
        self.rows = np.repeat(np.arange(len(words)), lengths)
        self.start = lengths.cumsum() - lengths
        self.amounts = singles & 0xFFFFFFFF
        self.keys = (singles >> 32) + self.base[self.rows]
        self._sums = _running(None, self.amounts, self.amounts * self.amounts)
        self.end = self.until(time)

        buckets = np.frombuffer(b"".join([word[1] for word in words]), np.int64).reshape(-1, 4)
        self._bucket_keys = np.repeat(self.base, [len(word[1]) // 32 for word in words]) + buckets[:, 0]
        self._bucket_sums = _running(buckets[:, 1], buckets[:, 2], buckets[:, 3])

    def until(self, time: Ints) -> Ints:
        """Index after each row's last single transaction not later than `time` [..., rows]."""
        return np.asarray(self.keys.searchsorted(self.base + time, "right"))

    def between(self, low: Ints, high: Ints | None = None) -> Totals:
        """Totals of low < time <= high, both [..., rows]; high defaults to the row's own time."""
        high = np.broadcast_to(self.time if high is None else high, low.shape)
        totals = self._sums[:, self.until(high)] - self._sums[:, self.until(low)]
        if len(self._bucket_keys):
            last, first = (self._bucket_keys.searchsorted(self.base + edge, "right") for edge in (high, low))
            totals = totals + (self._bucket_sums[:, last] - self._bucket_sums[:, first])
        return Totals(*totals)

    def usual(self) -> Totals:
        """Single transactions without those that stand out: what is above UNUSUAL of the mean is left out, twice."""
        number, total = self._sums[:2, self.end] - self._sums[:2, self.start]
        ordinary = ~self.above(number, total)
        sums = _running(ordinary, self.amounts * ordinary)
        number, total = sums[:, self.end] - sums[:, self.start]
        ordinary = ~self.above(number, total)
        amounts = self.amounts * ordinary
        sums = _running(ordinary, amounts, amounts * amounts)
        return Totals(*(sums[:, self.end] - sums[:, self.start]))

    def above(self, number: Ints, total: Ints) -> NDArray[np.bool_]:
        """Which single transactions stand out from a usual amount of total / number of their row."""
        limit = UNUSUAL * total // np.maximum(100 * number, 1)
        return np.asarray(self.amounts > limit[self.rows])

    def largest(self, first: Ints) -> Ints:
        """Largest amount of each row's single transactions from index `first` up to its time; 0 if there is none."""
        edges = np.stack((first, self.end), axis=1).ravel()
        found = np.maximum.reduceat(np.append(self.amounts, 0), edges)[::2]
        return np.where(first < self.end, found, 0)

    def counted(self, chosen: NDArray[np.bool_]) -> Ints:
        """[entries + 1]: how many of the single transactions are chosen, from the left."""
        return np.asarray(_running(chosen)[0])


def _running(*columns: NDArray[np.int64 | np.bool_] | None) -> Ints:
    """[columns, entries + 1]: sums from the left, of ones for None. They may wrap at 64 bits; differences are right."""
    entries = max(len(column) for column in columns if column is not None)
    sums = np.zeros((len(columns), entries + 1), np.int64)
    for row, column in zip(sums, columns, strict=True):
        if column is None:
            row[:] = np.arange(entries + 1)
        else:
            np.cumsum(column, out=row[1:])
    return sums
