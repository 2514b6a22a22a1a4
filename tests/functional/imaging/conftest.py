"""A fresh imaging pipeline for each test."""

from collections.abc import Iterator

import pytest

from cuatro.adapters import secrets
from cuatro.config import settings
from functions.imaging import roster
from tests.functional.aws_in_memory import wired
from tests.functional.imaging.suite import ENVIRONMENT, Suite


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The functions' variables; a test may change them before it calls a function."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    secrets.forget()
    roster.forget()
    yield monkeypatch
    settings.cache_clear()
    secrets.forget()
    roster.forget()


@pytest.fixture
def suite(environment: pytest.MonkeyPatch) -> Iterator[Suite]:
    with wired() as wire:
        yield Suite(wire)
