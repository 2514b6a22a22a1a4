"""Held-out logits of both branches -> the scale, the n-grams' share and the shifts that make probabilities of them.

Fitted on posts held out of training, whose classes are weighted to be equally frequent in every language: what comes
out is the probability where no class is rarer than another, and the largest of them serves macro recall.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

UNSURE_SHARE = 0.18
"""Of the held-out posts are unsure."""

Array = NDArray[np.float64]


class Calibration(NamedTuple):
    """probabilities = softmax(scale * (logits + shift) + share * votes)."""

    scale: float
    share: float
    shift: Array

    def probabilities(self, logits: NDArray[np.float32], votes: NDArray[np.float32]) -> Array:
        """[n, 3] of [n, 3] and [n, 3]."""
        return softmax(self.scale * (logits + self.shift) + self.share * votes)


def calibrated(
    logits: NDArray[np.float32], votes: NDArray[np.float32], labels: NDArray[np.int64], groups: NDArray[np.str_]
) -> Calibration:
    """Least weighted cross-entropy. groups: the language of each post."""
    weights = balanced(labels, groups)
    rows = np.arange(len(labels))

    def loss(x: Array) -> float:
        shift = np.append(x[2:], -x[2:].sum())
        total = np.exp(x[0]) * (logits + shift) + x[1] * votes
        total = total - total.max(axis=1, keepdims=True)
        return float(-(weights * (total[rows, labels] - np.log(np.exp(total).sum(axis=1)))).sum())

    found = minimize(
        loss, np.array([0.0, 0.1, 0.0, 0.0]), method="Nelder-Mead", options={"maxiter": 2000, "xatol": 1e-4}
    ).x
    return Calibration(float(np.exp(found[0])), float(found[1]), np.append(found[2:], -found[2:].sum()))


def balanced(labels: NDArray[np.int64], groups: NDArray[np.str_]) -> Array:
    """Weights by which every class of every language counts the same; their mean is 1."""
    weights = np.zeros(len(labels))
    for group in np.unique(groups):
        for label in range(3):
            which = (groups == group) & (labels == label)
            weights[which] = (groups == group).sum() / max(which.sum(), 1)
    return weights / weights.mean()


def unsure_below(probabilities: Array, share: float = UNSURE_SHARE) -> float:
    """The largest probability under which the least certain `share` of the posts is."""
    return round(float(np.quantile(probabilities.max(axis=1), share)), 4)


def softmax(x: Array) -> Array:
    """Of the last axis."""
    grown = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True), np.float64)
