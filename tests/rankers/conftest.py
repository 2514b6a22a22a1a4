"""A deployment each of whoever else may rank: Amazon Personalize, and a SageMaker endpoint; each stack alone.

Both shops have the simulator's catalogue and people, so that it is known what each of them wants next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from local.platform.client import connect
from local.platform.process import Platform
from models.recommendations.shop import write
from models.recommendations.simulator import interactions
from models.recommendations.world import World
from tests import deployment
from tests.bare import with_log
from tests.emulator.conftest import Faults
from tests.rankers.ranked import STACK, Past, RankedShop

SEED, PEOPLE, NEWCOMERS = 7, 200, 0
DAYS = 60.0
PLATFORMS = pytest.StashKey[list[Platform]]()


@contextmanager
def shop_of(state: Path, config: pytest.Config, options: dict[str, str], past: Past) -> Iterator[RankedShop]:
    """A platform of its own with the one stack, whose catalogue is the past's."""
    with deployment.deployed(state, options, [STACK], CUATRO_FAULTS="1") as platform:
        config.stash.setdefault(PLATFORMS, []).append(platform)
        connection = connect("local", platform.state)
        outputs = connection.outputs(STACK) | connection.outputs("CuatroPlatform")
        shop = RankedShop(platform, connection, outputs, "user_id")
        shop.cuatro("catalog", "import", str(past.catalogue))
        yield shop


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    """Two months of a small shop, until five minutes ago."""
    world, opened = World(SEED, PEOPLE, NEWCOMERS), datetime.now(UTC) - timedelta(days=DAYS, minutes=5)
    folder = tmp_path_factory.mktemp("past")
    table: pd.DataFrame = interactions(world, 0, DAYS, opened)
    made = Past(world, DAYS, table, folder / "interactions.csv", folder / "catalogue.jsonl")
    table.to_csv(made.interactions, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    made.catalogue.write_text(write(world.shop.catalogue(opened, DAYS)), encoding="utf-8")
    return made


@pytest.fixture(scope="session")
def managed(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config, past: Past) -> Iterator[RankedShop]:
    """The shop whose lists are Amazon Personalize's; it has no data yet."""
    with shop_of(tmp_path_factory.mktemp("managed"), pytestconfig, {"ranking": "personalize"}, past) as shop:
        yield shop


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config, past: Past) -> Iterator[RankedShop]:
    """The shop whose lists are made by an endpoint with the shipped model, on instances."""
    options = {"serving": "realtime", "retraining": "off"}
    with shop_of(tmp_path_factory.mktemp("served"), pytestconfig, options, past) as shop:
        yield shop


@pytest.fixture
def away(request: pytest.FixtureRequest) -> Iterator[Faults]:
    """Faults of the platform that the module's `shop` runs on; they end with the test."""
    shop: RankedShop = request.getfixturevalue("shop")
    control = Faults(shop.platform)
    yield control
    control.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """A failed test shows the ends of the platforms' logs."""
    report = yield
    for platform in item.config.stash.get(PLATFORMS, []):
        report = with_log(report, platform)
    return report
