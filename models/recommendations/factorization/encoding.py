"""Histories -> rows for a factorization machine: a profile and one item, which was taken next (1) or was not (0).

Columns [0, n) are the item in question, [n, 2n) the profile before it, weighted by recency with sum 1: so a profile
that the training never saw can be scored, and a new interaction counts without a retraining.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.recommendations.data import Histories
from models.recommendations.neighbours import Shape, recency

NEGATIVES = 4
"""Items that were not taken, for each that was."""
NEWEST = 20
"""So many items of a profile are in a row."""
FADE = 1.0
"""The usual recency: an item weighs (1 + newer items) ** -FADE."""
SMOOTHING = 0.5
"""Negatives are drawn by popularity to this power."""
Floats = NDArray[np.float32]


def encoded(histories: Histories, fade: float, seed: int) -> tuple[sparse.csr_matrix, Floats]:
    """Rows float32 [m, 2n] and labels float32 [m]; every interaction but a user's first is one positive."""
    rng = np.random.default_rng(seed)
    width = len(histories.names)
    before = np.arange(len(histories.items)) - np.repeat(histories.offsets[:-1], histories.lengths)
    wanted = np.flatnonzero(before > 0)
    if not len(wanted):
        raise ValueError("nobody has two interactions: there is nothing to learn from")
    profile = _profiles(histories, wanted, before[wanted], fade)
    chance = histories.counts.astype(float) ** SMOOTHING
    drawn = rng.choice(width, size=(len(wanted), NEGATIVES), p=chance / chance.sum())
    asked = np.column_stack([histories.items[wanted], drawn]).ravel()
    rows = np.repeat(np.arange(len(wanted)), 1 + NEGATIVES)
    item = sparse.csr_matrix(
        (np.ones(len(asked), np.float32), asked, np.arange(len(asked) + 1)), shape=(len(asked), width)
    )
    labels = np.tile(np.array([1] + [0] * NEGATIVES, np.float32), len(wanted))
    # What was drawn though it is what was taken is no negative.
    kept = (labels > 0) | (asked != np.repeat(histories.items[wanted], 1 + NEGATIVES))
    return sparse.csr_matrix(sparse.hstack([item, profile[rows]]).tocsr()[kept], dtype=np.float32), labels[kept]


def _profiles(
    histories: Histories, wanted: NDArray[np.int64], before: NDArray[np.int64], fade: float
) -> sparse.csr_matrix:
    """[wanted, n]: the newest items before each of these rows."""
    rows, columns, weights = [], [], []
    for step in range(1, NEWEST + 1):
        some = np.flatnonzero(before >= step)
        rows.append(some)
        columns.append(histories.items[wanted[some] - step])
        weights.append(np.full(len(some), (1.0 + step - 1) ** -fade, np.float32))
    table = sparse.csr_matrix(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))),
        shape=(len(wanted), len(histories.names)),
    )
    return sparse.csr_matrix(sparse.diags_array(1 / np.asarray(table.sum(axis=1)).ravel()) @ table, dtype=np.float32)


def profiles(histories: Histories, fade: float) -> sparse.csr_matrix:
    """[users, n]: everybody's profile as it stands, in the rows' terms."""
    weights = recency(histories.places, None, Shape(fade=fade))
    weights[histories.places >= NEWEST] = 0
    table = sparse.csr_matrix(
        (weights.astype(np.float32), histories.items, histories.offsets),
        shape=(len(histories.users), len(histories.names)),
    )
    total = np.maximum(np.asarray(table.sum(axis=1)).ravel(), 1e-12)
    return sparse.csr_matrix(sparse.diags_array(1 / total) @ table, dtype=np.float32)
