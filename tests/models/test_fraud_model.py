"""Training is honest: nothing of the future, nothing from shuffled labels; the shipped files belong together."""

import json
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest

from functions.fraud.features import FEATURES
from functions.fraud.history import DAY
from models.fraud import baseline, data
from models.fraud.evaluate import Window, calibration
from models.fraud.export import Platt, score, to_onnx
from models.fraud.learning import (
    DECLINE_PRECISION,
    REVIEW_PRECISION,
    calibrate,
    fit,
    model,
    thresholds,
)
from models.fraud.simulator import Simulation, simulate
from models.fraud.train import SIMULATION, main, train

SHIPPED = Path("models/fraud")
SMALL = Simulation(days=45, customers=150, terminals=100, seed=3, fraud_rate=0.02)
WINDOW = Window(pd.Timestamp("2026-01-21"), train_days=10)


@pytest.fixture(scope="module")
def purchases() -> pd.DataFrame:
    return data.prepare(simulate(SMALL))


@pytest.fixture(scope="module")
def rows(purchases: pd.DataFrame) -> np.ndarray:
    return data.features(purchases, data.known_at(purchases, 7))


def shuffled(purchases: pd.DataFrame) -> pd.DataFrame:
    order = np.random.default_rng(1).permutation(len(purchases))
    return purchases.assign(TX_FRAUD=purchases["TX_FRAUD"].to_numpy()[order]).drop(columns="LABEL_TIME")


def test_shuffled_labels_teach_nothing(purchases: pd.DataFrame) -> None:
    lies = shuffled(purchases)
    fitted = train(lies, data.features(lies, data.known_at(lies, 7)), WINDOW, seed=1, version="t")
    assert fitted.metrics["average_precision"] < 2.5 * fitted.metrics["prevalence"]
    assert 0.35 < fitted.metrics["roc_auc"] < 0.65


def test_true_labels_teach_something(purchases: pd.DataFrame, rows: np.ndarray) -> None:
    fitted = train(purchases, rows, WINDOW, seed=1, version="t")
    assert fitted.metrics["average_precision"] > 5 * fitted.metrics["prevalence"]
    assert fitted.metrics["onnx_max_difference"] < 1e-5
    assert list(fitted.metrics["thresholds"]) == ["review", "decline"]
    golden = np.array([row["features"] for row in fitted.golden], np.float32)
    assert score(fitted.model, golden).tolist() == [row["score"] for row in fitted.golden]


def test_features_do_not_see_the_future(purchases: pd.DataFrame, rows: np.ndarray) -> None:
    cut = len(purchases) // 2
    now = int(purchases["time"].iloc[cut])
    known = data.known_at(purchases, 7)
    unknown = known > now
    changed = purchases.assign(TX_FRAUD=np.where(unknown, 1 - purchases["TX_FRAUD"], purchases["TX_FRAUD"]))
    changed.loc[purchases["time"] > now, "amount"] = 1
    before = purchases["time"].to_numpy() <= now
    assert data.features(changed, known)[before].tobytes() == rows[before].tobytes()


def test_the_probe_finds_a_label_that_comes_too_early(purchases: pd.DataFrame, rows: np.ndarray) -> None:
    leaked = data.features(purchases, purchases["time"].to_numpy() + 1)
    risk = FEATURES.index("terminal_frauds_recent")
    assert (leaked[:, risk] > rows[:, risk]).sum() > 100


def test_the_replay_does_not_depend_on_its_chunks(
    purchases: pd.DataFrame, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "_CHUNK", 7)
    part = purchases.iloc[:4000]
    assert data.features(part, data.known_at(part, 7)).tobytes() == rows[:4000].tobytes()


def test_labels_are_known_when_they_arrive(purchases: pd.DataFrame) -> None:
    fixed = data.known_at(purchases.drop(columns="LABEL_TIME"), 7)
    assert (fixed == purchases["time"] + 7 * DAY).all()
    own = data.known_at(purchases, 7)
    never = purchases["LABEL_TIME"].isna()
    assert (own[never] == data.NEVER).all()
    assert (own[~never] >= purchases["time"][~never]).all()


def test_missing_columns_are_named() -> None:
    with pytest.raises(ValueError, match="TX_AMOUNT, TX_FRAUD"):
        data.prepare(pd.DataFrame(columns=["TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID"]))


def test_a_window_without_rows_is_refused(purchases: pd.DataFrame, rows: np.ndarray) -> None:
    with pytest.raises(ValueError, match="2030-01-01"):
        train(purchases, rows, Window(pd.Timestamp("2030-01-01")), seed=1, version="t")


def test_anybodys_transactions_train_a_model(
    purchases: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [*data.COLUMNS, "TX_FRAUD_SCENARIO"]
    purchases[columns].to_parquet(tmp_path / "mine.parquet")
    arguments = ["train", "--transactions", str(tmp_path / "mine.parquet"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", [*arguments, "--train-start", "2026-01-21"])
    main()
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    figures_of = {"roc_auc", "average_precision", "card_precision_100"}
    assert figures_of <= set(metrics)
    assert figures_of == set(metrics["baseline"])
    assert metrics["split"]["train_days"] == metrics["split"]["delay_days"] == metrics["split"]["test_days"] == 7
    described = {entry.key: entry.value for entry in onnx.load(tmp_path / "out" / "model.onnx").metadata_props}
    assert f"{pd.Timestamp(int(described['trained_until']), unit='s'):%Y-%m-%d}" == "2026-01-27"
    assert described["data_hash"] == metrics["data_hash"] == data.digest(purchases)
    assert not any("SCENARIO" in name or "FRAUD" in name for name in json.loads(described["features"]))


@pytest.mark.parametrize(
    ("more", "complaint"), [([], "needs --train-start"), (["--train-start", "2026-01-21"], "nothing.parquet")]
)
def test_the_command_says_what_is_wrong(
    more: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["train", "--transactions", "nothing.parquet", *more])
    with pytest.raises(SystemExit):
        main()
    assert complaint in capsys.readouterr().err


def test_baseline_windows_equal_their_definition(purchases: pd.DataFrame) -> None:
    some = purchases[purchases["CUSTOMER_ID"] < 20].reset_index(drop=True)
    found = baseline.features(some, 7)
    for at in np.random.default_rng(2).choice(len(some), 40, replace=False):
        one = some.iloc[at]
        own = some[(some["CUSTOMER_ID"] == one.CUSTOMER_ID) & (some["time"] <= one.time)]
        week = own[own["time"] > one.time - 7 * DAY]
        assert found[at, 5] == len(week)
        assert found[at, 6] == pytest.approx(week["TX_AMOUNT"].mean(), rel=1e-5)
        there = some[(some["TERMINAL_ID"] == one.TERMINAL_ID) & (some["time"] <= one.time - 7 * DAY)]
        month = there[there["time"] > one.time - 37 * DAY]
        assert found[at, 13] == len(month)
        assert found[at, 14] == pytest.approx(month["TX_FRAUD"].mean() if len(month) else 0, rel=1e-5)


def test_calibration_mends_what_is_wrong() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(-4, 2, 20_000)
    fraud = rng.random(20_000) < 1 / (1 + np.exp(-truth))
    margin = 2 * truth + 3
    platt = calibrate(margin, fraud)
    assert (platt.a, platt.b) == pytest.approx((0.5, -1.5), abs=0.15)
    assert calibration(fraud, platt(margin))["ece"] < 0.01 < calibration(fraud, Platt()(margin))["ece"]


def test_thresholds_have_the_precision_they_promise() -> None:
    rng = np.random.default_rng(4)
    probability = rng.random(5000)
    fraud = rng.random(5000) < probability
    found = thresholds(probability, fraud)
    assert fraud[probability >= found["review"]].mean() == pytest.approx(max(REVIEW_PRECISION, fraud.mean()), abs=0.01)
    assert fraud[probability >= found["decline"]].mean() == pytest.approx(DECLINE_PRECISION, abs=0.01)
    assert 0 <= found["review"] < found["decline"] < 1


@pytest.mark.parametrize("base_score", [0.5, 0.1])
def test_onnx_equals_xgboost(base_score: float) -> None:
    rng = np.random.default_rng(5)
    made = rng.normal(size=(3000, 9)).astype(np.float32)
    fitted = model(seed=1).set_params(base_score=base_score).fit(made, made[:, 0] + rng.normal(size=3000) > 2)
    platt = Platt(1.3, -0.4)
    exported = to_onnx(fitted, platt, {"version": "v", "features": ["a"]})
    expected = platt(fitted.predict(made, output_margin=True))
    assert np.abs(score(exported, made) - expected).max() < 1e-5
    assert {entry.key: entry.value for entry in exported.metadata_props} == {"version": "v", "features": '["a"]'}


def test_the_shipped_files_belong_together() -> None:
    metrics = json.loads((SHIPPED / "metrics.json").read_text())
    shipped = onnx.load(SHIPPED / "model.onnx")
    described = {entry.key: entry.value for entry in shipped.metadata_props}
    assert tuple(json.loads(described["features"])) == FEATURES
    assert len(json.loads(described["baseline"])) == len(FEATURES)
    assert json.loads(described["thresholds"]) == metrics["thresholds"]
    assert json.loads(described["metrics"]).items() <= metrics.items()
    assert described["data_hash"] == metrics["data_hash"]
    assert described["version"].startswith("fraud-")
    assert metrics["average_precision"] > metrics["baseline"]["average_precision"]
    assert metrics["onnx_max_difference"] < 1e-5
    assert (SHIPPED / "model.onnx").stat().st_size < 5_000_000


def test_the_shipped_model_is_of_this_simulator() -> None:
    metrics = json.loads((SHIPPED / "metrics.json").read_text())
    assert metrics["data_hash"] == data.digest(data.prepare(simulate(SIMULATION))), "python -m models.fraud.train"


def test_the_shipped_model_gives_its_golden_scores() -> None:
    golden = json.loads((SHIPPED / "golden.json").read_text())
    made = np.array([row["features"] for row in golden], np.float32)
    assert len(golden) >= 24
    assert score(SHIPPED / "model.onnx", made) == pytest.approx([row["score"] for row in golden], abs=1e-6)


def test_training_is_reproducible(purchases: pd.DataFrame, rows: np.ndarray) -> None:
    fraud = purchases["TX_FRAUD"].to_numpy() == 1
    one, two = (fit(rows[:5000], fraud[:5000], seed=9).predict(rows, output_margin=True) for _ in range(2))
    assert np.array_equal(one, two)
