"""Scores of decisions whose labels have come -> how well the model still does, against what it did when it was made.

Average precision depends on how rare frauds are, so frauds are weighted until they are as rare as in the reference: the
model is compared, not the season. The interval is a bootstrap over decisions, with Poisson weights (N. Chamandy et al.,
"Estimating uncertainty for massive data streams", Google 2012).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MIN_FRAUDS = 30
"""Fewer frauds say nothing: the interval would be wider than any drop worth an alarm."""
ROUNDS = 200
Floats = NDArray[np.float64]


class Performance(NamedTuple):
    """average_precision: at the reference's prevalence. ratio: of it to the reference's; low, high: its 90 % interval.

    recall and precision: from the review threshold on, precision at the prevalence that was found.
    """

    frauds: int
    average_precision: float
    raw_average_precision: float
    ratio: float
    low: float
    high: float
    recall: float
    precision: float


def performance(
    frauds: Sequence[float], genuine: Sequence[float], genuine_seen: int, review: float, reference: Mapping[str, Any]
) -> Performance | None:
    """None with too few frauds or without a reference. genuine: an even sample of the genuine_seen ones."""
    expected, prevalence = reference.get("average_precision"), reference.get("prevalence")
    if len(frauds) < MIN_FRAUDS or not genuine or not expected or not prevalence:
        return None
    scores = np.array([*frauds, *genuine])
    fraud = np.arange(len(scores)) < len(frauds)
    weight = np.where(fraud, 1.0, genuine_seen / len(genuine))
    # As rare as in the reference.
    odds = prevalence / (1 - prevalence) * genuine_seen / len(frauds)
    even = np.where(fraud, odds, weight)
    order = np.argsort(-scores, kind="stable")
    ends = _ends(scores[order])
    now = _average_precision(fraud[order], even[order], ends)
    chance = np.random.default_rng(0)
    draws = [
        _average_precision(fraud[order], even[order] * chance.poisson(1.0, len(order)), ends) for _ in range(ROUNDS)
    ]
    low, high = np.quantile(draws, [0.05, 0.95]) / expected
    flagged = scores >= review
    caught, alerted = float(weight[fraud & flagged].sum()), float(weight[flagged].sum())
    return Performance(
        frauds=len(frauds),
        average_precision=now,
        raw_average_precision=_average_precision(fraud[order], weight[order], ends),
        ratio=now / expected,
        low=float(low),
        high=float(high),
        recall=caught / len(frauds),
        precision=caught / alerted if alerted else 0.0,
    )


def _ends(scores: Floats) -> NDArray[np.intp]:
    """Positions where a run of equal scores ends: rows of one score are told apart by nobody."""
    return np.flatnonzero(np.append(np.diff(scores) != 0, True))


def _average_precision(fraud: NDArray[np.bool_], weight: Floats, ends: NDArray[np.intp]) -> float:
    """Sum over thresholds of precision times the gain in recall; rows by falling score."""
    caught, alerted = np.cumsum(weight * fraud)[ends], np.cumsum(weight)[ends]
    if not caught[-1]:
        return 0.0
    precision = caught / np.maximum(alerted, np.finfo(float).tiny)
    return float((precision * np.diff(caught, prepend=0.0)).sum() / caught[-1])
