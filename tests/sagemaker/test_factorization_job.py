"""The built-in Factorization Machines as a person runs them: one command, a job on the platform, an ONNX file."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from local.platform.account import ACCESS_KEY, REGION, SECRET_KEY
from local.platform.process import ROOT, Platform
from models.recommendations.export import Recommender

JOB = "models.recommendations.factorization.job"


@pytest.fixture
def place(bucket: str, role: str) -> tuple[str, ...]:
    """Where the job works."""
    return "--bucket", bucket, "--role", role


def run(platform: Platform, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ, "AWS_ENDPOINT_URL": platform.endpoint, "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_DEFAULT_REGION": REGION,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'core' / 'python'}",
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", JOB, *arguments], env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def interactions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People who keep to one of four groups of items."""
    rng = np.random.default_rng(9)
    rows = ["user,item,timestamp"]
    for user in range(160):
        rows += [f"u{user},i{item + 10 * (user % 4)},{place}" for place, item in enumerate(rng.permutation(10)[:6])]
    path = tmp_path_factory.mktemp("interactions") / "interactions.csv"
    path.write_text("\n".join(rows))
    return path


def test_a_job_trains_and_its_archive_becomes_the_pipelines_model(
    platform: Platform, sagemaker: Any, place: tuple[str, ...], interactions: Path, tmp_path: Path
) -> None:
    done = run(
        platform, *place, "--interactions", str(interactions), "--out", str(tmp_path),
        "--factors", "8", "--epochs", "30",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Completed" in done.stderr

    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["recall_10"] > 2 * metrics["baselines"]["popularity"]["recall_10"]
    serve = Recommender(tmp_path / "model.onnx")
    names = json.loads(serve.metadata["items"])
    of_one_group = [names.index(name) for name in ("i1", "i2", "i3")]
    top = serve(of_one_group, None, of_one_group, k=3).top
    assert {int(names[each][1:]) // 10 for each in top} == {0}

    newest = sagemaker.list_training_jobs(NameContains="factorization-", SortBy="CreationTime", SortOrder="Descending")
    job = sagemaker.describe_training_job(TrainingJobName=newest["TrainingJobSummaries"][0]["TrainingJobName"])
    assert job["AlgorithmSpecification"]["TrainingImage"].endswith("/factorization-machines:1")
    assert job["HyperParameters"] == {
        "feature_dim": "80", "num_factors": "8", "epochs": "30", "predictor_type": "binary_classifier",
    }  # fmt: skip


def test_what_the_algorithm_refuses_is_told(
    platform: Platform, place: tuple[str, ...], interactions: Path, tmp_path: Path
) -> None:
    done = run(
        platform, *place, "--interactions", str(interactions), "--out", str(tmp_path),
        "--factors", "none",
    )  # fmt: skip
    assert done.returncode == 2  # not a number: argparse says so
    done = run(platform, "--interactions", str(interactions), "--archive", str(interactions), "--out", str(tmp_path))
    assert done.returncode == 1
    assert "no model of the Factorization Machines algorithm" in done.stderr
    assert not (tmp_path / "model.onnx").exists()
