"""Logs of a place that was left to chance -> what another rule for that place would have earned, with intervals.

Each log line has the items that could have stood there with their probabilities, the one that did, and its reward. That
is enough for an unbiased estimate, whatever the rule that filled the log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
STRENGTH = 20.0
"""An item's rate begins as that of all items, with the weight of so many showings."""
RESAMPLES = 1000
_CELLS = 4_000_000
"""Users times resamples that are in memory at once."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Line(NamedTuple):
    """One list's explored place. candidates: item -> probability there, the chosen one too; they add up to 1."""

    user: str
    chosen: str
    reward: float
    candidates: Mapping[str, float]


@dataclass(frozen=True)
class Log:
    """Lines as arrays. Candidates of all lines lie one after the other: those of line i from start[i] on.

    user, chosen: codes, chosen as position among all candidates. line: the line of each candidate.
    """

    users: int
    user: Ints
    reward: Floats
    chosen: Ints
    start: Ints
    line: Ints
    item: Ints
    propensity: Floats

    @classmethod
    def of(cls, lines: Sequence[Line]) -> "Log":
        """Raises ValueError for a line whose chosen item is no candidate, or whose probabilities are none."""
        users: dict[str, int] = {}
        items: dict[str, int] = {}
        starts: list[int] = []
        chosen: list[int] = []
        item: list[int] = []
        propensity: list[float] = []
        for number, line in enumerate(lines):
            names = list(line.candidates)
            odds = list(line.candidates.values())
            if line.chosen not in line.candidates or min(odds) <= 0 or abs(sum(odds) - 1) > 1e-3:
                raise ValueError(f"line {number}: {line.chosen!r} of {line.candidates} says nothing of probabilities")
            starts.append(len(item))
            chosen.append(len(item) + names.index(line.chosen))
            item += [items.setdefault(name, len(items)) for name in names]
            propensity += odds
        lengths = np.diff([*starts, len(item)])
        return cls(
            users=len({line.user for line in lines}),
            user=np.array([users.setdefault(line.user, len(users)) for line in lines], np.int64),
            reward=np.array([line.reward for line in lines], np.float64),
            chosen=np.array(chosen, np.int64),
            start=np.array(starts, np.int64),
            line=np.repeat(np.arange(len(lines)), lengths),
            item=np.array(item, np.int64),
            propensity=np.array(propensity, np.float64),
        )

    def __len__(self) -> int:
        return len(self.reward)


class Value(NamedTuple):
    """Reward a list that the rule would have earned, with its interval. effective: lines' worth of evidence."""

    value: float
    lower: float
    upper: float
    effective: float


class Values(NamedTuple):
    """By method. ips: unbiased, wide. snips: a little biased, narrower. robust: doubly robust, the one to read."""

    ips: Value
    snips: Value
    robust: Value


def uniform(log: Log) -> Floats:
    """The rule that gives every candidate the same chance: probability of each candidate."""
    return (1 / np.bincount(log.line, minlength=len(log)))[log.line]


def logged(log: Log) -> Floats:
    """The rule that filled the log."""
    return log.propensity


def greedy(log: Log, rates: Floats) -> Floats:
    """The rule that shows the candidate of the highest rate; equals share. rates: of each candidate, see rates()."""
    best = np.maximum.reduceat(rates, log.start)
    top = (rates == best[log.line]).astype(np.float64)
    return top / np.add.reduceat(top, log.start)[log.line]


def rates(log: Log) -> Floats:
    """Each candidate's reward as other users' lines tell it (cross-fitted by user, shrunk to the mean of all)."""
    fold = log.user % FOLDS
    shown = log.item[log.chosen]
    found = np.empty(len(log.item))
    for each in range(FOLDS):
        others = fold != each
        size = int(log.item.max()) + 1
        count = np.bincount(shown[others], minlength=size)
        total = np.bincount(shown[others], log.reward[others], minlength=size)
        mean = float(log.reward[others].mean()) if others.any() else 0.0
        mine = ~others[log.line]
        found[mine] = ((total + STRENGTH * mean) / (count + STRENGTH))[log.item[mine]]
    return found


def worth(log: Log, rule: Floats, expected: Floats, seed: int = 0, alpha: float = 0.05) -> Values:
    """What a rule (probability of each candidate, adding up to 1 a line) would have earned a list.

    expected: rates(); only `robust` uses it. Intervals: percentiles of RESAMPLES bootstraps over users.
    IPS: Horvitz and Thompson 1952; self-normalised: Swaminathan and Joachims, NeurIPS 2015; doubly robust: Dudik,
    Langford and Li, ICML 2011. Raises ValueError for an empty log.
    """
    if not len(log):
        raise ValueError("no list left its place to chance")
    weight = rule[log.chosen] / log.propensity[log.chosen]
    model = np.add.reduceat(rule * expected, log.start)
    robust = model + weight * (log.reward - expected[log.chosen])
    columns = (weight * log.reward, robust, weight, np.ones(len(log)))
    sums = np.stack([np.bincount(log.user, column, minlength=log.users) for column in columns])
    chance = np.random.default_rng(seed)
    even = np.full(log.users, 1 / log.users)
    rows = max(1, _CELLS // log.users)
    drawn = np.concatenate(
        [
            chance.multinomial(log.users, even, size=min(rows, RESAMPLES - at)) @ sums.T
            for at in range(0, RESAMPLES, rows)
        ]
    )
    whole = sums.sum(axis=1)
    effective = float(weight.sum() ** 2 / (weight**2).sum()) if weight.any() else 0.0

    def value(top: int, bottom: int) -> Value:
        if not whole[bottom]:  # the log never did what the rule would do
            return Value(float("nan"), float("nan"), float("nan"), effective)
        with np.errstate(invalid="ignore", divide="ignore"):
            lower, upper = np.nanquantile(drawn[:, top] / drawn[:, bottom], [alpha / 2, 1 - alpha / 2])
        return Value(float(whole[top] / whole[bottom]), float(lower), float(upper), effective)

    return Values(ips=value(0, 3), snips=value(0, 2), robust=value(1, 3))
