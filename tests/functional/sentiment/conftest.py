"""A fresh sentiment pipeline for each test, with a model that knows a few words."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cuatro.adapters import secrets
from cuatro.config import settings
from tests.functional import tiny_classifier
from tests.functional.aws_in_memory import wired
from tests.functional.sentiment.suite import ENVIRONMENT, Suite


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of model.onnx; its words are tiny_classifier.WORDS."""
    return tiny_classifier.save(tmp_path_factory.mktemp("classifier"))


@pytest.fixture
def environment(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The functions' variables; a test may change them before it calls a function."""
    for name, value in {**ENVIRONMENT, "MODEL_URI": str(tiny)}.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    secrets.forget()
    yield monkeypatch
    settings.cache_clear()
    secrets.forget()


@pytest.fixture
def suite(environment: pytest.MonkeyPatch) -> Iterator[Suite]:
    with wired() as wire:
        yield Suite(wire)
