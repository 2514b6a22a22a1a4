"""A model built upon the live one is the sum of both, and is chosen by days that the live one never saw."""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest

from functions.fraud.features import FEATURES
from models.fraud import fitting, training_set
from models.fraud.champion import Champion, NotBuiltUponError
from models.fraud.ensemble import attributes
from models.fraud.evaluate import DAY
from models.fraud.export import Platt, score, to_onnx
from models.fraud.learning import fit, margins

DAYS, A_DAY = 24, 60


def table(seed: int, first_day: int, *, days: int = DAYS) -> pd.DataFrame:
    """Rows in which two features tell frauds: the second one only from the day 18 of all time."""
    rng = np.random.default_rng(seed)
    count = days * A_DAY
    matrix = rng.normal(size=(count, len(FEATURES))).astype(np.float32)
    time = first_day * DAY + np.arange(count) * (DAY // A_DAY)
    about = {
        "transaction_id": [f"{seed}-{number}" for number in range(count)],
        "card_id": "c", "terminal_id": "t", "time": time, "channel": "stream", "outcome": "approve",
        "score": 0.0, "model_version": "v",
        "fraud": (matrix[:, 0] * matrix[:, 2] > 2) | ((matrix[:, 1] > 1.5) & (time >= 18 * DAY)),
    }  # fmt: skip
    return pd.concat([pd.DataFrame(about), pd.DataFrame(matrix, columns=list(FEATURES))], axis=1)


def trained(base: Path, rows: pd.DataFrame, champion: Path | None = None, rounds: int = 6) -> Path:
    """The model's directory."""
    training_set.write(rows, base / "train" / "train.parquet")
    channels = {"train": base / "train"} | ({"champion": champion} if champion else {})
    fitting.train(channels, {"rounds": str(rounds)}, base / "model")
    return base / "model"


def archived(model: onnx.ModelProto | Path, base: Path) -> Path:
    """A channel with one archive, whatever its name."""
    base.mkdir()
    path = base / "model.onnx"
    path.write_bytes(model.read_bytes() if isinstance(model, Path) else model.SerializeToString())
    (base / "champion").mkdir()
    with tarfile.open(base / "champion" / "0a1b2c.gz", "w:gz") as archive:
        archive.add(path, path.name)
    return base / "champion"


def told(model: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((model / "metrics.json").read_text())["candidates"]
    return found


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The champion: it learned from five times as many days, before the day 0 and before anything changed."""
    base = tmp_path_factory.mktemp("old")
    return trained(base, table(1, -5 * DAYS, days=5 * DAYS), rounds=30) / "model.onnx"


def test_one_ensemble_is_the_sum_of_both(old: Path) -> None:
    champion = Champion(onnx.load(old))
    rows = table(2, 0)
    matrix = training_set.matrix(rows)
    model = fit(matrix, training_set.labels(rows), 7, 10, champion)
    merged = to_onnx(model, Platt(), {"features": list(FEATURES), "trained_until": 0}, champion.model)
    assert [node.op_type for node in merged.graph.node] == ["TreeEnsembleClassifier"]
    both = Champion(merged)
    assert both.trees == champion.trees + 40
    alone = model.predict(matrix, output_margin=True, base_margin=np.zeros(len(matrix)))
    assert np.abs(both.margin(matrix) - (champion.margin(matrix) + alone)).max() < 1e-5
    platt = Platt(0.7, -0.3)
    calibrated = score(to_onnx(model, platt, {}, champion.model), matrix)
    assert np.abs(calibrated - platt(margins(model, matrix, champion))).max() < 1e-5


def test_on_little_data_what_the_champion_knows_is_kept(old: Path, tmp_path: Path) -> None:
    rows = table(2, 0)
    alone = trained(tmp_path / "alone", rows)
    upon = trained(tmp_path / "upon", rows, archived(old, tmp_path / "champion"))
    figures = told(upon)["average_precision"]
    assert told(upon)["chosen"] == "on the champion"
    assert isinstance(figures, dict)
    assert figures["on the champion"] > figures["from scratch"] > 0
    later = table(3, DAYS)
    matrix = training_set.matrix(later)
    known = matrix[:, 0] * matrix[:, 2] > 2

    def recall(model: Path) -> float:
        """Of the old frauds among the 200 highest scores."""
        found = np.argsort(-score(model / "model.onnx", matrix))[:200]
        return float(known[found].sum() / known.sum())

    assert recall(upon) > recall(alone)
    golden = json.loads((upon / "golden.json").read_text())
    made = score(upon / "model.onnx", np.array([row["features"] for row in golden], np.float32))
    assert made == pytest.approx([row["score"] for row in golden], abs=1e-6)
    again = Champion(onnx.load(upon / "model.onnx"))
    assert again.trained_until == rows["time"].max()
    assert again.trees <= Champion(onnx.load(old)).trees * 4 / 3


def test_without_the_channel_the_model_is_the_same_as_ever(old: Path, tmp_path: Path) -> None:
    rows = table(2, 0)
    alone = trained(tmp_path / "alone", rows)
    assert told(alone) == {"chosen": "from scratch", "why": "there is no champion"}
    seen = trained(tmp_path / "seen", rows, archived(changed(old, until(10**12)), tmp_path / "champion"))
    assert (seen / "model.onnx").read_bytes() == (alone / "model.onnx").read_bytes()


def test_a_champion_is_not_judged_by_rows_that_it_learned_from(old: Path, tmp_path: Path) -> None:
    rows = table(2, 0)
    most = changed(old, until((DAYS - 3) * DAY))
    assert "days that the champion has not seen" in str(
        told(trained(tmp_path / "most", rows, archived(most, tmp_path / "a")))["why"]
    )
    part = changed(old, until(DAY // 2))
    upon = trained(tmp_path / "part", rows, archived(part, tmp_path / "b"))
    assert told(upon)["chosen"] == "on the champion"
    counted = json.loads((upon / "metrics.json").read_text())["rows"]["train"]
    assert counted == (rows["time"] > DAY // 2).sum()


def changed(model: Path, change: Callable[[onnx.ModelProto], None]) -> onnx.ModelProto:
    proto = onnx.load(model)
    change(proto)
    return proto


def said(name: str, value: str | None) -> Callable[[onnx.ModelProto], None]:
    """A change of the metadata."""

    def change(proto: onnx.ModelProto) -> None:
        kept = {entry.key: entry.value for entry in proto.metadata_props if entry.key != name}
        del proto.metadata_props[:]
        onnx.helper.set_model_props(proto, kept if value is None else {**kept, name: value})

    return change


def until(moment: int) -> Callable[[onnx.ModelProto], None]:
    return said("trained_until", str(moment))


def behind(proto: onnx.ModelProto) -> None:
    """Another node behind the trees."""
    proto.graph.node.append(onnx.helper.make_node("Identity", ["probabilities"], ["same"]))


def plain(proto: onnx.ModelProto) -> None:
    attributes(proto)["post_transform"].s = b"NONE"


def many(proto: onnx.ModelProto) -> None:
    given = attributes(proto)
    given["nodes_treeids"].ints[:] = range(len(given["nodes_treeids"].ints))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (said("trained_until", None), "does not say until when"),
        (said("trained_until", '"yesterday"'), "does not say until when"),
        (said("features", '["amount"]'), "names other features"),
        (behind, "no single tree ensemble, but TreeEnsembleClassifier, Identity"),
        (plain, "do not add up to the margin"),
        (many, "720 are the most to add others to"),
    ],
)
def test_what_cannot_be_built_upon_is_named_and_left_alone(
    old: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, change: Callable[[onnx.ModelProto], None], why: str
) -> None:
    other = changed(old, change)
    with pytest.raises(NotBuiltUponError, match=why):
        Champion(other)
    caplog.set_level("INFO")
    made = trained(tmp_path / "made", table(2, 0), archived(other, tmp_path / "champion"), rounds=1)
    assert told(made)["chosen"] == "from scratch"
    assert why in str(told(made)["why"])
    assert why in caplog.text


def test_the_shipped_model_can_be_built_upon() -> None:
    assert Champion(onnx.load(Path("models/fraud/model.onnx"))).trained_until == 0
