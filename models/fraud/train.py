"""Transactions -> model.onnx, metrics.json and golden.json.

    python -m models.fraud.train                                   # the project's own simulator, fixed seed
    python -m models.fraud.train --transactions FILE.parquet --train-start 2018-07-04 \
        --train-days 7 --delay-days 7 --test-days 7 --out DIR

Time split with feedback delay: train days, then days in which their labels arrive, then test days. Calibration and
thresholds come from the training days alone, each day scored by a model that did not see it.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from xgboost import XGBClassifier

from functions.fraud.features import FEATURES
from models.fraud import baseline, data
from models.fraud.evaluate import DAY, Window, calibration, figures, split
from models.fraud.export import Platt, score, to_onnx
from models.fraud.simulator import Simulation, simulate

HERE = Path(__file__).parent
SIMULATION = Simulation()
SIMULATED_WINDOW = Window(pd.Timestamp("2026-02-25"), train_days=21, delay_days=7, test_days=14)
FOLDS = 5
REVIEW_RECALL, DECLINE_PRECISION = 0.8, 0.9


def model(seed: int) -> XGBClassifier:
    """Small trees, each on a part of the rows and features: a week has only a few hundred frauds."""
    return XGBClassifier(
        n_estimators=200,
        learning_rate=0.05,
        max_depth=4,
        subsample=0.7,
        colsample_bytree=0.4,
        tree_method="hist",
        max_bin=512,
        base_score=0.5,
        n_jobs=2,
        random_state=seed,
    )


def out_of_fold(rows: NDArray[np.float32], fraud: NDArray, day: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Margins of the training rows, each from a model trained on the other days."""
    margins = np.empty(len(rows))
    days = np.unique(day)
    for block in np.array_split(days, min(FOLDS, len(days))):
        held = np.isin(day, block)
        margins[held] = model(seed).fit(rows[~held], fraud[~held]).predict(rows[held], output_margin=True)
    return margins


def calibrate(margin: NDArray, fraud: NDArray) -> Platt:
    """Platt scaling by maximum likelihood; the prior of the sample is kept, so probabilities mean what they say."""
    fitted = LogisticRegression(C=1e6).fit(margin.reshape(-1, 1), fraud)
    return Platt(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))


def thresholds(probability: NDArray, fraud: NDArray) -> dict[str, float]:
    """review: finds REVIEW_RECALL of the frauds that can be found at all; decline: right in DECLINE_PRECISION of cases."""
    precision, recall, cut = precision_recall_curve(fraud, probability)
    worth_a_look = precision[:-1] >= 0.2
    review = cut[worth_a_look & (recall[:-1] >= REVIEW_RECALL * recall[:-1][worth_a_look].max())].max()
    sure = cut[precision[:-1] >= DECLINE_PRECISION]
    decline = max(float(sure.min()) if len(sure) else 0.99, float(review))
    return {"review": round(float(review), 4), "decline": round(decline, 4)}


def train(transactions: pd.DataFrame, window: Window, seed: int, version: str) -> tuple[Any, dict[str, Any], list]:
    """(ONNX model, metrics, golden rows) for prepared transactions."""
    known = data.known_at(transactions, window.delay_days)
    rows = data.features(transactions, known)
    truth = transactions["TX_FRAUD"].to_numpy() == 1
    training, test = split(transactions, window)
    # What is not known to be fraud when training starts is genuine to the trainer, as it would be in life.
    taught = (truth & (known <= window.first_test_day * DAY))[training]
    day = transactions["time"].to_numpy()[training] // DAY
    margins = out_of_fold(rows[training], taught, day, seed)
    platt = calibrate(margins, taught)
    limits = thresholds(platt(margins), taught)
    fitted = model(seed).fit(rows[training], taught)
    expected = platt(fitted.predict(rows[test], output_margin=True))

    simple = baseline.features(transactions, window.delay_days)
    simple_score = baseline.model(seed).fit(simple[training], taught).predict_proba(simple[test])[:, 1]
    tested = transactions.iloc[test]
    metrics: dict[str, Any] = {
        **figures(tested, expected),
        "baseline": figures(tested, simple_score),
        "calibration": calibration(truth[test], expected),
        "thresholds": limits,
        "at_thresholds": {name: _at(truth[test], expected >= limit) for name, limit in limits.items()},
        "prevalence": float(truth[test].mean()),
        "rows": {"train": len(training), "train_frauds": int(taught.sum()), "test": len(test)},
        "split": {
            "train_start": str(window.start.date()),
            "train_days": window.train_days,
            "delay_days": window.delay_days,
            "test_days": window.test_days,
            "rule": "time split; cards known to be compromised are out of the test set (Fraud Detection Handbook)",
        },
        "seed": seed,
        "data_hash": data.digest(transactions),
    }
    if "TX_FRAUD_SCENARIO" in tested:
        metrics["recall_by_scenario"] = _recall_by_scenario(tested, expected >= limits["review"])
    description = {
        "features": list(FEATURES),
        "version": version,
        "data_hash": metrics["data_hash"],
        "metrics": {key: metrics[key] for key in ("roc_auc", "average_precision", "card_precision_100")},
        "thresholds": limits,
        "baseline": [float(value) for value in np.median(rows[training][~taught], axis=0)],
    }
    exported = to_onnx(fitted, platt, description)
    scored = score(exported, rows[test])
    metrics["onnx_max_difference"] = float(np.abs(scored - expected).max())
    picked = np.unique(np.argsort(scored)[np.linspace(0, len(scored) - 1, 40).astype(int)])
    picked = np.unique(np.concatenate((picked, np.argsort(scored)[-8:])))
    golden = [{"features": rows[test][row].tolist(), "score": float(scored[row])} for row in picked]
    return exported, metrics, golden


def _at(fraud: NDArray[np.bool_], flagged: NDArray[np.bool_]) -> dict[str, float]:
    hits = float((fraud & flagged).sum())
    return {
        "precision": hits / max(int(flagged.sum()), 1),
        "recall": hits / max(int(fraud.sum()), 1),
        "share": float(flagged.mean()),
    }


def _recall_by_scenario(tested: pd.DataFrame, flagged: NDArray[np.bool_]) -> dict[str, dict[str, float]]:
    scenario = tested["TX_FRAUD_SCENARIO"].to_numpy()
    fraud = tested["TX_FRAUD"].to_numpy() == 1
    kinds = np.unique(scenario[fraud])
    return {
        str(kind): {"frauds": int((here := scenario == kind).sum()), "recall": float(flagged[here].mean())}
        for kind in kinds
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m models.fraud.train", description=str(__doc__).split("\n")[0])
    parser.add_argument("--transactions", type=Path, metavar="FILE.parquet", help="default: the simulator's")
    parser.add_argument("--train-start", type=pd.Timestamp, help="first training day, YYYY-MM-DD")
    parser.add_argument("--train-days", type=int, default=7)
    parser.add_argument("--delay-days", type=int, default=7)
    parser.add_argument("--test-days", type=int, default=7)
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    if given.transactions:
        if given.train_start is None:
            parser.error("--transactions needs --train-start")
        transactions = data.read(given.transactions)
        window = Window(given.train_start, given.train_days, given.delay_days, given.test_days)
    else:
        transactions, window = data.prepare(simulate(SIMULATION)), SIMULATED_WINDOW
    version = f"fraud-{data.digest(transactions)[:8]}-{given.seed}"
    exported, metrics, golden = train(transactions, window, given.seed, version)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "model.onnx").write_bytes(exported.SerializeToString())
    (given.out / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    (given.out / "golden.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in golden) + "\n]\n")
    print(json.dumps(metrics, indent=1))  # noqa: T201 - the command's answer


if __name__ == "__main__":
    main()
