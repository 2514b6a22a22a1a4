"""A platform and a deployment of this tier's own: a shop with a past, whose people want other things than they did."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from local.lifecycle.backfill import fill_interactions
from local.lifecycle.control import Control
from local.lifecycle.versions import shipped
from local.platform.client import Connection, connect
from local.platform.process import Platform
from models.recommendations.simulator import interactions
from models.recommendations.world import World
from tests import deployment
from tests.recommendations_loop.story import Story

SEED, PEOPLE = 7, 2000
FIRST, NOW = 90.0, 150.0
"""Days of the world: tastes change on day 120, which the model that ships has not seen; now is day 150."""


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The app, deployed to a platform on a free port."""
    with deployment.deployed(tmp_path_factory.mktemp("recommendations-loop")) as started:
        yield started


@pytest.fixture(scope="session")
def connection(platform: Platform) -> Connection:
    return connect("local", platform.state)


@pytest.fixture(scope="session")
def world() -> World:
    """Who lives, and what they want."""
    return World(SEED, PEOPLE, 0)


@pytest.fixture(scope="session")
def story(connection: Connection, world: World) -> Story:
    """The past is in the lake and in the profiles of those who lived it."""
    control = Control(connection, "recommendations")
    opened = datetime.now(UTC) - timedelta(days=NOW, minutes=5)
    table = interactions(world, FIRST, NOW, opened)
    told = Story(connection, control, table, shipped(control, decides=True).name)
    told.known = fill_interactions(connection, table, "past", lambda doing, share: None)
    return told
