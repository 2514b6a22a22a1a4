"""Rows of features with labels, day by day -> a calibrated model with its thresholds, and its ONNX file.

Calibration, thresholds and the reference for drift come from the training days alone, each day scored by a model that
did not see it. Shared by `python -m models.fraud.train` and the container's `train` (channel `train`: train.parquet).
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from xgboost import XGBClassifier

from functions.fraud.features import FEATURES
from models.fraud import training_set
from models.fraud.evaluate import DAY, calibration
from models.fraud.export import Platt, score, to_onnx
from models.fraud.reference import reference

log = logging.getLogger(__name__)

FOLDS, ROUNDS, SEED = 4, 80, 7
REVIEW_PRECISION, DECLINE_PRECISION = 0.3, 0.7
FEWEST = 20
"""Precision of fewer alerts than this says nothing."""
MAX_ROUNDS = 1000
MAX_DIFFERENCE = 1e-5
HYPERPARAMETERS = {"seed", "rounds", "data_hash"}


@dataclass(frozen=True)
class Fitted:
    """A model, its calibration and thresholds; held: probability of each training row by a model that never saw it."""

    model: XGBClassifier
    platt: Platt
    thresholds: dict[str, float]
    held: NDArray[np.float64]

    def probability(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Calibrated probabilities, as XGBoost computes them."""
        return self.platt(self.model.predict(rows, output_margin=True))


def model(seed: int, rounds: int = ROUNDS) -> XGBClassifier:
    """Four trees a round, each on a part of the rows and features: a week has only a few hundred frauds.

    Depth, rate and shares are flat around here on the development windows (see the model card).
    """
    return XGBClassifier(
        n_estimators=rounds,
        num_parallel_tree=4,
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


def fit(rows: NDArray[np.float32], fraud: NDArray[np.bool_], seed: int, rounds: int = ROUNDS) -> XGBClassifier:
    """A trained model."""
    return model(seed, rounds).fit(rows, fraud)


def out_of_fold(
    rows: NDArray[np.float32], fraud: NDArray[np.bool_], day: NDArray[np.int64], seed: int, rounds: int = ROUNDS
) -> NDArray[np.float64]:
    """Margins of the training rows, each from a model trained on other days.

    Days take turns, so that each model sees the beginning, the end and what changed in between.
    """
    margins = np.empty(len(rows))
    turn = np.unique(day, return_inverse=True)[1] % FOLDS
    for number in np.unique(turn):
        log.info("training for calibration, %d of %d", number + 1, turn.max() + 1)
        held = turn == number
        margins[held] = fit(rows[~held], fraud[~held], seed, rounds).predict(rows[held], output_margin=True)
    return margins


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


def learned(
    rows: NDArray[np.float32],
    fraud: NDArray[np.bool_],
    day: NDArray[np.int64],
    *,
    seed: int = SEED,
    rounds: int = ROUNDS,
) -> Fitted:
    """float32 [rows, features], bool [rows], days since any beginning [rows]. Raises ValueError for too few frauds."""
    if len(np.unique(day[fraud])) < 2:
        raise ValueError(
            f"{fraud.sum()} known frauds on {len(np.unique(day[fraud]))} days: two days at least are needed"
        )
    margins = out_of_fold(rows, fraud, day, seed, rounds)
    platt = calibrate(margins, fraud)
    held = platt(margins)
    log.info("training on %d transactions, %d known frauds", len(rows), fraud.sum())
    return Fitted(fit(rows, fraud, seed, rounds), platt, thresholds(held, fraud), held)


def exported(
    fitted: Fitted, rows: NDArray[np.float32], fraud: NDArray[np.bool_], description: dict[str, Any]
) -> onnx.ModelProto:
    """The ONNX file; description: version, data_hash, metrics. What cuatro.adapters.model reads as well is added."""
    told = {
        "features": list(FEATURES),
        **description,
        "thresholds": fitted.thresholds,
        "baseline": [float(value) for value in np.median(rows[~fraud], axis=0)],
        "reference": reference(
            rows,
            fitted.held,
            float(average_precision_score(fraud, fitted.held)),
            float((fitted.held[fraud] >= fitted.thresholds["review"]).mean()),
            float(fraud.mean()),
        ),
    }
    return to_onnx(fitted.model, fitted.platt, told)


def golden(rows: NDArray[np.float32], scored: NDArray[np.float32]) -> list[dict[str, Any]]:
    """Rows from the lowest score to the highest, more of them at the top, where decisions are."""
    places = np.unique(np.geomspace(1, len(scored), 48).astype(int)) - 1
    order = np.argsort(-scored, kind="stable")[places]
    return [{"features": rows[at].tolist(), "score": float(scored[at])} for at in order]


def save(out: Path, model: onnx.ModelProto, metrics: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """model.onnx, metrics.json and golden.json."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(model.SerializeToString())
    (out / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    (out / "golden.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def train(channels: Mapping[str, Path], hyperparameters: Mapping[str, str], out: Path) -> None:
    """What the container calls. Raises ValueError, which says what is wrong with the input."""
    seed, rounds, expected = _parameters(hyperparameters)
    if "train" not in channels:
        raise ValueError(f"the channel 'train' is missing, there is {', '.join(channels)}")
    table = training_set.read(channels["train"], "train")
    data_hash = training_set.digest(table)
    if expected not in {"", data_hash}:
        raise ValueError(f"train.parquet has the hash {data_hash}, not the data_hash {expected} that was asked for")
    rows, fraud = training_set.matrix(table), training_set.labels(table)
    fitted = learned(rows, fraud, table["time"].to_numpy() // DAY, seed=seed, rounds=rounds)
    digits = hashlib.sha256(f"{data_hash} {rounds}".encode()).hexdigest()[:8]
    version = f"fraud-{digits}-{seed}"
    figures = {
        "roc_auc": float(roc_auc_score(fraud, fitted.held)),
        "average_precision": float(average_precision_score(fraud, fitted.held)),
    }
    model = exported(fitted, rows, fraud, {"version": version, "data_hash": data_hash, "metrics": figures})
    scored = score(model, rows)
    difference = float(np.abs(scored - fitted.probability(rows)).max())
    if difference > MAX_DIFFERENCE:
        raise ValueError(f"the ONNX model differs by {difference:g} from the one that was trained")
    metrics = {
        "version": version,
        **figures,
        "calibration": calibration(fraud, fitted.held),
        "thresholds": fitted.thresholds,
        "prevalence": float(fraud.mean()),
        "rows": {"train": len(rows), "train_frauds": int(fraud.sum())},
        "rule": "figures are of the training days, each scored by a model that was trained on the others",
        "rounds": rounds,
        "seed": seed,
        "data_hash": data_hash,
        "onnx_max_difference": difference,
    }
    save(out, model, metrics, golden(rows, scored))
    log.info(
        "%s: average precision %.3f out of fold, thresholds %s",
        version,
        figures["average_precision"],
        fitted.thresholds,
    )


def _parameters(given: Mapping[str, str]) -> tuple[int, int, str]:
    """seed, rounds and data_hash ("": whatever there is). Raises ValueError."""
    unknown = sorted(set(given) - HYPERPARAMETERS)
    if unknown:
        raise ValueError(
            f"unknown hyperparameters {', '.join(unknown)}: there are {', '.join(sorted(HYPERPARAMETERS))}"
        )
    # Some clients send JSON, "7" with its quotes.
    plain = {name: value.strip().strip('"') for name, value in given.items()}
    numbers = {}
    for name, default, low, high in (("seed", SEED, 0, 2**31 - 1), ("rounds", ROUNDS, 1, MAX_ROUNDS)):
        text = plain.get(name) or str(default)
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"hyperparameter {name}={text!r} is no whole number from {low} to {high}")
        numbers[name] = int(text)
    return numbers["seed"], numbers["rounds"], plain.get("data_hash", "")
