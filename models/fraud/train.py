"""Transactions -> model.onnx, metrics.json and golden.json.

    python -m models.fraud.train                                   # the project's own simulator, fixed seed
    python -m models.fraud.train --transactions FILE.parquet --train-start 2018-07-04 \
        --train-days 7 --delay-days 7 --test-days 7 --out DIR

Time split with feedback delay: train days, then days in which their labels arrive, then test days. Calibration and
thresholds come from the training days alone, each day scored by a model that did not see it.
"""

import argparse
import json
import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray

from models.fraud import baseline, data
from models.fraud.evaluate import DAY, Window, calibration, figures, split
from models.fraud.export import score
from models.fraud.fitting import exported, golden, save
from models.fraud.learning import learned
from models.fraud.simulator import Simulation, simulate

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
SIMULATION = Simulation()
SIMULATED_WINDOW = Window(pd.Timestamp("2026-02-20"), train_days=28, delay_days=7, test_days=14)


class Trained(NamedTuple):
    """model: ONNX; metrics: for metrics.json; golden: rows of features with the score that the model gives them."""

    model: onnx.ModelProto
    metrics: dict[str, Any]
    golden: list[dict[str, Any]]


def train(  # noqa: PLR0913 - what a training depends on
    transactions: pd.DataFrame,
    rows: NDArray[np.float32],
    window: Window,
    seed: int,
    version: str,
    *,
    made_up: bool = False,
) -> Trained:
    """transactions: prepared; rows: their features. Raises ValueError when there is nothing to learn or test.

    made_up: nobody's lake can hold these rows, so a retrained model may be built upon this one, whatever the dates.
    """
    truth = transactions["TX_FRAUD"].to_numpy() == 1
    training, test = split(transactions, window)
    # What is not known to be fraud when the test starts is genuine to the trainer, as it would be in life.
    known = data.known_at(transactions, window.delay_days)
    taught = (truth & (known <= window.first_test_day * DAY))[training]
    if not taught.any() or not truth[test].any():
        raise ValueError(f"no known frauds to train on or none to test with in {window}")
    fitted = learned(rows[training], taught, transactions["time"].to_numpy()[training] // DAY, seed=seed)
    limits, expected = fitted.thresholds, fitted.probability(rows[test])

    log.info("training the baseline")
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
        "version": version,
        "data_hash": metrics["data_hash"],
        "trained_until": 0 if made_up else int(transactions["time"].to_numpy()[training].max()),
        "metrics": {key: metrics[key] for key in ("roc_auc", "average_precision", "card_precision_100")},
    }
    model = exported(fitted, rows[training], taught, description)
    scored = score(model, rows[test])
    metrics["onnx_max_difference"] = float(np.abs(scored - expected).max())
    return Trained(model, metrics, golden(rows[test], scored))


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
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    if given.transactions:
        if given.train_start is None:
            parser.error("--transactions needs --train-start")
        try:
            transactions = data.read(given.transactions)
        except (OSError, ValueError) as error:
            parser.error(f"{given.transactions}: {error}")
        window = Window(given.train_start, given.train_days, given.delay_days, given.test_days)
    else:
        transactions, window = data.prepare(simulate(SIMULATION)), SIMULATED_WINDOW
    log.info("features of %d transactions, about a minute a million", len(transactions))
    version = f"fraud-{data.digest(transactions)[:8]}-{given.seed}"
    rows = data.features(transactions, data.known_at(transactions, window.delay_days))
    try:
        trained = train(transactions, rows, window, given.seed, version, made_up=not given.transactions)
    except ValueError as error:
        parser.error(str(error))
    save(given.out, *trained)
    print(json.dumps(trained.metrics, indent=1))  # noqa: T201 - the command's answer


if __name__ == "__main__":
    main()
