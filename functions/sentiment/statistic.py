"""Posts of a brand by the minute -> windows, and how far each is above what the brand's own past makes expected.

Both statistics are made to vary by 1 where nothing happens, so that one threshold serves every brand. Volume:
Anscombe's transform of a Poisson count, 2 sqrt(x + 3/8) (Biometrika 35, 1948). Share of negative posts: the arcsine
transform of a binomial share with Anscombe's correction (the same paper). What varies more than chance, since people
write because others do, is divided by its own scale: the median absolute deviation, times 1.4826 (Hampel, JASA 69,
1974), for volume of each past window from the median of the hour before it, so that brands whose posts come in bursts
need a larger one, and the hours of the day blow nothing up. Medians pass by what was in less than half of the past.
"""

from collections.abc import Mapping, Sequence
from math import asin, sqrt
from statistics import median
from typing import Literal, NamedTuple

Kind = Literal["spike", "shift"]
KINDS: tuple[Kind, ...] = ("spike", "shift")
Minutes = Mapping[int, tuple[int, int, int]]
"""Unix minute -> (posts, those that have a class, the negative ones of these)."""

DAY_MIN = 1_440
HISTORY_MIN = 60
"""So much of a brand's past must be known."""
NEAR_MIN = 60
"""Just before, and around the same time of another day: what the hour of the day makes expected."""
LEAST_RISE = 1.5
LEAST_SHIFT = 0.1
"""What is beyond chance may still be nothing to wake somebody for: at least so many times, so much more."""
_MAD = 1.4826
_LEAST_CLASSED = 30
_LEAST_HOURS = 3
_LEAST_DEVIATIONS = 12


class Window(NamedTuple):
    """start: unix minute, a multiple of the width."""

    start: int
    posts: int
    classed: int
    negative: int


class Reading(NamedTuple):
    """Of one window. value, baseline: posts, or the share of negative ones. score: standard deviations.

    notable: it has enough posts, and is enough above the baseline, to be a reason for an alert.
    """

    window: Window
    value: float
    baseline: float
    score: float
    notable: bool


class Past(NamedTuple):
    """Windows of `width` minutes before the ones that are judged, in order; some may be left out.

    near: those around the same time of the day before, and of the week before, as far as known.
    """

    width: int
    windows: Sequence[Window]
    near: Sequence[Sequence[Window]] = ()


def grouped(minutes: Minutes, width: int) -> dict[int, Window]:
    """Windows of `width` minutes that have posts, by their start."""
    sums: dict[int, tuple[int, int, int]] = {}
    for minute, (posts, classed, negative) in minutes.items():
        start = minute // width * width
        before = sums.get(start, (0, 0, 0))
        sums[start] = before[0] + posts, before[1] + classed, before[2] + negative
    return {start: Window(start, *sums[start]) for start in sums}


def windows(groups: Mapping[int, Window], first: int, end: int, width: int) -> list[Window]:
    """All of [first, end), unix minutes, both multiples of width, also those without posts."""
    return [groups.get(start) or Window(start, 0, 0, 0) for start in range(first, end, width)]


def read(kind: Kind, judged: Sequence[Window], past: Past, least: int) -> list[Reading]:
    """A reading each. least: posts that a notable window has. Empty: the past is too short or too thin to judge by."""
    if len(past.windows) * past.width < HISTORY_MIN:
        return []
    return _spike(judged, past, least) if kind == "spike" else _shift(judged, past, least)


def _spike(judged: Sequence[Window], past: Past, least: int) -> list[Reading]:
    raised = [_anscombe(each.posts) for each in past.windows]
    hour = max(1, NEAR_MIN // past.width)
    just_before = raised[-hour:]
    near = [[_anscombe(each.posts) for each in some] for some in past.near if some]
    level = max(median(some) for some in (raised, just_before, *near))
    surprises = [abs(now - median(raised[place - hour : place])) for place, now in enumerate(raised) if place >= hour]
    scale = max(1.0, _MAD * median(surprises)) if surprises else 1.0
    expected = max(0.0, (level / 2) ** 2 - 3 / 8)
    readings = []
    for each in judged:
        notable = each.posts >= least and each.posts >= LEAST_RISE * expected
        score = (_anscombe(each.posts) - level) / scale
        readings.append(Reading(each, float(each.posts), expected, score, notable))
    return readings


def _anscombe(count: int) -> float:
    return 2 * sqrt(max(0, count) + 3 / 8)


def _shift(judged: Sequence[Window], past: Past, least: int) -> list[Reading]:
    usual = _usual_share(past.windows, least)
    if usual is None:
        return []
    # Also of windows with few posts: those with many are too often the ones of a crisis.
    deviations = [abs(_deviation(each, usual)) for each in past.windows if each.classed > 0]
    scale = max(1.0, _MAD * median(deviations)) if len(deviations) >= _LEAST_DEVIATIONS else 1.0
    readings = []
    for each in judged:
        share = each.negative / each.classed if each.classed > 0 else usual
        notable = each.classed >= least and share >= usual + LEAST_SHIFT
        readings.append(Reading(each, share, usual, _deviation(each, usual) / scale, notable))
    return readings


def _usual_share(past: Sequence[Window], least: int) -> float | None:
    """Of negative posts: the median of the hours that have enough; of all together where few have; None: too few."""
    hours: dict[int, tuple[int, int]] = {}
    for each in past:
        classed, negative = hours.get(each.start // 60, (0, 0))
        hours[each.start // 60] = classed + each.classed, negative + each.negative
    shares = [negative / classed for classed, negative in hours.values() if classed >= least]
    if len(shares) >= _LEAST_HOURS:
        return median(shares)
    classed = sum(each.classed for each in past)
    return sum(each.negative for each in past) / classed if classed >= _LEAST_CLASSED else None


def _deviation(window: Window, usual: float) -> float:
    """Standard deviations of a binomial share above the usual one."""
    if window.classed <= 0:
        return 0.0
    share = (min(max(window.negative, 0), window.classed) + 3 / 8) / (window.classed + 3 / 4)
    return 2 * sqrt(window.classed + 1 / 2) * (asin(sqrt(share)) - asin(sqrt(usual)))
