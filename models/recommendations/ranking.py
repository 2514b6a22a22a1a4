"""Item-item weights, popularity and a shape -> scores of any history: what is shipped, and the baselines beside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.recommendations.data import Histories
from models.recommendations.neighbours import Shape, profiles, strongest

NEIGHBOURS, FEWER_NEIGHBOURS, MANY_ITEMS = 200, 100, 50_000
"""Kept of each item; above MANY_ITEMS fewer, so that the file stays below 60 MB at 100,000 items."""
KNN_NEIGHBOURS = 1_000
"""Of the baseline: more than it gains from."""
PRIOR = 1e-6
"""Popularity orders what the profile says nothing about; below any weight that counts."""


@dataclass(frozen=True)
class Ranking:
    """weights: neighbours of each item, in float16's precision, the largest is 1; prior: of each item."""

    kind: str
    weights: sparse.csr_matrix
    prior: NDArray[np.float32]
    shape: Shape

    def scores(self, histories: Histories) -> NDArray[np.float32]:
        """float32 [users, items]."""
        found = profiles(histories, self.shape) @ self.weights
        return np.asarray(found.toarray(), np.float32) + self.prior

    def lists(self, histories: Histories, k: int) -> NDArray[np.int64]:
        """The k items with the best scores, best first [users, k], without those that the user has.

        Looks only at items that the profile speaks for, and at the popular ones where these are too few. Where there
        are fewer than k items, the rest are ones that the user has.
        """
        found = sparse.csr_matrix(profiles(histories, self.shape) @ self.weights)
        width = self.weights.shape[1]
        k = min(k, width)
        popular = np.argsort(-self.prior, kind="stable")
        spoken_for, had = np.zeros(width, bool), np.zeros(width, bool)
        lists = np.empty((len(histories.users), k), np.int64)
        for user in range(len(lists)):
            row = slice(found.indptr[user], found.indptr[user + 1])
            own = histories.items[histories.offsets[user] : histories.offsets[user + 1]]
            had[own] = True
            items = found.indices[row]
            new = ~had[items]
            items, scores = items[new], found.data[row][new] + self.prior[items[new]]
            if np.count_nonzero(scores > PRIOR) < k:
                spoken_for[items] = True
                some = popular[: k + len(items) + len(own)]
                some = some[~(spoken_for[some] | had[some])]
                spoken_for[items] = False
                items, scores = np.concatenate([items, some]), np.concatenate([scores, self.prior[some]])
            had[own] = False
            best = _first(items, scores, k)
            lists[user, : len(best)] = best
            lists[user, len(best) :] = own[: k - len(best)]
        return lists


def _first(items: NDArray[np.int64], scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """The k items with the highest scores, best first; of equal ones the lowest."""
    if len(items) > k:
        least = np.partition(scores, len(items) - k)[len(items) - k]
        items, scores = items[scores >= least], scores[scores >= least]
    return items[np.lexsort((items, -scores))][:k]


def kept_neighbours(items: int) -> int:
    """How many neighbours an item keeps."""
    return min(NEIGHBOURS if items <= MANY_ITEMS else FEWER_NEIGHBOURS, max(items - 1, 1))


def ranking(kind: str, weights: sparse.csr_matrix, counts: NDArray[np.int64], shape: Shape) -> Ranking:
    """Scaled and rounded as the file keeps them."""
    scale = float(np.abs(weights.data).max()) if weights.nnz else 1.0
    rounded = weights.copy()
    rounded.data = (weights.data / scale).astype(np.float16).astype(np.float32)
    prior = (PRIOR * counts / max(int(counts.max()), 1)).astype(np.float32)
    return Ranking(kind, rounded, prior, shape)


def popularity(train: Histories) -> Ranking:
    """The baseline that gives everybody the same list."""
    width = len(train.names)
    return ranking("popularity", sparse.csr_matrix((width, width), dtype=np.float32), train.counts, Shape())


def item_knn(train: Histories) -> Ranking:
    """The baseline of the literature: cosine of the items' users, a profile's items count alike, nothing is tuned."""
    taken = sparse.csr_matrix(
        (np.ones(len(train.items), np.float32), train.items, train.offsets),
        shape=(len(train.users), len(train.names)),
    )
    length = sparse.diags_array(1 / np.sqrt(np.maximum(train.counts, 1)).astype(np.float32))
    cosine = sparse.csr_matrix(length @ (taken.T @ taken) @ length)
    cosine.setdiag(0)
    cosine.eliminate_zeros()
    flat = Shape(fade=0.0, ageing=0.0)
    return ranking("item_knn", strongest(cosine, KNN_NEIGHBOURS), train.counts, flat)
