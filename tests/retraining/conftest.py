"""A platform and a deployment of this tier's own, whose model is retrained, rolled out, poisoned and rolled back."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from local.demo.retraining import World, world
from local.lifecycle.control import Control
from local.platform.client import Connection, connect
from local.platform.deployment import deploy
from local.platform.errors import PlatformError
from local.platform.process import LOG, Platform, start, stop, tail

SEED = 11
RUN = "loop"


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The app, deployed to a platform on a free port."""
    state = tmp_path_factory.mktemp("retraining")
    with pytest.MonkeyPatch.context() as environment:
        for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
            environment.delenv(variable)
        try:
            started = start(state, port=0)
            deploy(started, lambda doing, share: None)
            yield started
        except PlatformError as error:
            pytest.fail(f"{error}\n{error.advice}\n{error.log}\n--- {LOG}\n{tail(state / LOG)}", pytrace=False)
        finally:
            stop(state)


@pytest.fixture(scope="session")
def connection(platform: Platform) -> Connection:
    return connect("local", platform.state)


@pytest.fixture(scope="session")
def control(connection: Connection) -> Control:
    return Control(connection)


@pytest.fixture(scope="session")
def told() -> World:
    """What happens in this tier's world: a history, a change, the days after it, and live traffic."""
    return world(SEED, RUN, datetime.now(UTC))


@pytest.fixture(scope="session")
def clients(connection: Connection) -> Any:
    """boto3 clients of the platform, one of each."""
    made: dict[str, Any] = {}
    return lambda service: made.setdefault(service, connection.client(service))
