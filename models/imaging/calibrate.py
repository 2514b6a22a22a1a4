"""Logits of patients that no training saw -> scale and shift of the logit, the threshold and the unsure band.

Platt's scaling ("Probabilistic Outputs for Support Vector Machines", 1999) on each held-out image as it is and as
other hospitals might have made it: sharp probabilities that hold for this hospital alone would be too sure elsewhere.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

SENSITIVITY = 0.97
"""Of held-out pneumonias at the threshold. The aim elsewhere is 0.95 or more; normal images of another hospital tend to
look less normal, so the threshold is as high as this allows."""
BAND = (0.99, 0.99)
"""Unsure: between the probability that 99 % of the held-out pneumonias exceed and that which 99 % of the normal ones do
not reach, and at least from MARGIN below the threshold to MARGIN above."""
MARGIN = 1.0
"""Of the logit."""

Array = NDArray[np.float64]


class Operating(NamedTuple):
    """threshold: at or above it is pneumonia. low, high: from low to below high is unsure."""

    threshold: float
    low: float
    high: float


def calibrated(logits: NDArray[np.float32], labels: NDArray[np.int64], prevalence: float = 0.5) -> tuple[float, float]:
    """scale > 0 and shift by least cross-entropy, the classes weighted to `prevalence` of pneumonia."""
    sick, well = int((labels == 1).sum()), int((labels == 0).sum())
    weights = np.where(labels == 1, prevalence / sick, (1 - prevalence) / well) * len(labels)
    # Platt's targets: classes that nothing confuses would make the scale infinite.
    targets = np.where(labels == 1, (sick + 1) / (sick + 2), 1 / (well + 2))

    def loss(x: Array) -> float:
        told = np.exp(x[0]) * logits + x[1]
        return float((weights * (np.logaddexp(0, told) - targets * told)).mean())

    found = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"maxiter": 2000, "xatol": 1e-5}).x
    return float(np.exp(found[0])), float(found[1])


def operating(probabilities: Array, labels: NDArray[np.int64]) -> Operating:
    """On held-out images as they are."""
    sick, well = probabilities[labels == 1], probabilities[labels == 0]
    threshold = float(np.clip(np.quantile(sick, 1 - SENSITIVITY), 0.01, 0.99))
    logit = np.log(threshold / (1 - threshold))
    low, high = (1 / (1 + np.exp(-(logit + side * MARGIN))) for side in (-1, 1))
    return Operating(
        round(threshold, 4),
        round(float(min(low, np.quantile(sick, 1 - BAND[0]))), 4),
        round(float(max(high, np.quantile(well, BAND[1]))), 4),
    )


def sigmoid(x: NDArray[np.float32] | Array) -> Array:
    """1 / (1 + exp(-x))."""
    return np.asarray(1 / (1 + np.exp(-np.clip(np.asarray(x, np.float64), -500, 500))), np.float64)
