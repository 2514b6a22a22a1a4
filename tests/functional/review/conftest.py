"""A fresh review queue for each test."""

from collections.abc import Iterator

import pytest

from cuatro.adapters import human_review, links
from cuatro.config import settings
from tests.functional.aws_in_memory import wired
from tests.functional.review.suite import ENVIRONMENT, Suite


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The functions' variables; a test may change them before it calls a function."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for cached in (settings, human_review.reviewers_of, links._client):
        cached.cache_clear()
    yield monkeypatch
    settings.cache_clear()
    human_review.reviewers_of.cache_clear()
    links._client.cache_clear()


@pytest.fixture
def suite(environment: pytest.MonkeyPatch) -> Iterator[Suite]:
    with wired() as wire:
        yield Suite(wire)
