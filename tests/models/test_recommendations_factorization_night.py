"""The jobs of a night with the built-in algorithm: rows of the lake, and what the algorithm left made an archive."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.recommendations import data
from models.recommendations import dataset as own_dataset
from models.recommendations.backfill import files
from models.recommendations.contender import Contender
from models.recommendations.factorization import convert, dataset, recordio
from models.recommendations.factorization.machine import Setting, trained
from models.recommendations.factorization.parameters import Parameters, packed
from models.recommendations.gate import inputs
from tests.factorization_loop.conftest import GROUPS, ITEMS, past


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lake")
    for key, content in files(past()):
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


@pytest.fixture(scope="module")
def built(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What BuildTrainingSet leaves, below processing/."""
    base = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SAGEMAKER_BASE_DIR", str(base))
        as_of = (datetime.now(UTC) - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert dataset.main(["--lake", str(lake), "--as-of", as_of, "--train-days", "60"]) == 0
    return base / "processing"


@pytest.fixture(scope="module")
def machine(built: Path) -> Parameters:
    with (built / "rows" / dataset.ROWS).open("rb") as file:
        rows, labels = recordio.read(file)
    return trained(rows, labels, Setting(num_factors=16), lambda epoch, loss: None)


@pytest.fixture
def night(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of the step Convert."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    for name in ("train", "evaluate", "summary"):
        shutil.copytree(built / name, tmp_path / "processing" / name)
    return tmp_path / "processing"


def leave(night: Path, model: Parameters) -> None:
    (night / "trained").mkdir()
    (night / "trained" / "model.tar.gz").write_bytes(packed(model))


def why(night: Path) -> str:
    return (night.parent / "output" / "message").read_text(encoding="utf-8")


def test_the_summary_tells_what_the_algorithm_must_know(built: Path) -> None:
    told: dict[str, Any] = json.loads((built / "summary" / "summary.json").read_text())
    with (built / "rows" / dataset.ROWS).open("rb") as file:
        rows, labels = recordio.read(file)
    assert told["factorization"] == {"feature_dim": 2 * GROUPS * ITEMS, "rows": len(labels), "fade": 1.0, "seed": 7}
    assert rows.shape[1] == told["factorization"]["feature_dim"]
    assert labels.sum() == told["rows"]["train"] - told["users"]["train"]


def test_the_rest_is_what_the_own_model_gets(
    lake: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    told: dict[str, Any] = json.loads((built / "summary" / "summary.json").read_text())
    given = ["--lake", str(lake), "--as-of", told["windows"]["as_of"], "--train-days", "60"]
    assert own_dataset.main(given) == 0
    own = tmp_path / "processing"
    assert json.loads((own / "summary" / "summary.json").read_text()) == {
        name: value for name, value in told.items() if name != "factorization"
    }
    assert {path.name for path in own.iterdir()} == {"train", "evaluate", "summary"}


def test_the_archive_is_one_that_the_gate_can_use(night: Path, machine: Parameters) -> None:
    leave(night, machine)
    assert convert.main([]) == 0
    found, (cases, popularity) = Contender(night / "model"), inputs(night / "evaluate")
    lists = found.lists(cases)
    assert found.why_unusable(cases, lists, popularity) == ""
    assert found.version.startswith("recommendations-fm-")
    assert len(found.golden) > 10
    train = data.histories(data.read(night / "train" / "train.parquet"))
    assert [found.ranker.popularity(item) for item in train.names] == train.counts.tolist()
    own = sum(case.wanted in ranked.items[:10] for case, ranked in zip(cases, lists, strict=True)) / len(cases)
    assert own > 0.4, "ten of the items of a group that are left, where one in fifteen is by chance"


def test_parameters_that_are_no_numbers_end_the_run(night: Path, machine: Parameters) -> None:
    factors = machine.factors.copy()
    factors[3, 0] = np.nan
    leave(night, machine._replace(factors=factors))
    assert convert.main([]) == 1
    assert "did not converge" in why(night)
    assert not (night / "model").exists()


def test_parameters_of_other_rows_end_the_run(night: Path, machine: Parameters) -> None:
    leave(night, machine._replace(factors=machine.factors[:-2], linear=machine.linear[:-2]))
    assert convert.main([]) == 1
    assert "a model of other items" in why(night)


def test_another_training_set_ends_the_run(night: Path, machine: Parameters) -> None:
    leave(night, machine)
    table = data.read(night / "train" / "train.parquet")
    table.iloc[1:][["user", "item", "time"]].to_parquet(night / "train" / "train.parquet", index=False)
    assert convert.main([]) == 1
    assert "exchanged or damaged" in why(night)
