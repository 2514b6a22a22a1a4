"""A deployed pipeline in memory: functions with layers, versions and aliases, the lake, alarms, registry and bus."""

from collections.abc import Iterator

import pytest

from cuatro.config import settings
from tests.functional.aws_in_memory import wired
from tests.functional.lifecycle.deployment import ENVIRONMENT, Deployment


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    with wired() as wire:
        deployed = Deployment(wire)
        yield deployed
        deployed.registry.close()
    settings.cache_clear()
