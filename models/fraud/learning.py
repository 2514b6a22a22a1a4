"""Rows of features with labels, day by day -> trees with their calibration and thresholds, also on a champion's trees.

Calibration and thresholds come from the training days alone, each day scored by a model that did not see it.
"""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from xgboost import XGBClassifier

from models.fraud.champion import Champion
from models.fraud.export import Platt

log = logging.getLogger(__name__)

FOLDS, ROUNDS, SEED = 4, 80, 7
TREES_A_ROUND = 4
REVIEW_PRECISION, DECLINE_PRECISION = 0.3, 0.7
FEWEST = 20
"""Precision of fewer alerts than this says nothing."""


@dataclass(frozen=True)
class Fitted:
    """A model, its calibration and thresholds; held: probability of each training row by a model that never saw it.

    on: the champion whose margin the model's trees add to, if any.
    """

    model: XGBClassifier
    platt: Platt
    thresholds: dict[str, float]
    held: NDArray[np.float64]
    on: Champion | None = None

    def probability(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Calibrated probabilities, as XGBoost computes them."""
        return self.platt(margins(self.model, rows, self.on))


def model(seed: int, rounds: int = ROUNDS) -> XGBClassifier:
    """Four trees a round, each on a part of the rows and features: a week has only a few hundred frauds.

    Depth, rate and shares are flat around here on the development windows (see the model card).
    """
    return XGBClassifier(
        n_estimators=rounds,
        num_parallel_tree=TREES_A_ROUND,
        learning_rate=0.1,
        max_depth=4,
        subsample=0.7,
        colsample_bytree=0.4,
        tree_method="hist",
        max_bin=512,  # splits of amounts to a few cents
        base_score=0.5,
        n_jobs=1,
        random_state=seed,
    )


def fit(
    rows: NDArray[np.float32],
    fraud: NDArray[np.bool_],
    seed: int,
    rounds: int = ROUNDS,
    on: Champion | None = None,
) -> XGBClassifier:
    """A trained model; `on` a champion its trees learn what that one does not know."""
    return model(seed, rounds).fit(rows, fraud, base_margin=on.margin(rows) if on else None)


def margins(trained: XGBClassifier, rows: NDArray[np.float32], on: Champion | None = None) -> NDArray[np.float32]:
    """Log odds before calibration."""
    found: NDArray[np.float32] = trained.predict(rows, output_margin=True, base_margin=on.margin(rows) if on else None)
    return found


def out_of_fold(  # noqa: PLR0913, PLR0917 - rows and how to train
    rows: NDArray[np.float32],
    fraud: NDArray[np.bool_],
    day: NDArray[np.int64],
    seed: int,
    rounds: int = ROUNDS,
    on: Champion | None = None,
) -> NDArray[np.float64]:
    """Margins of the training rows, each from a model trained on other days.

    Days take turns, so that each model sees the beginning, the end and what changed in between.
    """
    found = np.empty(len(rows))
    turn = np.unique(day, return_inverse=True)[1] % FOLDS
    for number in np.unique(turn):
        log.info("training for calibration, %d of %d", number + 1, turn.max() + 1)
        held = turn == number
        found[held] = margins(fit(rows[~held], fraud[~held], seed, rounds, on), rows[held], on)
    return found


def calibrate(margin: NDArray, fraud: NDArray) -> Platt:
    """Platt scaling by maximum likelihood; the prior of the sample is kept, so probabilities mean what they say."""
    fitted = LogisticRegression(C=1e6).fit(margin.reshape(-1, 1), fraud)
    return Platt(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))


def thresholds(probability: NDArray, fraud: NDArray) -> dict[str, float]:
    """The lowest scores from which on REVIEW_PRECISION and DECLINE_PRECISION of the transactions are fraud."""
    order = np.argsort(-probability, kind="stable")
    precision = np.cumsum(fraud[order]) / np.arange(1, len(order) + 1)
    cuts = {}
    for name, wanted in (("review", REVIEW_PRECISION), ("decline", DECLINE_PRECISION)):
        enough = np.flatnonzero(precision[FEWEST - 1 :] >= wanted)
        cuts[name] = round(float(probability[order[FEWEST - 1 + (enough[-1] if len(enough) else 0)]]), 4)
    return cuts


def learned(  # noqa: PLR0913 - rows and how to train
    rows: NDArray[np.float32],
    fraud: NDArray[np.bool_],
    day: NDArray[np.int64],
    *,
    seed: int = SEED,
    rounds: int = ROUNDS,
    on: Champion | None = None,
) -> Fitted:
    """float32 [rows, features], bool [rows], days since any beginning [rows]. Raises ValueError for too few frauds."""
    if len(np.unique(day[fraud])) < 2:
        raise ValueError(
            f"{fraud.sum()} known frauds on {len(np.unique(day[fraud]))} days: two days at least are needed"
        )
    margin = out_of_fold(rows, fraud, day, seed, rounds, on)
    platt = calibrate(margin, fraud)
    held = platt(margin)
    log.info("training on %d transactions, %d known frauds", len(rows), fraud.sum())
    return Fitted(fit(rows, fraud, seed, rounds, on), platt, thresholds(held, fraud), held, on)
