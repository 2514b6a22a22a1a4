"""Histories -> for each item the items that people take after it, weighted: the candidate that scales.

Directed co-occurrence in the order of time: two items of a user count by how many steps lie between them, forward fully
and backward in part; popular items are damped at both ends. A profile is weighted by recency. It is the session-based
item-kNN family (Ludewig and Jannach 2018, "Evaluation of session-based recommendation algorithms"; S-SKNN, SR) with the
normalisation of Deshpande and Karypis 2004 as free exponents. Memory grows with the pairs that occur, not with items
squared.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.recommendations.data import Histories

WINDOW = 50
"""Steps between two items of a user, beyond which they say nothing about each other; bounds the pairs."""
PROFILE = 100
"""So many of the newest items of a profile count."""
PAIRS_AT_A_TIME = 8_000_000


@dataclass(frozen=True)
class Shape:
    """What validation chooses. Defaults are in the middle of what is flat on several data sets."""

    fade: float = 1.0
    """A profile's item weighs (1 + newer items) ** -fade."""
    backward: float = 0.35
    """What a pair against the order of time counts; 1 is symmetric."""
    distance: float = 0.5
    """A pair counts steps ** -distance."""
    source: float = 0.3
    """Damping of the item that is in the profile: rows ** -source."""
    target: float = 0.3
    """Damping of the item that is recommended: rows ** -target; less means more popular lists."""
    ageing: float = 0.0
    """A profile's item weighs (1 + days before the newest) ** -ageing too, where times are known."""


def co_occurrence(histories: Histories, distance: float) -> sparse.csr_matrix:
    """[items, items]: row i, column j: how often, and how soon, j was taken after i."""
    width = len(histories.names)
    total = sparse.csr_matrix((width, width), dtype=np.float32)
    for first, second, steps in _pairs(histories):
        total = total + sparse.csr_matrix((steps.astype(np.float32) ** -distance, (first, second)), (width, width))
    return total


def _pairs(histories: Histories) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Earlier item, later item, steps between them."""
    items, left = histories.items, histories.places
    firsts, seconds, distances, waiting = [], [], [], 0
    for steps in range(1, WINDOW + 1):
        rows = np.flatnonzero(left >= steps)
        if not len(rows):
            break
        firsts.append(items[rows])
        seconds.append(items[rows + steps])
        distances.append(np.full(len(rows), steps))
        waiting += len(rows)
        if waiting > PAIRS_AT_A_TIME:
            yield np.concatenate(firsts), np.concatenate(seconds), np.concatenate(distances)
            firsts, seconds, distances, waiting = [], [], [], 0
    if firsts:
        yield np.concatenate(firsts), np.concatenate(seconds), np.concatenate(distances)


def normalised(forward: sparse.csr_matrix, counts: NDArray[np.int64], shape: Shape) -> sparse.csr_matrix:
    """The weights of neighbours: forward and backward pairs, damped by popularity."""
    both = forward if shape.backward == 0 else forward + (np.float32(shape.backward) * forward.T).tocsr()
    rows = np.maximum(counts, 1).astype(np.float32)
    source, target = rows**-shape.source, rows**-shape.target
    damped = both.data * np.repeat(source, np.diff(both.indptr)) * target[both.indices]
    return sparse.csr_matrix((damped.astype(np.float32), both.indices, both.indptr), shape=both.shape)


def profiles(histories: Histories, shape: Shape) -> sparse.csr_matrix:
    """[users, items]: what each item of a history weighs now."""
    weights = recency(histories.places, histories.ages if histories.timed else None, shape)
    weights[histories.places >= PROFILE] = 0
    table = (weights.astype(np.float32), histories.items, histories.offsets)
    return sparse.csr_matrix(table, shape=(len(histories.users), len(histories.names)))


def recency(places: NDArray[np.int64], ages: NDArray[np.float64] | None, shape: Shape) -> NDArray[np.float64]:
    """Weights of items with `places` newer ones, `ages` days before the newest."""
    weights = (1.0 + places) ** -shape.fade
    return weights if ages is None or shape.ageing == 0 else weights * (1.0 + np.maximum(ages, 0)) ** -shape.ageing


def strongest(weights: sparse.csr_matrix, most: int) -> sparse.csr_matrix:
    """Of each row the `most` entries with the largest weights; of equal ones the first."""
    weights = weights.tocsr()
    kept = np.ones(weights.nnz, bool)
    for row in np.flatnonzero(np.diff(weights.indptr) > most):
        part = slice(weights.indptr[row], weights.indptr[row + 1])
        values = weights.data[part]
        least = np.partition(values, len(values) - most)[len(values) - most]
        chosen = values > least
        chosen[np.flatnonzero(values == least)[: most - np.count_nonzero(chosen)]] = True
        kept[part] = chosen
    pointers = np.concatenate([[0], np.cumsum(kept)])[weights.indptr]
    return sparse.csr_matrix((weights.data[kept], weights.indices[kept], pointers), shape=weights.shape)
