"""`train` keeps SageMaker's contract in a real process: what it writes, and how each failure is told."""

import json
import re
import signal
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest

from functions.fraud.features import FEATURES
from models.container.loading import ServedModel
from models.fraud import fitting, training_set
from tests.models.container_process import PATIENCE_S, ROOT, command, environment, prepared, run


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A train.parquet of 600 rows on 12 days, in which the first feature tells frauds."""
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(600, len(FEATURES))).astype(np.float32)
    about = {
        "transaction_id": [str(number) for number in range(600)],
        "card_id": "c", "terminal_id": "t", "time": np.arange(600) * 1728, "channel": "stream", "outcome": "approve",
        "score": 0.0, "model_version": "v", "fraud": matrix[:, 0] > 1.3,
    }  # fmt: skip
    directory = tmp_path_factory.mktemp("channel")
    rows = pd.concat([pd.DataFrame(about), pd.DataFrame(matrix, columns=list(FEATURES))], axis=1)
    training_set.write(rows, directory / "train.parquet")
    return directory


def failure(base: Path) -> str:
    """Its first line, which SageMaker shows."""
    return (base / "output" / "failure").read_text().splitlines()[0]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, channel: Path) -> Path:
    """The base directory of a training job that ended well."""
    base = tmp_path_factory.mktemp("done")
    data_hash = training_set.digest(training_set.read(channel, "train"))
    ended = run("train", prepared(base, {"seed": "3", "rounds": '"5"', "data_hash": data_hash}, {"train": channel}))
    assert ended.returncode == 0, ended.stdout
    return base


def test_a_model_with_its_figures_and_golden_rows(done: Path, channel: Path) -> None:
    assert not (done / "output" / "failure").exists()
    out = done / "model"
    assert {path.name for path in out.iterdir()} == {"model.onnx", "model.onnx.sha256", "metrics.json", "golden.json"}
    metrics = json.loads((out / "metrics.json").read_text())
    data_hash = training_set.digest(training_set.read(channel, "train"))
    assert (metrics["seed"], metrics["rounds"], metrics["data_hash"]) == (3, 5, data_hash)
    assert metrics["average_precision"] > 0.9
    served = ServedModel(out)
    assert served.features == FEATURES
    assert served.version == metrics["version"]
    assert served.thresholds == metrics["thresholds"]
    golden = json.loads((out / "golden.json").read_text())
    scores = served.score(np.array([row["features"] for row in golden], np.float32))
    assert scores == pytest.approx([row["score"] for row in golden], abs=1e-6)


def test_the_reference_is_of_the_training_rows(done: Path, channel: Path) -> None:
    described = {entry.key: entry.value for entry in onnx.load(done / "model" / "model.onnx").metadata_props}
    assert len(described["reference"]) < 20_000
    told = json.loads(described["reference"])
    rows = training_set.read(channel, "train")
    matrix = training_set.matrix(rows)
    assert set(told["features"]) == set(FEATURES)
    for at, name in enumerate(FEATURES):
        bins = told["features"][name]
        found = np.bincount(np.searchsorted(bins["edges"], matrix[:, at].astype(float)), minlength=10)
        assert found / len(matrix) == pytest.approx(bins["shares"], abs=1e-6)
    assert sum(told["scores"]["shares"]) == pytest.approx(1, abs=1e-4)
    assert told["prevalence"] == pytest.approx(rows["fraud"].mean())
    assert 0 < told["average_precision"] <= 1


def test_the_same_data_gives_the_same_file(done: Path, channel: Path, tmp_path: Path) -> None:
    fitting.train({"train": channel}, {"seed": "3", "rounds": "5"}, tmp_path)
    assert (tmp_path / "model.onnx").read_bytes() == (done / "model" / "model.onnx").read_bytes()


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"depth": "3"}, "unknown hyperparameters depth: there are data_hash, rounds, seed"),
        ({"rounds": "many"}, "hyperparameter rounds='many' is no whole number from 1 to 1000"),
        ({"rounds": "0"}, "hyperparameter rounds='0' is no whole number from 1 to 1000"),
        ({"data_hash": "abc"}, "not the data_hash abc that was asked for"),
    ],
)
def test_wrong_hyperparameters_are_named(tmp_path: Path, channel: Path, parameters: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        fitting.train({"train": channel}, parameters, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_crash_leaves_its_reason_and_traceback(tmp_path: Path) -> None:
    channel = tmp_path / "channel"
    channel.mkdir()
    (channel / "train.parquet").write_bytes(b"not parquet")
    ended = run("train", prepared(tmp_path / "ml", {}, {"train": channel}))
    assert ended.returncode == 1
    told = (tmp_path / "ml" / "output" / "failure").read_text()
    assert told.startswith("ArrowInvalid: ")
    assert "Traceback" in told
    assert "Traceback" in ended.stdout


def test_a_missing_channel_or_model_is_named(tmp_path: Path, channel: Path) -> None:
    prepared(tmp_path / "a", {}, {"train": channel})
    (tmp_path / "a" / "input" / "data" / "train").unlink()
    assert run("train", tmp_path / "a").returncode == 1
    assert failure(tmp_path / "a") == "ValueError: no data in input/data for channel train"
    assert run("train", prepared(tmp_path / "b", {}, {"train": channel}), CUATRO_MODEL="weather").returncode == 1
    assert "CUATRO_MODEL='weather' is no pipeline with a model: set it to one of fraud" in failure(tmp_path / "b")


def test_damaged_configuration_is_named(tmp_path: Path, channel: Path) -> None:
    prepared(tmp_path, {}, {"train": channel})
    (tmp_path / "input" / "config" / "hyperparameters.json").write_text("{")
    assert run("train", tmp_path).returncode == 1
    assert failure(tmp_path).startswith("ValueError: hyperparameters.json is not JSON")


def test_sigterm_ends_it_soon_and_leaves_no_model(tmp_path: Path, channel: Path) -> None:
    base = prepared(tmp_path, {"rounds": "1000"}, {"train": channel})
    with subprocess.Popen(
        command("train"), env=environment(base), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "for calibration, 1 of" in line:
                break
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert failure(base) == "Stopped: the training got SIGTERM before it was done"
    assert not list((base / "model").iterdir())


def test_it_is_called_with_one_of_two_words(tmp_path: Path) -> None:
    ended = run("test", tmp_path)
    assert (ended.returncode, ended.stderr) == (2, "usage: python -m models.container.main train|serve\n")
