"""Contestants -> CPU time of each run, interleaved in a new random order every round.

The clock is the process's CPU time: what neighbours on the machine use is not in it, what a contestant's helper threads
use is. Between two busy neighbours absolute figures move by a factor of two, ratios of one run by a quarter.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
A_SECOND = 10
"""Pace of single events."""


@dataclass(frozen=True)
class Contestant:
    """`run` does the job once; `times` is how often in a row it does so in each round."""

    name: str
    run: Callable[[], object]
    times: int = 1


def interleaved(
    contestants: list[Contestant], rounds: int, not_theirs: Callable[[], int] = lambda: 0, seed: int = 1
) -> dict[str, list[int]]:
    """CPU nanoseconds of each run by name, `rounds * times` of them, after two unmeasured runs.

    not_theirs: nanoseconds so far that must not be charged to a contestant (the stub's own work).
    """
    spent: dict[str, list[int]] = {contestant.name: [] for contestant in contestants}
    for contestant in contestants:
        for _ in range(2):
            contestant.run()
    order = random.Random(seed)
    for _ in range(rounds):
        for contestant in order.sample(contestants, len(contestants)):
            gc.collect()
            gc.disable()
            for _ in range(contestant.times):
                start, before = time.process_time_ns(), not_theirs()
                contestant.run()
                spent[contestant.name].append(time.process_time_ns() - start - (not_theirs() - before))
            gc.enable()
    return spent


def p50(values: list[int]) -> float:
    """The median."""
    return statistics.median(values)


def p10(values: list[int]) -> float:
    """The tenth percentile: what the contestant does when nothing disturbs it."""
    return statistics.quantiles(values, n=10, method="inclusive")[0] if len(values) > 1 else values[0]


def paced(things: Iterable[T]) -> Iterator[T]:
    """Each of them, A_SECOND."""
    begin = time.perf_counter()
    for number, one in enumerate(things):
        time.sleep(max(0.0, begin + number / A_SECOND - time.perf_counter()))
        yield one


def quantiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """p50_ms and p99_ms."""
    cuts = statistics.quantiles(milliseconds, n=100, method="inclusive")
    return {"p50_ms": cuts[49], "p99_ms": cuts[98]}
