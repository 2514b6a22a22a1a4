"""One row, one transaction -> CPU time of scoring it: ours, XGBoost's own ways, and the way it is mostly written.

Run by `python -m benchmarks.run`, which sets the environment; nothing is asserted.
"""

import base64
import json
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from xgboost import Booster, XGBClassifier

from benchmarks.environment import POLICY
from benchmarks.workload import Workload, simulated
from cuatro.adapters.model import OnnxModel
from cuatro.events import Transaction, decode_transaction
from functions.fraud.decide import Policy
from functions.fraud.features import FEATURES, Frame
from functions.fraud.history import History
from functions.fraud.score.scorer import Arrival, Scorer

Benchmark = Callable[..., Any]
RECORDS = 100


@pytest.fixture(scope="module")
def workload() -> Workload:
    return simulated(RECORDS)


@pytest.fixture(scope="module")
def model() -> OnnxModel:
    return OnnxModel(os.environ["MODEL_URI"], FEATURES)


@pytest.fixture(scope="module")
def booster() -> Booster:
    found = Booster(model_file=os.environ["XGBOOST_MODEL_PATH"])
    found.set_param({"nthread": 1})
    return found


@pytest.fixture(scope="module")
def classifier() -> XGBClassifier:
    found = XGBClassifier()
    found.load_model(os.environ["XGBOOST_MODEL_PATH"])
    return found.set_params(n_jobs=1)


@pytest.fixture(scope="module")
def scorer(model: OnnxModel) -> Scorer:
    return Scorer(model, Policy.from_json(json.dumps(POLICY)))


@pytest.fixture(scope="module")
def waiting(workload: Workload, scorer: Scorer) -> list[tuple[Arrival, History, History]]:
    """Transactions with the histories of their card and terminal."""
    now = time.time()
    found = []
    for record in workload.event["Records"]:
        data = base64.b64decode(record["kinesis"]["data"])
        transaction: Transaction = decode_transaction(data, now, 1e9)
        histories = (workload.cards.get(transaction.card_id), workload.terminals.get(transaction.terminal_id))
        card, terminal = (History.unpack(base64.b64decode(item["s"]["B"]) if item else None) for item in histories)
        found.append((scorer.arrival(transaction, int(now * 1000)), card, terminal))
    return found


@pytest.fixture(scope="module")
def rows(waiting: list[tuple[Arrival, History, History]]) -> np.ndarray:
    return features(waiting)


def features(waiting: list[tuple[Arrival, History, History]]) -> np.ndarray:
    frame = Frame()
    for arrival, card, terminal in waiting:
        frame.append(arrival.time, arrival.base_amount, card, terminal)
    return frame.matrix()


@pytest.mark.parametrize("size", [1, RECORDS])
def test_model(benchmark: Benchmark, model: OnnxModel, rows: np.ndarray, size: int) -> None:
    benchmark(model.score, rows[-size:])


@pytest.mark.parametrize("size", [1, RECORDS])
def test_features_score_and_policy(
    benchmark: Benchmark, scorer: Scorer, waiting: list[tuple[Arrival, History, History]], size: int
) -> None:
    chosen = waiting[-size:]
    arrivals, blocked, now = [arrival for arrival, _, _ in chosen], [False] * size, time.time()
    benchmark(lambda: scorer.decisions(arrivals, blocked, features(chosen), now))


@pytest.mark.parametrize("size", [1, RECORDS])
def test_inplace_predict(benchmark: Benchmark, booster: Booster, rows: np.ndarray, size: int) -> None:
    benchmark(booster.inplace_predict, rows[-size:])


@pytest.mark.parametrize("size", [1, RECORDS])
def test_predict_proba(benchmark: Benchmark, classifier: XGBClassifier, rows: np.ndarray, size: int) -> None:
    benchmark(classifier.predict_proba, rows[-size:])


@pytest.mark.parametrize("size", [1, RECORDS])
def test_pandas_predict_proba(benchmark: Benchmark, classifier: XGBClassifier, rows: np.ndarray, size: int) -> None:
    some, names = rows[-size:], list(FEATURES)
    benchmark(lambda: classifier.predict_proba(pd.DataFrame(some, columns=names)))
