"""A fresh imaging pipeline for each test."""

import json
from collections.abc import Callable, Iterator
from typing import Any

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
