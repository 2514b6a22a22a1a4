"""Shares of a reference and counts of now -> the population stability index: how far a distribution has moved.

PSI = sum over bins of (actual - expected) * ln(actual / expected), the symmetric Kullback-Leibler divergence of two
binned distributions (N. Siddiqi, Credit Risk Scorecards, 2006; S. Kullback, Information Theory and Statistics, 1959).
Rule of thumb: below 0.1 nothing happened, above 0.25 another population. Without any change n rows give about
(bins - 1) / n, so a few hundred rows are needed before it says anything.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import log

EPSILON = 1e-4
"""A share below it counts as this much, on both sides: an empty bin adds a lot, but not infinity."""


def psi(expected: Sequence[float], counts: Sequence[int]) -> float:
    """expected: shares of the reference's bins; counts: what was found in the same bins. 0 when nothing was found."""
    if len(expected) != len(counts):
        raise ValueError(f"{len(expected)} expected shares, {len(counts)} counts")
    total = sum(counts)
    if not total:
        return 0.0
    pairs = ((max(share, EPSILON), max(count / total, EPSILON)) for share, count in zip(expected, counts, strict=True))
    return sum((actual - share) * log(actual / share) for share, actual in pairs)


def counted(edges: Sequence[float], values: Iterable[float]) -> list[int]:
    """How many values each bin has. A value's bin is the number of edges below it: one that equals an edge is left."""
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[bisect_left(edges, value)] += 1
    return counts


def deciles(values: Sequence[float]) -> list[float]:
    """Inner edges of ten bins of equal shares, equal ones once; fewer where many values are the same."""
    ordered = sorted(values)
    cuts = sorted({ordered[len(ordered) * tenth // 10] for tenth in range(1, 10)}) if ordered else []
    return [cut for cut in cuts if cut < ordered[-1]]
