"""A platform and a deployment of this tier's own, whose model is retrained, rolled out, poisoned and rolled back."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.demo.retraining import World, world
from local.demo.story import played
from local.lifecycle.backfill import fill
from local.lifecycle.control import Control
from local.lifecycle.versions import shipped, versions
from local.platform.client import Connection, connect
from local.platform.process import Platform
from models.fraud.backfill import backfill
from tests import deployment
from tests.retraining.packages import Packages
from tests.retraining.story import Story

HERE = Path(__file__).parent
SEED = 11
RUN = "loop"
# One deployment lives through all of it: what goes well, then what goes wrong, last the way back.
ORDER = ("test_loop.py", "test_faults.py", "test_roll_out_faults.py", "test_platform_faults.py", "test_way_back.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files of this tier come in their order, in the places that they have among all the others."""
    places = [place for place, item in enumerate(items) if item.path.parent == HERE]
    ours = sorted((items[place] for place in places), key=lambda item: ORDER.index(item.path.name))
    for place, item in zip(places, ours, strict=True):
        items[place] = item


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The app, deployed to a platform on a free port."""
    with deployment.deployed(tmp_path_factory.mktemp("retraining")) as started:
        yield started


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


@pytest.fixture(scope="session")
def story(connection: Connection, control: Control, told: World) -> Story:
    """The history is in the lake, the cards have states, and the days after the change were streamed."""
    found = Story(connection, control, told, shipped(control, decides=True).name)
    fill(connection, backfill(told.history), "history", lambda doing, share: None)
    found.before = found.play(played(told.changed))
    return found


@pytest.fixture(scope="session")
def live(story: Story) -> str:
    """Name of the live model, which a retraining made: that of test_loop, or one of this fixture without it."""
    if story.live().name == story.shipped:
        ended = story.retrain("the faults need a live model")
        assert ended.status == "Succeeded", story.control.why(ended)
        story.reach(versions(story.control)[0].arn, set())
    found = story.live()
    assert found.name != story.shipped
    return found.name


@pytest.fixture(scope="session")
def packages(story: Story, live: str) -> Packages:
    return Packages(story)
