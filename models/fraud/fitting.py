"""Rows of features with labels, day by day -> a calibrated model in an ONNX file that says what drift compares with.

Shared by `python -m models.fraud.train` and the container's `train`. Channels: `train` with train.parquet; `champion`,
if there is one, with the live model's archive, which the new model may be built upon.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from functions.fraud.features import FEATURES
from models.fraud import champion, training_set
from models.fraud.candidates import SCRATCH, Chosen, chosen
from models.fraud.evaluate import DAY, calibration
from models.fraud.export import score, to_onnx
from models.fraud.learning import ROUNDS, SEED, Fitted, learned
from models.fraud.reference import reference

log = logging.getLogger(__name__)

MAX_ROUNDS = 1000
MAX_DIFFERENCE = 1e-5
HYPERPARAMETERS = {"seed", "rounds", "data_hash"}


def exported(
    fitted: Fitted, rows: NDArray[np.float32], fraud: NDArray[np.bool_], description: dict[str, Any]
) -> onnx.ModelProto:
    """The ONNX file; description: version, data_hash, trained_until, metrics. What scoring and drift read is added."""
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
    return to_onnx(fitted.model, fitted.platt, told, fitted.on.model if fitted.on else None)


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
    fitted, used, candidates = _candidates(table, channels.get("champion"), seed, rounds)
    rows, fraud = training_set.matrix(table)[used], training_set.labels(table)[used]
    made_of = f"{data_hash} {rounds}" + (f" {fitted.on.sha256}" if fitted.on else "")
    version = f"fraud-{hashlib.sha256(made_of.encode()).hexdigest()[:8]}-{seed}"
    figures = {
        "roc_auc": float(roc_auc_score(fraud, fitted.held)),
        "average_precision": float(average_precision_score(fraud, fitted.held)),
    }
    description = {
        "version": version,
        "data_hash": data_hash,
        "trained_until": int(table["time"].max()),
        "metrics": figures,
    }
    model = exported(fitted, rows, fraud, description)
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
        "candidates": candidates,
        "onnx_max_difference": difference,
    }
    save(out, model, metrics, golden(rows, scored))
    log.info(
        "%s: average precision %.3f out of fold, thresholds %s",
        version,
        figures["average_precision"],
        fitted.thresholds,
    )


def _candidates(table: pd.DataFrame, archive: Path | None, seed: int, rounds: int) -> Chosen:
    rows, fraud, time = training_set.matrix(table), training_set.labels(table), table["time"].to_numpy()
    why = "there is no champion"
    if archive:
        try:
            live = champion.read(archive)
        except champion.NotBuiltUponError as error:
            why = f"the champion cannot be built upon: {error}"
        else:
            return chosen(rows, fraud, time, live, seed=seed, rounds=rounds)
    log.info("the model is made %s: %s", SCRATCH, why)
    fitted = learned(rows, fraud, time // DAY, seed=seed, rounds=rounds)
    return Chosen(fitted, np.ones(len(rows), np.bool_), {"chosen": SCRATCH, "why": why})


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
