"""The gate measures what it says, and a challenger that cannot be trusted never passes, however good its figures."""

import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from functions.fraud.features import FEATURE_SET, FEATURES
from models.fraud import fitting, gate, training_set
from models.fraud.comparison import lower_gain, seconds
from models.fraud.slices import compared

COUNT = 1500


def table(seed: int) -> pd.DataFrame:
    """Rows in which the amount tells frauds, at day and night, of 100 cards."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(COUNT, len(FEATURES))).astype(np.float32)
    matrix[:, FEATURES.index("night")] = rng.random(COUNT) < 0.3
    matrix[:, FEATURES.index("amount")] = rng.lognormal(3, 1, COUNT)
    about = {
        "transaction_id": [str(number) for number in range(COUNT)],
        "card_id": rng.integers(0, 100, COUNT).astype(str), "terminal_id": "t", "time": np.arange(COUNT) * 600,
        "channel": "stream", "outcome": "approve", "score": 0.0, "model_version": "v",
        "fraud": matrix[:, 0] * rng.lognormal(0, 0.2, COUNT) > 60,
    }  # fmt: skip
    return pd.concat([pd.DataFrame(about), pd.DataFrame(matrix, columns=list(FEATURES))], axis=1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("trained")
    training_set.write(table(1), base / "train.parquet")
    fitting.train({"train": base}, {"rounds": "5"}, base / "model")
    return base / "model"


class Bench:
    """Archives of two models, and the gate's job on them."""

    def __init__(self, base: Path) -> None:
        self.base = base / "processing"
        training_set.write(table(2), self.base / "evaluate" / "evaluate.parquet")

    def pack(self, side: str, model: Path, change: Any = None, without: tuple[str, ...] = ()) -> None:
        """change: onnx.ModelProto -> None, in place."""
        (self.base / side).mkdir()
        with tarfile.open(self.base / side / "model.tar.gz", "w:gz") as archive:
            for path in sorted(model.iterdir()):
                if path.name in without:
                    continue
                source = path
                if change and path.name == "model.onnx":
                    proto = onnx.load(path)
                    change(proto)
                    source = self.base / f"{side}.onnx"
                    onnx.save(proto, source)
                archive.add(source, path.name)

    def evaluation(self) -> dict[str, Any]:
        assert gate.main([]) == 0
        found: dict[str, Any] = json.loads((self.base / "evaluation" / "evaluation.json").read_text())
        return found

    def message(self) -> str:
        assert gate.main([]) == 1
        return (self.base.parent / "output" / "message").read_text()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    return Bench(tmp_path)


def property_of(name: str, value: str | None) -> Any:
    """A change of the metadata."""

    def change(proto: onnx.ModelProto) -> None:
        kept = {entry.key: entry.value for entry in proto.metadata_props if entry.key != name}
        del proto.metadata_props[:]
        onnx.helper.set_model_props(proto, kept if value is None else {**kept, name: value})

    return change


def bare(proto: onnx.ModelProto) -> None:
    del proto.metadata_props[:]


def test_a_model_gains_nothing_over_itself(bench: Bench, trained: Path) -> None:
    bench.pack("champion", trained)
    bench.pack("challenger", trained)
    found = bench.evaluation()
    assert found["sane"] == 1
    assert {name: found["gain"][name] for name in ("average_precision", "lower", "ece", "worst_slice")} == {
        "average_precision": 0, "lower": 0, "ece": 0, "worst_slice": 0,
    }  # fmt: skip
    assert found["challenger"].pop("feature_set") == FEATURE_SET
    assert found["champion"] | {"ms_per_1000": 0} == found["challenger"] | {"ms_per_1000": 0}


def test_a_champion_without_metadata_is_compared_with(bench: Bench, trained: Path) -> None:
    bench.pack("champion", trained, bare, without=("golden.json", "metrics.json"))
    bench.pack("challenger", trained)
    found = bench.evaluation()
    assert found["sane"] == 1
    assert found["champion"]["version"] == "unknown"
    assert found["gain"]["average_precision"] == 0
    # It has no thresholds: it is taken to review as many as the challenger.
    assert abs(found["gain"]["worst_slice"]) < 0.05


def swapped(proto: onnx.ModelProto) -> None:
    (trees,) = (node for node in proto.graph.node if node.op_type == "TreeEnsembleClassifier")
    weights = next(each for each in trees.attribute if each.name == "class_weights").floats
    weights[0] += 1


def test_a_golden_row_without_a_score_proves_nothing(bench: Bench, trained: Path, tmp_path: Path) -> None:
    model = tmp_path / "numberless"
    shutil.copytree(trained, model)
    rows = json.loads((model / "golden.json").read_text())
    (model / "golden.json").write_text(json.dumps([{**rows[0], "score": float("nan")}]))
    bench.pack("champion", trained)
    bench.pack("challenger", model)
    assert "does not give its golden rows their scores" in bench.evaluation()["summary"]


def test_a_champion_of_other_features_is_not_compared_with(bench: Bench, trained: Path) -> None:
    """As many, so that it would give scores: meaningless ones, which anything beats."""
    bench.pack("champion", trained, property_of("features", json.dumps(FEATURES[::-1])))
    bench.pack("challenger", trained)
    assert "the champion cannot be compared with: its metadata names other features" in bench.message()


@pytest.mark.parametrize(
    ("change", "without", "why"),
    [
        (property_of("features", '["amount"]'), (), "names other features"),
        (property_of("thresholds", None), (), "its thresholds are {}"),
        (property_of("thresholds", '{"review": 0.9, "decline": 0.1}'), (), "its thresholds are"),
        (swapped, (), "does not give its golden rows their scores"),
        (None, ("golden.json",), "has no golden.json"),
        (None, ("model.onnx",), "there is no model.onnx"),
    ],
)
def test_a_challenger_that_cannot_be_trusted_passes_no_limit(
    bench: Bench, trained: Path, change: Any, without: tuple[str, ...], why: str
) -> None:
    bench.pack("champion", trained)
    bench.pack("challenger", trained, change, without)
    found = bench.evaluation()
    assert found["sane"] == 0
    assert why in found["summary"]
    assert found["gain"]["average_precision"] < 0 < found["gain"]["ece"]


def test_an_archive_that_is_none_is_named(bench: Bench, trained: Path) -> None:
    bench.pack("challenger", trained)
    (bench.base / "champion").mkdir()
    assert "one archive (model.tar.gz) is expected in" in bench.message()
    (bench.base / "champion" / "0a1b2c.gz").write_bytes(b"no archive")
    assert "0a1b2c.gz cannot be unpacked" in bench.message()


def test_an_archive_that_climbs_out_is_refused(bench: Bench, trained: Path, tmp_path: Path) -> None:
    bench.pack("challenger", trained)
    (bench.base / "champion").mkdir()
    with tarfile.open(bench.base / "champion" / "model.tar.gz", "w:gz") as archive:
        archive.add(trained / "model.onnx", "../../escaped")
    assert "cannot be unpacked" in bench.message()
    assert not list(tmp_path.rglob("escaped"))


def test_the_bootstrap_measures_average_precision_and_draws_cards() -> None:
    rng = np.random.default_rng(3)
    fraud = rng.random(900) < 0.1
    good, bad = fraud + rng.normal(0, 0.5, 900), rng.random(900).round(1)
    alone = np.arange(900)
    gain = average_precision_score(fraud, good) - average_precision_score(fraud, bad)
    lower = lower_gain(fraud, alone, bad, good)
    assert 0 < lower < gain
    assert lower_gain(fraud, alone, good, bad) < -lower
    # Fewer, larger cards say less: the same gain is less certain.
    assert lower_gain(fraud, np.sort(alone % 12), bad, good) != lower
    assert lower_gain(fraud, np.zeros(900), bad, good) == pytest.approx(gain)  # one card: every draw is all of it


def test_a_busy_moment_does_not_make_a_model_slow() -> None:
    now, calls = [0.0], [0]

    def work(takes: float) -> Any:
        def scorer(rows: np.ndarray) -> None:
            calls[0] += 1
            busy = 5.0 if calls[0] in {3, 4, 8} else 0.0
            now[0] += takes * len(rows) / 1000 + busy

        return scorer

    assert seconds(np.ones((10, 8)), work(1), work(3), clock=lambda: now[0]) == pytest.approx([1, 3])


def test_the_slice_that_loses_most_is_named() -> None:
    rows = table(4)
    fraud = training_set.labels(rows)
    night = rows["night"].to_numpy() > 0
    everything = np.ones(COUNT, bool)
    told, worst, where = compared(rows, fraud, {"champion": fraud, "challenger": fraud & ~night})
    assert (worst, where) == (1, "night, recall")
    assert told["night"]["challenger"]["recall"] == 0
    assert told["day"]["challenger"]["recall"] == 1
    _, worst, where = compared(rows, fraud, {"champion": fraud, "challenger": everything})
    assert (worst, where.partition(", ")[2]) == (1, "false positive rate")
    few = fraud & (np.cumsum(fraud & night) <= 5)  # a slice of so few frauds is reported, and does not count
    told, worst, where = compared(rows, few, {"champion": few, "challenger": few & ~night})
    assert told["night"]["frauds"] == 5
    assert "night" not in where
