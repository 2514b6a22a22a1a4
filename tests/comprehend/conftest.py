"""A bare local platform for all tests of this tier, and the adapters pointed at it."""

from collections.abc import Iterator
from typing import Any

import pytest

from cuatro.adapters import comprehend as adapter
from cuatro.adapters.backends import backend, second_opinion
from local.platform.process import Platform
from tests.bare import bare, reaching, with_log
from tests.checked import Aws
from tests.emulator.conftest import Faults

QUOTA = 90
"""Calls of Converse a minute."""
PLATFORM = pytest.StashKey[Platform]()


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Platform]:
    """The platform without any deployment; Bedrock's quota is small enough to be met, and calls can be made to fail."""
    limits = {"CUATRO_FAULTS": "1", "CUATRO_BEDROCK_REQUESTS_A_MINUTE": str(QUOTA)}
    with bare(tmp_path_factory.mktemp("comprehend"), **limits) as started:
        pytestconfig.stash[PLATFORM] = started
        yield started


@pytest.fixture(scope="session")
def aws(platform: Platform) -> Aws:
    """Clients of the platform as its root user; answers are held against AWS's service models."""
    return Aws(platform.endpoint, set())


@pytest.fixture
def reached(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The adapters reach this platform, as a function does by its environment."""
    with reaching(platform.endpoint, monkeypatch, adapter._service, backend, second_opinion):
        yield


@pytest.fixture
def faults(platform: Platform) -> Iterator[Faults]:
    """Faults of one test; they end with it."""
    control = Faults(platform)
    yield control
    control.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """A failed test shows the end of the platform's log."""
    return with_log((yield), item.config.stash.get(PLATFORM, None))
