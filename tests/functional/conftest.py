"""A fresh suite for each test, and the metrics that the functions wrote."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cuatro.config import settings
from tests.functional import tiny_model
from tests.functional.aws_in_memory import wired
from tests.functional.suite import ENVIRONMENT, Suite

POLICY = {"hard_limit": 500_000, "max_1h_count": 50, "rates": {"USD": 0.9, "JPY": 0.6}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Powertools warns when a function that failed has no metrics to tell."""
    for item in items:
        if "functional" in item.path.parts:
            item.add_marker(pytest.mark.filterwarnings("ignore:No application metrics"))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large amounts are suspicious: 100 EUR scores 0.5, 200 EUR 0.95."""
    return tiny_model.save(tmp_path_factory.mktemp("model") / "model.onnx", {"amount": 0.03}, -3.0)


@pytest.fixture
def environment(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The functions' variables; a test may change them before it calls a function."""
    for name, value in {**ENVIRONMENT, "MODEL_URI": str(tiny), "POLICY": json.dumps(POLICY)}.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return monkeypatch


@pytest.fixture
def policy(environment: pytest.MonkeyPatch) -> Callable[..., None]:
    """Another POLICY for the calls that follow."""

    def change(**fields: Any) -> None:
        environment.setenv("POLICY", json.dumps(fields))
        settings.cache_clear()

    return change


@pytest.fixture
def suite(environment: pytest.MonkeyPatch) -> Iterator[Suite]:
    with wired() as wire:
        yield Suite(wire)


@pytest.fixture
def metrics(capsys: pytest.CaptureFixture[str]) -> Callable[[], Counter[str]]:
    """Sums of the metrics written since the last call."""

    def read() -> Counter[str]:
        sums: Counter[str] = Counter()
        for line in capsys.readouterr().out.splitlines():
            written = json.loads(line) if line.startswith("{") else {}
            for group in written.get("_aws", {}).get("CloudWatchMetrics", []):
                for metric in group["Metrics"]:
                    sums[metric["Name"]] += sum(written[metric["Name"]])
        return sums

    return read
