"""The gate measures what it says, and a challenger that cannot be trusted never passes, however good its figures."""

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest

from models.recommendations import data, fitting, gate
from models.recommendations.cases import cases
from models.recommendations.contender import Case, Contender, seconds

ITEMS, T = 30, 1_000_000.0


def walks(seed: int, users: int, backwards: bool = False) -> pd.DataFrame:
    """People who go round a circle of items, one by one; the last of seven steps is after T."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        start = int(rng.integers(ITEMS))
        for step in range(7):
            item = (start - step if backwards else start + step) % ITEMS
            rows.append((f"p{user}", f"i{item:02d}", "view", T + 3600.0 * (step - 6) + 1, np.nan))
    table = pd.DataFrame(rows, columns=["user", "item", "kind", "time", "value"])
    return table.sort_values("time", kind="stable", ignore_index=True)


def fitted(base: Path, table: pd.DataFrame) -> Path:
    (base / "train").mkdir(parents=True)
    table[["user", "item", "time"]].to_parquet(base / "train" / "train.parquet", index=False)
    fitting.train({"train": base / "train", "champion": base}, {"ease_items": "0"}, base / "model")
    return base / "model"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """good: of people who walk as those of the evaluation do; backwards: of others; foreign: of another shop."""
    base = tmp_path_factory.mktemp("models")
    good, backwards = walks(1, 300), walks(1, 300, backwards=True)
    foreign = good.assign(item="other-" + good["item"])
    few = good[good["item"] < "i10"]
    tables = {"good": good, "backwards": backwards, "foreign": foreign, "few": few}
    return {name: fitted(base / name, table) for name, table in tables.items()}


class Bench:
    """Archives of two models, and the gate's job on them."""

    def __init__(self, base: Path) -> None:
        self.base = base / "processing"
        rows = walks(2, 250)
        (self.base / "evaluate").mkdir(parents=True)
        cases(rows, T, 2.5).to_parquet(self.base / "evaluate" / "cases.parquet", index=False)
        before = rows[rows["time"] < T]["item"].value_counts().rename_axis("item").reset_index(name="rows")
        before.to_parquet(self.base / "evaluate" / "popularity.parquet", index=False)

    def pack(
        self, side: str, model: Path, change: Callable[[onnx.ModelProto], None] | None = None, without: str = ""
    ) -> None:
        (self.base / side).mkdir()
        with tarfile.open(self.base / side / f"{side}.gz", "w:gz") as archive:
            for path in sorted(model.iterdir()):
                if path.name in without.split():
                    continue
                if path.name == "model.onnx" and change:
                    changed = onnx.load(path)
                    change(changed)
                    onnx.save(changed, self.base / "changed.onnx")
                    archive.add(self.base / "changed.onnx", "model.onnx")
                else:
                    archive.add(path, path.name)

    def evaluation(self) -> dict[str, Any]:
        assert gate.main([]) == 0
        found: dict[str, Any] = json.loads((self.base / "evaluation" / "evaluation.json").read_text())
        return found


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    return Bench(tmp_path)


def test_a_better_model_is_told_better_and_what_the_pipeline_reads_is_there(
    bench: Bench, models: dict[str, Path]
) -> None:
    bench.pack("champion", models["backwards"])
    bench.pack("challenger", models["good"])
    told = bench.evaluation()
    assert told["challenger"]["ndcg_10"] > 0.9
    assert told["gain"]["ndcg_10"] == pytest.approx(told["challenger"]["ndcg_10"] - told["champion"]["ndcg_10"])
    assert 0.1 < told["gain"]["lower"] <= told["gain"]["ndcg_10"]
    assert told["gain"]["worst_slice"] == 0
    assert told["sane"] == 1
    assert 0.2 < told["gain"]["latency_ratio"] < 5
    assert set(told["gain"]) == set(gate.UNUSABLE)
    assert told["users"] == told["rows"] == 250
    metrics = json.loads((models["good"] / "metrics.json").read_text())
    assert told["challenger"]["version"] == metrics["version"] != told["champion"]["version"]
    assert len(told["challenger"]["sha256"]) == 64
    assert len(told["challenger"]["feature_set"]) == 12
    assert told["champion"]["version"] in told["summary"]


def test_a_worse_model_loses_in_figures_that_no_limit_lets_pass(bench: Bench, models: dict[str, Path]) -> None:
    bench.pack("champion", models["good"])
    bench.pack("challenger", models["backwards"])
    gain = bench.evaluation()["gain"]
    assert gain["ndcg_10"] < -0.1
    assert gain["lower"] < gain["ndcg_10"]
    assert gain["worst_slice"] > 0.1


def test_the_same_model_gains_nothing(bench: Bench, models: dict[str, Path]) -> None:
    for side in ("champion", "challenger"):
        bench.pack(side, models["good"])
    gain = bench.evaluation()["gain"]
    assert (gain["ndcg_10"], gain["lower"], gain["coverage_ratio"], gain["worst_slice"]) == (0, 0, 1, 0)


def test_a_champion_of_another_shop_leaves_only_numbers(bench: Bench, models: dict[str, Path]) -> None:
    bench.pack("champion", models["foreign"])
    bench.pack("challenger", models["good"])
    told = bench.evaluation()
    assert told["champion"]["known"] == told["champion"]["ndcg_10"] == told["champion"]["coverage_10"] == 0
    assert told["gain"]["ndcg_10"] > 0.9
    assert told["gain"]["coverage_ratio"] == gate.MOST
    assert 0 < told["gain"]["popularity_ratio"] < 1.5
    assert all(np.isfinite(list(told["gain"].values())))


def reversed_reasons(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        for at, name in enumerate(node.input):
            if name == "strength_16":
                node.input[at] = "strength_negated"
    index = next(at for at, node in enumerate(model.graph.node) if "strength_negated" in node.input)
    model.graph.node.insert(index, onnx.helper.make_node("Neg", ["strength_16"], ["strength_negated"]))


def forgets_exclude(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        for at, name in enumerate(node.input):
            if name == "allowed":
                node.input[at] = "all"


def other_inputs(model: onnx.ModelProto) -> None:
    next(entry for entry in model.metadata_props if entry.key == "features").value = '["items", "k"]'


def without_names(model: onnx.ModelProto) -> None:
    next(entry for entry in model.metadata_props if entry.key == "items").value = "[]"


def not_numbers(model: onnx.ModelProto) -> None:
    (prior,) = (each for each in model.graph.initializer if each.name == "prior")
    prior.CopyFrom(onnx.numpy_helper.from_array(np.full(ITEMS, np.nan, np.float32), "prior"))


@pytest.mark.parametrize(
    ("change", "without", "why"),
    [
        (reversed_reasons, "", "golden profiles"),
        (forgets_exclude, "", "told to exclude"),
        (other_inputs, "", "expects other features"),
        (without_names, "", "does not name its items"),
        (not_numbers, "", "no numbers"),
        (None, "golden.json", "no golden.json"),
        (None, "model.onnx", "no model.onnx"),
    ],
)
def test_a_challenger_that_cannot_be_trusted_is_refused(
    bench: Bench, models: dict[str, Path], change: Any, without: str, why: str
) -> None:
    bench.pack("champion", models["backwards"])
    # A changed file no longer has its checksum: what is tried here is what comes after that check.
    bench.pack("challenger", models["good"], change, f"{without} model.onnx.sha256")
    told = bench.evaluation()
    assert (told["sane"], told["gain"]) == (0, gate.UNUSABLE)
    assert why in told["summary"]
    assert told["challenger"]["version"]


def test_a_challenger_that_knows_a_part_of_the_shop_is_refused(bench: Bench, models: dict[str, Path]) -> None:
    bench.pack("champion", models["good"])
    bench.pack("challenger", models["few"])
    told = bench.evaluation()
    assert (told["sane"], "of what people took" in told["summary"]) == (0, True)


def test_what_is_missing_fails_the_job_with_its_reason(bench: Bench, models: dict[str, Path]) -> None:
    def message() -> str:
        assert gate.main([]) == 1
        return (bench.base.parent / "output" / "message").read_text()

    bench.pack("challenger", models["good"])
    (bench.base / "champion").mkdir()
    assert "one archive" in message()
    shutil.rmtree(bench.base / "champion")
    bench.pack("champion", models["good"], other_inputs)
    assert "the champion cannot be compared with" in message()
    (bench.base / "evaluate" / "cases.parquet").unlink()
    assert "models.recommendations.dataset makes it" in message()


def test_the_slower_of_two_is_told_whatever_else_runs(models: dict[str, Path], tmp_path: Path) -> None:
    for side in ("one", "other"):
        (tmp_path / side).mkdir()
        with tarfile.open(tmp_path / side / "m.tar.gz", "w:gz") as archive:
            archive.add(models["good"] / "model.onnx", "model.onnx")
    one, other = Contender(tmp_path / "one"), Contender(tmp_path / "other")
    ticks = iter(np.cumsum([0, *[1, 0, 3, 0] * 60]).tolist())
    assert seconds([Case("a", "x", [], [])], one, other, clock=lambda: next(ticks)) == [1, 3]


def test_data_hash_and_channels_are_checked_before_a_night_is_spent(tmp_path: Path) -> None:
    table = walks(1, 60)[["user", "item", "time"]]
    (tmp_path / "train").mkdir()
    table.to_parquet(tmp_path / "train" / "train.parquet", index=False)
    good = data.histories(table.assign(timed=True)).digest()
    channels = {"train": tmp_path / "train"}
    fitting.train(channels, {"data_hash": good, "ease_items": "0"}, tmp_path / "model")
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text())
    assert (metrics["data_hash"], metrics["trained_on"]) == (good, "everything")
    assert metrics["rows"]["train"] == len(table)
    metadata = {each.key: each.value for each in onnx.load(tmp_path / "model" / "model.onnx").metadata_props}
    assert int(metadata["trained_until"]) == int(table["time"].max())
    with pytest.raises(ValueError, match="exchanged or damaged"):
        fitting.train(channels, {"data_hash": "0" * 64}, tmp_path / "model")
    with pytest.raises(ValueError, match="'train' is needed"):
        fitting.train({**channels, "extra": tmp_path}, {}, tmp_path / "model")
