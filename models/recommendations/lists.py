"""Lists and what was wanted -> recall, NDCG, coverage, popularity bias; how sure a gain is, and who loses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuatro.ranking import Ranked
from models.recommendations.contender import Case

RESAMPLES, LOWER = 1_000, 0.05
FEWEST = 150
"""Cases without which a group's figure is noise: it is reported, and does not count."""
RARE = 10
"""Rows in training below which an item is rare."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """figures: recall and NDCG at 10 and 20 (means over users), coverage_10, popularity_bias_10.

    gains: NDCG@10 of each case; of_user: the same by user [users].
    """

    figures: dict[str, float]
    gains: Floats
    of_user: Floats

    @property
    def users(self) -> int:
        """How many."""
        return len(self.of_user)


def measured(cases: Sequence[Case], lists: Sequence[Ranked], popularity: dict[str, int]) -> Measured:
    """An item that a model does not know is a miss. coverage_10: of the items in training, how many are in a first ten.

    popularity_bias_10: mean rows in training of what is shown over that of what people took; items that nobody took are
    left out, and 0 is told when a model shows nothing else.
    """
    places = np.array(
        [
            ranked.items.index(case.wanted) if case.wanted in ranked.items else len(ranked.items) + 100
            for case, ranked in zip(cases, lists, strict=True)
        ]
    )
    _, user = np.unique([case.user for case in cases], return_inverse=True)
    many = np.bincount(user)
    figures: dict[str, float] = {}
    gains: dict[int, Floats] = {}
    for k in (10, 20):
        gains[k] = np.where(places < k, 1 / np.log2(places + 2), 0.0)
        figures[f"recall_{k}"] = float((np.bincount(user, places < k) / many).mean())
        figures[f"ndcg_{k}"] = float((np.bincount(user, gains[k]) / many).mean())
    shown = [item for ranked in lists for item in ranked.items[:10] if item in popularity]
    figures["coverage_10"] = len(set(shown)) / len(popularity)
    rows = np.array(list(popularity.values()), float)
    taken = float((rows**2).sum() / rows.sum())
    figures["popularity_bias_10"] = float(np.mean([popularity[item] for item in shown])) / taken if shown else 0.0
    return Measured(figures, gains[10], np.bincount(user, gains[10]) / many)


def lower_gain(before: Measured, after: Measured, seed: int = 7) -> float:
    """The 5 % quantile of the gain in NDCG@10, by a paired bootstrap over users: both see the same draws."""
    rng = np.random.default_rng(seed)
    gain = after.of_user - before.of_user
    means = [float(gain[rng.integers(0, len(gain), len(gain))].mean()) for _ in range(RESAMPLES)]
    return float(np.quantile(means, LOWER))


def slices(
    cases: Sequence[Case], before: Measured, after: Measured, popularity: dict[str, int]
) -> tuple[dict[str, Any], float, str]:
    """NDCG@10 of both by how much is known of somebody and by what they wanted.

    Then the largest loss among groups with enough cases (0 if none loses), and its group.
    """
    known = np.array([len(case.taken) for case in cases])
    rows = np.array([popularity.get(case.wanted, 0) for case in cases])
    groups = {
        "nothing taken before": known == 0,
        "1 or 2 taken before": (known >= 1) & (known <= 2),
        "3 to 9 taken before": (known >= 3) & (known <= 9),
        "10 or more taken before": known >= 10,
        "wanted a rare item": rows < RARE,
        "wanted another item": rows >= RARE,
    }
    told: dict[str, Any] = {}
    worst, where = 0.0, ""
    for name, mask in groups.items():
        count = int(mask.sum())
        if not count:
            continue
        one, other = float(before.gains[mask].mean()), float(after.gains[mask].mean())
        told[name] = {"cases": count, "champion": one, "challenger": other}
        if count >= FEWEST and one - other > worst:
            worst, where = one - other, name
    return told, worst, where
