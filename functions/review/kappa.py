"""Who called a task what -> how far readers agree beyond chance: Cohen's and Fleiss' kappa with an interval.

J. Cohen, A coefficient of agreement for nominal scales (1960); J. L. Fleiss, Measuring nominal scale agreement among
many raters (1971). The interval is the jackknife's (B. Efron, The jackknife, the bootstrap and other resampling plans,
1982) over tasks, which holds for both and supposes nothing of how votes are distributed.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

_Z = 1.959964
"""97.5 % of the normal distribution."""

Votes = tuple[str, ...]
Statistic = Callable[[Mapping[Votes, int]], float | None]


class Kappa(NamedTuple):
    """value: 1 full agreement, 0 that of chance; None where all votes are one choice, so that chance agrees fully.

    low, high: 95 %; None for fewer than three tasks. observed: share of pairs of votes that agree.
    """

    value: float | None
    low: float | None
    high: float | None
    tasks: int
    observed: float | None


def cohen(pairs: Sequence[Votes]) -> Kappa:
    """Of two raters, each with a place of their own: [(a's choice, b's choice), ...]."""
    return _with_interval(pairs, _cohen)


def fleiss(votes: Sequence[Votes]) -> Kappa:
    """Of equally many raters a task, whoever they are: [(choice, choice, ...), ...]. Raises ValueError otherwise."""
    if len({len(each) for each in votes}) > 1 or any(len(each) < 2 for each in votes):
        raise ValueError("tasks need equally many votes, two at least")
    return _with_interval([tuple(sorted(each)) for each in votes], _fleiss)


def _with_interval(votes: Sequence[Votes], statistic: Statistic) -> Kappa:
    patterns, n = Counter(votes), len(votes)
    value = statistic(patterns)
    if value is None:
        return Kappa(None, None, None, n, _observed(patterns))
    spread = _jackknife(patterns, n, statistic) if n > 2 else None
    low, high = (max(-1.0, value - _Z * spread), min(1.0, value + _Z * spread)) if spread is not None else (None, None)
    return Kappa(value, low, high, n, _observed(patterns))


def _jackknife(patterns: Counter[Votes], n: int, statistic: Statistic) -> float | None:
    """Standard error: each task left out once; tasks with the same votes give the same."""
    without: list[tuple[float, int]] = []
    for pattern, times in patterns.items():
        left = Counter(patterns)
        left[pattern] -= 1
        value = statistic(+left)
        if value is None:
            return None
        without.append((value, times))
    mean = sum(value * times for value, times in without) / n
    return math.sqrt((n - 1) / n * sum(times * (value - mean) ** 2 for value, times in without))


def _cohen(patterns: Mapping[Votes, int]) -> float | None:
    n = sum(patterns.values())
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    for (a, b), times in patterns.items():
        first[a] += times
        second[b] += times
    expected = sum(first[choice] * second[choice] for choice in first) / n**2 if n else 1.0
    observed = _observed(patterns)
    return None if observed is None or expected >= 1 else (observed - expected) / (1 - expected)


def _fleiss(patterns: Mapping[Votes, int]) -> float | None:
    given: Counter[str] = Counter()
    for votes, times in patterns.items():
        for choice in votes:
            given[choice] += times
    total = sum(given.values())
    expected = sum((times / total) ** 2 for times in given.values()) if total else 1.0
    observed = _observed(patterns)
    return None if observed is None or expected >= 1 else (observed - expected) / (1 - expected)


def _observed(patterns: Mapping[Votes, int]) -> float | None:
    """Mean share of pairs of votes on one task that are alike."""
    n = sum(patterns.values())
    if not n:
        return None
    alike = 0.0
    for votes, times in patterns.items():
        raters = len(votes)
        same = sum(count * (count - 1) for count in Counter(votes).values())
        alike += times * same / (raters * (raters - 1))
    return alike / n
