"""Simulated brands, week after week -> how often they raise a false alarm, and how soon a crisis is found.

`python -m benchmarks.alerting [--weeks N] [--policy JSON]`: a table for docs/sentiment.md, about three minutes of CPU
with one week each. Nothing of AWS is in it: the judgement that `watch` makes, each quarter of an hour (each minute for
a crisis), over posts that are drawn. Posts of a minute are Poisson around a rate, the negative ones of them binomial
around a share of a quarter that wanders (an AR(1) of its logit, deviation 0.3, half forgotten in 42 minutes).
"""

import argparse
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from functions.sentiment.alerts import Brand, Judged, State, judged, near_min, since_min
from functions.sentiment.policy import Alerts, Policy

DAY_MIN = 1_440
START = 29_000_000 // DAY_MIN * DAY_MIN
SHAPES = ("steady", "day and night", "office hours", "quiet weekends", "bursts")
SIZES = (0.5, 5, 50, 500)
"""Posts in five minutes, on the average of a usual hour."""
CRISES = {"4 times the posts, 70 % negative": (4, 0.7), "10 times, 80 % negative": (10, 0.8)}
_SHARE = 0.25


class Crisis(NamedTuple):
    """begin: minute of the simulation. times: so many times the posts."""

    begin: int
    times: float
    share: float
    minutes: int = 120


def wandering(minutes: int, deviation: float, memory_min: float, chance: np.random.Generator) -> NDArray[np.float64]:
    """AR(1) with mean 0."""
    kept = math.exp(-1 / memory_min)
    steps = chance.normal(0, deviation * math.sqrt(1 - kept * kept), minutes)
    values = np.zeros(minutes)
    for minute in range(1, minutes):
        values[minute] = kept * values[minute - 1] + steps[minute]
    return values


def rates(shape: str, size: float, minutes: int, chance: np.random.Generator) -> NDArray[np.float64]:
    """Posts a minute."""
    at = np.arange(minutes)
    rate = np.full(minutes, size / 5)
    if shape in {"day and night", "quiet weekends", "bursts"}:
        rate = rate * (1 + 0.9 * np.sin(2 * np.pi * at / DAY_MIN))
    if shape == "office hours":
        rate = rate * np.where((at % DAY_MIN >= 540) & (at % DAY_MIN < 1_080), 1.0, 0.02)
    if shape == "quiet weekends":
        rate = rate * np.where(at // DAY_MIN % 7 >= 5, 0.3, 1.0)
    if shape == "bursts":
        rate = rate * np.exp(wandering(minutes, 0.5, 30, chance) - 0.125)
    return rate


def written(shape: str, size: float, days: int, seed: int, crisis: Crisis | None) -> dict[int, tuple[int, int, int]]:
    """Unix minute -> posts, classed, negative."""
    chance = np.random.default_rng(seed)
    minutes = days * DAY_MIN
    rate = rates(shape, size, minutes, chance)
    share = 1 / (1 + np.exp(-(math.log(_SHARE / (1 - _SHARE)) + wandering(minutes, 0.3, 60, chance))))
    if crisis:
        within = slice(crisis.begin, crisis.begin + crisis.minutes)
        rate[within] *= crisis.times
        share[within] = crisis.share
    posts = chance.poisson(rate)
    negative = chance.binomial(posts, share)
    return {START + at: (int(posts[at]), int(posts[at]), int(negative[at])) for at in np.flatnonzero(posts).tolist()}


def follow(
    minutes: dict[int, tuple[int, int, int]], moments: Sequence[int], policy: Alerts
) -> Iterator[tuple[int, Judged]]:
    """Judged at the end of each of these minutes of the simulation."""
    state = State(since=START)
    keys = np.array(sorted(minutes))
    for moment in moments:
        now_s = (START + moment) * 60
        near, near_end = near_min(now_s)
        ranges = ((near, near_end + 1), (since_min(state, now_s, policy), START + moment))
        wanted = [keys[slice(*np.searchsorted(keys, each))].tolist() for each in ranges]
        found = judged(Brand("b", state, {key: minutes[key] for some in wanted for key in some}, now_s, policy))
        state = found.state
        yield moment, found


def false_alarms(shape: str, size: float, weeks: int, policy: Alerts) -> Counter[str]:
    """By kind, of all weeks; two days before them are known."""
    minutes = written(shape, size, 2 + 7 * weeks, seed=3, crisis=None)
    moments = range(2 * DAY_MIN, (2 + 7 * weeks) * DAY_MIN, 15)
    return Counter(alert.kind for _, found in follow(minutes, moments, policy) for alert in found.raised)


def minutes_to_alert(shape: str, size: float, times: float, share: float, policy: Alerts) -> list[int | None]:
    """Of five crises in the late morning of the fourth day, each at another minute; None: not found in two hours."""
    delays = []
    for seed in range(5):
        crisis = Crisis(3 * DAY_MIN + 600 + 37 * seed, times, share)
        minutes = written(shape, size, 4, seed, crisis)
        moments = range(crisis.begin - 60, crisis.begin + crisis.minutes)
        raised = (now - crisis.begin for now, found in follow(minutes, moments, policy) if found.raised)
        delays.append(next((delay for delay in raised if delay >= 0), None))
    return delays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=1)
    parser.add_argument("--policy", default="{}", help='the alerts of a POLICY, such as {"raise_at": 4}')
    given = parser.parse_args()
    policy = Policy.from_json(f'{{"alerts": {given.policy}}}').alerts
    print("| posts in 5 minutes | " + " | ".join(SHAPES) + " |")  # noqa: T201 - what it is for
    print("|" + " --- |" * (len(SHAPES) + 1))  # noqa: T201
    for size in SIZES:
        cells = []
        for shape in SHAPES:
            found = false_alarms(shape, size, given.weeks, policy)
            cells.append(f"{found['spike'] / given.weeks:g} + {found['shift'] / given.weeks:g}")
        print(f"| {size:g} | " + " | ".join(cells) + " |", flush=True)  # noqa: T201
    for name, (times, share) in CRISES.items():
        print(f"\nMinutes until a crisis is found ({name}):", flush=True)  # noqa: T201
        for size in SIZES:
            for shape in ("steady", "bursts"):
                delays = minutes_to_alert(shape, size, times, share, policy)
                shown = ", ".join("not" if each is None else str(each) for each in delays)
                print(f"- {size:g} posts in 5 minutes, {shape}: {shown}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
