"""Two models' scores of the same rows -> how sure the gain in average precision is, and how much slower one is."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

RESAMPLES, LOWER = 500, 0.05
ROUNDS, ROWS = 15, 1000


def lower_gain(
    fraud: NDArray[np.bool_], cards: NDArray, champion: NDArray, challenger: NDArray, seed: int = 7
) -> float:
    """The 5 % quantile of the gain in average precision, by a paired bootstrap over cards.

    Whole cards are drawn, since purchases of one card belong together; both models are measured on the same draw.
    Draws without a fraud say nothing and are left out.
    """
    rng = np.random.default_rng(seed)
    _, codes = np.unique(cards, return_inverse=True)
    count = int(codes.max()) + 1
    measures = [_precision(fraud, score) for score in (champion, challenger)]
    gains = []
    for _ in range(RESAMPLES):
        weight = np.bincount(rng.integers(0, count, count), minlength=count)[codes]
        if weight[fraud].any():
            before, after = (measure(weight) for measure in measures)
            gains.append(after - before)
    return float(np.quantile(gains, LOWER))


def _precision(fraud: NDArray[np.bool_], score: NDArray) -> Callable[[NDArray[np.int64]], float]:
    """Row weights -> weighted average precision, as sklearn.metrics.average_precision_score, sorted only once."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    truth = fraud[order]

    def measure(weight: NDArray[np.int64]) -> float:
        drawn = weight[order]
        hits, all_of = np.cumsum(drawn * truth)[ends], np.cumsum(drawn)[ends]
        return float((np.diff(hits, prepend=0) * hits / np.maximum(all_of, 1)).sum() / hits[-1])

    return measure


def seconds(
    rows: NDArray[np.float32],
    *scorers: Callable[[NDArray[np.float32]], object],
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """What each scorer needs for 1,000 rows: the best of ROUNDS in which they take turns.

    So other work on the machine falls on all of them or on none.
    """
    batch = np.resize(rows, (ROWS, rows.shape[1]))
    best = [np.inf] * len(scorers)
    for _ in range(ROUNDS):
        for at, scorer in enumerate(scorers):
            start = clock()
            scorer(batch)
            best[at] = min(best[at], clock() - start)
    return best
