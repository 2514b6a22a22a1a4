"""A bare local platform for all tests of this tier, and the adapters pointed at it."""

from collections.abc import Iterator
from typing import Any

import pytest

from cuatro.adapters import aws as adapters_aws
from cuatro.adapters import comprehend as adapter
from cuatro.adapters.backends import backend, second_opinion
from local.platform.account import ACCESS_KEY, REGION, SECRET_KEY
from local.platform.process import Platform
from tests.bare import bare, with_log
from tests.checked import Aws

PLATFORM = pytest.StashKey[Platform]()


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Platform]:
    """The platform without any deployment."""
    with bare(tmp_path_factory.mktemp("comprehend")) as started:
        pytestconfig.stash[PLATFORM] = started
        yield started


@pytest.fixture(scope="session")
def aws(platform: Platform) -> Aws:
    """Clients of the platform as its root user; answers are held against AWS's service models."""
    return Aws(platform.endpoint, set())


@pytest.fixture
def reached(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The adapters reach this platform, as a function does by its environment."""
    for name, value in {"AWS_ENDPOINT_URL": platform.endpoint, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_REGION": REGION,
                        "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_DEFAULT_REGION": REGION}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    found = (adapters_aws._found_credentials, adapters_aws._client, adapters_aws._session, adapter._service)
    caches = (*found, backend, second_opinion)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """A failed test shows the end of the platform's log."""
    return with_log((yield), item.config.stash.get(PLATFORM, None))
