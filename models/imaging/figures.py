"""Labels and probabilities -> the figures by which a reader of images is judged, with their uncertainty."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve  # type: ignore[import-untyped]

BINS = 15
RESAMPLES = 1000

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


def figures(labels: Labels, probabilities: Floats, threshold: float) -> dict[str, Any]:
    """auc, sensitivity, specificity, accuracy at the threshold, and what they rest on; None where a class is missing.

    specificity_at_95: the best specificity that any threshold gives at a sensitivity of 0.95 or more.
    """
    positive = probabilities >= threshold
    sick, well = labels == 1, labels == 0
    both = sick.any() and well.any()
    return {
        "n": len(labels),
        "prevalence": float(sick.mean()),
        "auc": float(roc_auc_score(labels, probabilities)) if both else None,
        "sensitivity": float(positive[sick].mean()) if sick.any() else None,
        "specificity": float((~positive[well]).mean()) if well.any() else None,
        "accuracy": float((positive == sick).mean()),
        "expected_calibration_error": calibration_error(labels, probabilities),
        "specificity_at_95": _specificity_at(labels, probabilities, 0.95) if both else None,
        "confusion": {
            "true_positive": int((positive & sick).sum()),
            "false_negative": int((~positive & sick).sum()),
            "true_negative": int((~positive & well).sum()),
            "false_positive": int((positive & well).sum()),
        },
    }


def calibration_error(labels: Labels, probabilities: Floats) -> float:
    """Expected calibration error of the probability of pneumonia, in BINS bins of equal width.

    Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.
    """
    places = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    total = 0.0
    for place in np.unique(places):
        inside = places == place
        total += inside.mean() * abs(float(probabilities[inside].mean()) - float(labels[inside].mean()))
    return float(total)


def intervals(labels: Labels, probabilities: Floats, threshold: float, seed: int = 1) -> dict[str, list[float]]:
    """95 % percentile bootstrap intervals of auc, sensitivity, specificity and accuracy, images drawn by class."""
    rng = np.random.default_rng(seed)
    sides = [np.flatnonzero(labels == label) for label in (0, 1)]
    if not all(len(side) for side in sides):
        return {}
    found: dict[str, list[float]] = {name: [] for name in ("auc", "sensitivity", "specificity", "accuracy")}
    for _ in range(RESAMPLES):
        well, sick = (np.sort(probabilities[rng.choice(side, len(side))]) for side in sides)
        below, upto = (np.searchsorted(well, sick, side) for side in ("left", "right"))
        right, wrong = float((sick >= threshold).mean()), float((well >= threshold).mean())
        found["auc"].append(float((below + upto).mean() / (2 * len(well))))  # Mann and Whitney's, ties count half
        found["sensitivity"].append(right)
        found["specificity"].append(1 - wrong)
        found["accuracy"].append((right * len(sick) + (1 - wrong) * len(well)) / len(labels))
    return {name: [float(edge) for edge in np.percentile(values, (2.5, 97.5))] for name, values in found.items()}


def _specificity_at(labels: Labels, probabilities: Floats, sensitivity: float) -> float:
    false_positive, true_positive, _ = roc_curve(labels, probabilities, drop_intermediate=False)
    return float(1 - false_positive[true_positive >= sensitivity].min())
