"""Weighted profiles, neighbours and what was held back -> Recall, NDCG, coverage and popularity bias, all items ranked.

The items of a user's training rows are masked. An item that nobody has in training ranks last: a miss.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.recommendations.data import Held, Histories

CUTOFFS = (10, 20)
BLOCK = 1_000
"""Users at a time."""
Lister = Callable[[Histories, int], NDArray[np.int64]]
"""Items, best first [users, k] for the users of some Histories, without the items that these hold."""


@dataclass
class Tally:
    """Sums over users, and what was shown; figures() makes the metrics of them."""

    popularity: NDArray[np.int64]
    users: int = 0
    recall: dict[int, float] = field(default_factory=lambda: dict.fromkeys(CUTOFFS, 0.0))
    ndcg: dict[int, float] = field(default_factory=lambda: dict.fromkeys(CUTOFFS, 0.0))
    shown: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.shown = np.zeros(len(self.popularity), np.int64)

    def add(self, lists: NDArray[np.int64], held: sparse.csr_matrix) -> None:
        """lists: items, best first [users, 20]; held: 1 where a user's item was held back, [users, items + 1]."""
        users = np.repeat(np.arange(len(lists)), lists.shape[1])
        hits = np.asarray(held[users, lists.ravel()], float).reshape(lists.shape)
        wanted = np.asarray(held.sum(axis=1)).ravel()
        gains = 1 / np.log2(np.arange(2, lists.shape[1] + 2))
        best = np.concatenate([[0], np.cumsum(gains)])
        for k in CUTOFFS:
            self.recall[k] += float((hits[:, :k].sum(axis=1) / wanted).sum())
            ideal = best[np.minimum(wanted, min(k, lists.shape[1])).astype(int)]
            self.ndcg[k] += float((hits[:, :k] @ gains[:k] / ideal).sum())
        self.users += len(lists)
        self.shown += np.bincount(lists[:, :10].ravel(), minlength=len(self.shown))

    def figures(self) -> dict[str, float]:
        """recall_k (the hit rate where one item is held back), ndcg_k, coverage_10, popularity_bias_10.

        coverage_10: share of the items that are in somebody's first ten. popularity_bias_10: how popular (rows in
        training) a recommended item is on average, over the same for what users take themselves; 1 is no bias.
        """
        result = {}
        for k in CUTOFFS:
            result[f"recall_{k}"] = self.recall[k] / self.users
            result[f"ndcg_{k}"] = self.ndcg[k] / self.users
        taken = self.popularity / self.popularity.sum()
        recommended = self.shown / self.shown.sum()
        result["coverage_10"] = float((self.shown > 0).mean())
        result["popularity_bias_10"] = float((recommended @ self.popularity) / (taken @ self.popularity))
        return {name: round(float(value), 5) for name, value in result.items()}


def measured(lister: Lister, profiles: Histories, held: Held, popularity: NDArray[np.int64]) -> dict[str, float]:
    """Figures of what makes lists. profiles: what it is given of each user, and may not recommend.

    popularity: rows of each item in training, for the bias.
    """
    tally = Tally(popularity)
    width = len(popularity)
    truth = sparse.csr_matrix(
        (np.ones(len(held.rows), np.float32), (held.rows, np.where(held.items < 0, width, held.items))),
        shape=(len(held.users), width + 1),
    )
    for start in range(0, len(held.users), BLOCK):
        part = slice(start, start + BLOCK)
        tally.add(lister(profiles.of(held.users[part]), max(CUTOFFS)), truth[part])
    return tally.figures()
