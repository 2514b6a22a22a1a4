"""A fresh recommendations pipeline for each test, with a model of twelve items."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cuatro.config import settings
from functions.recommendations.api import sources
from tests.functional.aws_in_memory import wired
from tests.functional.recommendations import tiny_ranker
from tests.functional.recommendations.suite import ENVIRONMENT, Suite

POLICY = {"diversity": 0.0, "explore_share": 0.0, "prior_mass": 0}
"""Nothing is left to chance, the model's order stays; a test that wants more changes it."""


def policy(environment: pytest.MonkeyPatch, **fields: Any) -> None:
    """Another POLICY for the calls that follow."""
    environment.setenv("POLICY", json.dumps({**POLICY, **fields}))
    settings.cache_clear()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_ranker.save(tmp_path_factory.mktemp("ranker") / "model.onnx")


@pytest.fixture
def environment(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The functions' variables; a test may change them before it calls a function."""
    for name, value in {**ENVIRONMENT, "MODEL_URI": str(tiny), "POLICY": json.dumps(POLICY)}.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    sources.tables.cache_clear()  # what one test read is nothing for the next
    yield monkeypatch
    settings.cache_clear()


@pytest.fixture
def suite(environment: pytest.MonkeyPatch) -> Iterator[Suite]:
    with wired() as wire:
        yield Suite(wire)
