"""What two models say of the same posts -> macro recall, how sure its gain is, calibration, losses of groups."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CLASSES = 3
RESAMPLES, LOWER = 1000, 0.05
BINS = 10
FEWEST = 30
"""Posts of a group without which its recall is luck: it is reported, and does not count."""

Labels = NDArray[np.int64]
Floats = NDArray[np.floating]


class Figures(NamedTuple):
    """macro_recall: the mean of the classes' recalls, of those that there are. ece: see `calibration_error`."""

    macro_recall: float
    macro_f1: float
    accuracy: float
    ece: float


def figures(truth: Labels, probabilities: Floats) -> Figures:
    """truth: [n] of 0..2; probabilities: [n, 3]."""
    said = probabilities.argmax(axis=1)
    hits = np.bincount(truth[said == truth], minlength=CLASSES)
    of, called = np.bincount(truth, minlength=CLASSES), np.bincount(said, minlength=CLASSES)
    there = of > 0
    f1 = 2 * hits[there] / (of + called)[there]
    return Figures(
        float((hits[there] / of[there]).mean()),
        float(f1.mean()),
        float(hits.sum() / max(len(truth), 1)),
        calibration_error(truth, probabilities),
    )


def macro_recall(truth: Labels, said: Labels) -> float:
    """The mean of the classes' recalls, of those that there are."""
    of = np.bincount(truth, minlength=CLASSES)
    hits = np.bincount(truth[said == truth], minlength=CLASSES)
    return float((hits[of > 0] / of[of > 0]).mean())


def calibration_error(truth: Labels, probabilities: Floats) -> float:
    """Expected calibration error of the class that is said (Guo et al. 2017), over BINS bins with as many posts each
    (Nguyen and O'Connor 2015): the mean distance between how sure the model is and how often it is right."""
    if not len(truth):
        return 0.0
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    total = 0.0
    for part in np.array_split(np.argsort(sure, kind="stable"), min(BINS, len(truth))):
        total += len(part) * abs(float(sure[part].mean()) - float(right[part].mean()))
    return total / len(truth)


def lower_gain(truth: Labels, champion: Floats, challenger: Floats, seed: int = 7) -> float:
    """The 5 % quantile of the gain in macro recall, by a paired bootstrap over posts (Efron and Tibshirani 1993).

    Drawn within each class, so that each draw has all of them.
    """
    rng = np.random.default_rng(seed)
    gains = np.zeros(RESAMPLES)
    classes = [np.flatnonzero(truth == label) for label in range(CLASSES) if (truth == label).any()]
    better = (challenger.argmax(axis=1) == truth).astype(float) - (champion.argmax(axis=1) == truth)
    for rows in classes:
        drawn = rng.choice(rows, (RESAMPLES, len(rows)))
        gains += better[drawn].mean(axis=1) / len(classes)
    return float(np.quantile(gains, LOWER))


def worst_loss(
    groups: Iterable[tuple[str, NDArray[np.bool_]]], truth: Labels, champion: Floats, challenger: Floats
) -> tuple[dict[str, Mapping[str, float]], float, str]:
    """groups: name and which posts. Figures of each; the largest loss of macro recall of one with at least FEWEST
    posts, 0 when none loses; and its name."""
    told: dict[str, Mapping[str, float]] = {}
    worst, where = 0.0, ""
    for name, rows in groups:
        before, after = (macro_recall(truth[rows], said[rows].argmax(axis=1)) for said in (champion, challenger))
        told[name] = {"posts": int(rows.sum()), "champion": before, "challenger": after}
        if rows.sum() >= FEWEST and before - after > worst:
            worst, where = before - after, name
    return told, worst, where
