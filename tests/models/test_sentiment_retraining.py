"""Corrections teach the last layer what it did not know and make it forget nothing; the gate tells nonsense apart."""

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from cdk.retraining_sentiment import RECIPE, SentimentRetraining
from cuatro.adapters.classifier import Classifier
from cuatro.errors import ModelMismatch
from functions.sentiment import features
from models.sentiment import fitting, gate, guard, rehearsal
from models.sentiment.contender import Contender, seconds
from models.sentiment.data import Post
from models.sentiment.dataset import Windows, build, side_of
from models.sentiment.export import HEAD
from tests.models.sentiment_posts import KNOWN, START, folder, history, model, packed, posts, write

Change = Callable[[onnx.ModelProto], None]


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the live model."""
    return folder(tmp_path_factory.mktemp("champion"), model())


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard set of a model that knows few words."""
    known = tuple(Post(each.text, each.label, "en") for each in posts(np.random.default_rng(9), 150, KNOWN))
    monkeypatch.setattr(guard, "posts", lambda: known)


class Bench:
    """One retraining's folders, below SageMaker's."""

    def __init__(self, base: Path, champion: Path) -> None:
        self.base, self.files = base / "processing", champion
        packed(self.base / "champion", champion)

    def lake(self, wrong: float = 0.0, count: int = 400) -> None:
        """Its data set."""
        write(self.base / "lake", history(np.random.default_rng(3), count, wrong=wrong))
        built = build(str(self.base / "lake"), Windows.of(START + timedelta(days=20), 13, 7), 60)
        built.write(self.base)
        self.data_hash = built.summary["data_hash"]

    def trained(self, **hyperparameters: str) -> Path:
        """The files of the challenger."""
        channels = {"train": self.base / "train", "champion": self.base / "champion"}
        fitting.train(channels, hyperparameters, self.base / "model")
        return self.base / "model"

    def evaluation(self, challenger: Path, without: str = "", **others: bytes) -> dict[str, Any]:
        packed(self.base / "challenger", challenger, without, **others)
        assert gate.main([]) == 0
        told: dict[str, Any] = json.loads((self.base / "evaluation" / "evaluation.json").read_text())
        return told


def refusing(told: dict[str, Any]) -> list[str]:
    """The deployed gate's conditions that do not hold."""
    limits = {name: value for name, (_, value) in SentimentRetraining().parameters("").items()}
    found = []
    for each in RECIPE.conditions:
        value: Any = told
        for name in each.path.split("."):
            value = value[name]
        limit = limits[each.limit] if isinstance(each.limit, str) else each.limit
        if not (value >= limit if each.holds == "at least" else value <= limit):
            found.append(each.path)
    return found


@pytest.fixture
def bench(tmp_path: Path, champion: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    return Bench(tmp_path, champion)


def test_corrections_are_learned_without_forgetting_and_pass_the_gate(bench: Bench) -> None:
    bench.lake()
    made = bench.trained(data_hash=bench.data_hash, seed='"7"')
    told = bench.evaluation(made)
    gain = told["gain"]
    assert gain["macro_recall"] == pytest.approx(told["challenger"]["macro_recall"] - told["champion"]["macro_recall"])
    assert 0 < gain["lower"] < gain["macro_recall"]
    assert gain["macro_recall"] > 0.03
    assert refusing(told) == []
    assert told["challenger"]["guard_macro_recall"] > 0.9
    assert set(gain) == set(gate.UNUSABLE)
    assert told["sane"] == 1
    assert told["rows"] == {"labelled": 140, "guard": 150, "recent": 105}
    assert told["moved"]["recent"] < 0.15
    assert {"language en", "guard set, language en", "brand acme"} == set(told["slices"])
    assert told["challenger"]["feature_set"] == hashlib.sha256(features.VERSION.encode()).hexdigest()[:12]
    metrics = json.loads((made / "metrics.json").read_text())
    assert told["challenger"]["version"] == metrics["version"] != told["champion"]["version"] == "tiny-1"
    held_out = metrics["held_out"][f"{metrics['ridge']:g}"]
    assert held_out["wrong"] < metrics["unchanged"]["wrong"] * 0.8
    assert metrics["rows"] == {"labelled": 260, "recent": 195, "rehearsed": rehearsal.TEXTS}


def test_only_the_last_layer_changes_and_serving_takes_the_file(bench: Bench) -> None:
    bench.lake()
    made = bench.trained()
    before, after = (onnx.load(files / "model.onnx") for files in (bench.files, made))
    changed = {
        one.name
        for one, other in zip(before.graph.initializer, after.graph.initializer, strict=True)
        if not np.array_equal(numpy_helper.to_array(one), numpy_helper.to_array(other))
    }
    assert changed == set(HEAD[:2])
    assert [node.op_type for node in before.graph.node] == [node.op_type for node in after.graph.node]
    served = Classifier(made / "model.onnx", features)
    golden = json.loads((made / "golden.json").read_text())
    given = served.classify([row["text"] for row in golden])
    assert np.abs(given - np.array([row["probabilities"] for row in golden])).max() < 1e-6
    assert served.unsure_below == 0.5
    assert served.version.startswith("sentiment-")
    again = bench.base / "again"
    fitting.train({"train": bench.base / "train", "champion": bench.base / "champion"}, {"seed": "7"}, again)
    assert (again / "model.onnx").read_bytes() == (made / "model.onnx").read_bytes(), "the same data, the same model"


@pytest.mark.parametrize("wrong", [0.3, 1.0])
def test_poisoned_labels_look_good_on_themselves_and_do_not_pass(bench: Bench, wrong: float) -> None:
    bench.lake(wrong)
    told = bench.evaluation(bench.trained())
    assert refusing(told), told["gain"]
    assert told["gain"]["macro_recall"] > -0.05, "the newest labels are as wrong as those that were learned"


def test_the_same_model_gains_nothing(bench: Bench) -> None:
    bench.lake(count=120)
    gain = bench.evaluation(bench.files)["gain"]
    assert {name: value for name, value in gain.items() if name != "latency_ratio"} == dict.fromkeys(
        gate.UNUSABLE.keys() - {"latency_ratio"}, 0
    )
    assert 0.2 < gain["latency_ratio"] < 5


def not_numbers(made: onnx.ModelProto) -> None:
    _replaced(made, "table", lambda table: np.full_like(table, np.nan))


def other_words(made: onnx.ModelProto) -> None:
    _replaced(made, "table", lambda table: table[::-1].copy())


def no_probabilities(made: onnx.ModelProto) -> None:
    next(node for node in made.graph.node if node.op_type == "Softmax").op_type = "LogSoftmax"


def other_features(made: onnx.ModelProto) -> None:
    next(each for each in made.metadata_props if each.key == "features").value = "sentiment-0"


def _replaced(made: onnx.ModelProto, name: str, change: Callable[[Any], Any]) -> None:
    (found,) = (each for each in made.graph.initializer if each.name == name)
    found.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(found)), name))


@pytest.mark.parametrize(
    ("change", "without", "why"),
    [
        (not_numbers, "", "no numbers"),
        (no_probabilities, "", "no probabilities"),
        (other_words, "", "its golden posts"),
        (other_features, "", "expects other features"),
        (None, "golden.json", "no golden.json"),
        (None, "model.onnx", "no model.onnx"),
        (None, "tokenizer.model", "no tokenizer.model"),
    ],
)
def test_a_challenger_that_cannot_be_trusted_is_refused(
    bench: Bench, change: Change | None, without: str, why: str
) -> None:
    bench.lake(count=120)
    others = {}
    if change:
        made = onnx.load(bench.files / "model.onnx")
        change(made)
        others["model_onnx"] = made.SerializeToString()
    told = bench.evaluation(bench.files, without, **others)
    assert (told["sane"], told["gain"]) == (0, gate.UNUSABLE)
    assert why in told["summary"]


def test_what_is_missing_fails_a_job_with_its_reason(bench: Bench) -> None:
    bench.lake(count=120)

    def message() -> str:
        assert gate.main([]) == 1
        return (bench.base.parent / "output" / "message").read_text()

    packed(bench.base / "challenger", bench.files)
    shutil.rmtree(bench.base / "champion")
    made = onnx.load(bench.files / "model.onnx")
    other_features(made)
    packed(bench.base / "champion", bench.files, model_onnx=made.SerializeToString())
    assert "the champion cannot be compared with" in message()
    (bench.base / "evaluate" / "labelled.parquet").unlink()
    assert "models.sentiment.dataset makes it" in message()


def test_training_says_what_is_wrong_with_its_input(bench: Bench, tmp_path: Path) -> None:
    bench.lake(count=120)
    for wrong, why in (
        ({"data_hash": "0" * 64}, "not the data_hash"), ({"rounds": "3"}, "unknown hyperparameters rounds"),
        ({"seed": "-1"}, "no whole number"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=why):
            bench.trained(**wrong)
    with pytest.raises(ValueError, match="champion and train"):
        fitting.train({"train": bench.base / "train"}, {}, tmp_path / "model")
    made = onnx.load(bench.files / "model.onnx")
    del made.graph.output[1]
    shutil.rmtree(bench.base / "champion")
    packed(bench.base / "champion", bench.files, model_onnx=made.SerializeToString())
    with pytest.raises(ModelMismatch, match="no output embedding"):
        bench.trained()


def test_without_recent_posts_it_is_trained_and_judged_on_labels_alone(bench: Bench) -> None:
    rows = [row for row in history(np.random.default_rng(3), 120) if "post" in row]
    write(bench.base / "lake", rows)
    build(str(bench.base / "lake"), Windows.of(START + timedelta(days=20), 13, 7), 60).write(bench.base)
    assert len(side_of(bench.base / "train").recent) == 0
    told = bench.evaluation(bench.trained())
    assert told["rows"]["recent"] == 0
    assert all(np.isfinite(list(told["gain"].values())))


def test_the_slower_of_two_is_told_whatever_else_runs(champion: Path) -> None:
    one, other = Contender(champion), Contender(champion)
    ticks = iter(np.cumsum([0, *[1, 0, 3, 0] * 60]).tolist())
    assert seconds(["a"], one, other, clock=lambda: next(ticks)) == [1, 3]
