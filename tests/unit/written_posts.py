"""What is written of a simulated brand, by the minute, and how it is judged at a moment."""

import math
import random
from collections.abc import Callable

from functions.sentiment.alerts import Brand, Judged, State, judged, near_min, since_min
from functions.sentiment.policy import Alerts
from functions.sentiment.statistic import DAY_MIN

POLICY = Alerts()
START = 29_000_000 // DAY_MIN * DAY_MIN
Counts = tuple[int, int, int]


def drawn(chance: random.Random, rate: float, negative: float) -> Counts:
    """A minute's posts: Poisson (Knuth), and which of them are negative."""
    limit, posts, product = math.exp(-rate), 0, chance.random()
    while product > limit:
        posts += 1
        product *= chance.random()
    return posts, posts, sum(chance.random() < negative for _ in range(posts))


def written(minutes: int, rate: Callable[[int], float], seed: int, negative: float = 0.25) -> dict[int, Counts]:
    chance = random.Random(seed)
    return {START + minute: drawn(chance, rate(minute), negative) for minute in range(minutes)}


def look(state: State, minutes: dict[int, Counts], now: int, policy: Alerts = POLICY) -> Judged:
    """Judged in the middle of the unix minute `now`, knowing what was written until then."""
    now_s = now * 60 + 30
    first, (near, near_end) = since_min(state, now_s, policy), near_min(now_s)
    known = {
        minute: counts
        for minute, counts in minutes.items()
        if minute <= now and (minute >= first or near <= minute <= near_end)
    }
    return judged(Brand("northwind", state, known, now_s, policy))


def crisis(minutes: dict[int, Counts], begin: int, end: int, posts: int = 10, negative: int = 8) -> None:
    minutes |= dict.fromkeys(range(begin, end), (posts, posts, negative))
