"""A platform and a deployment of this tier's own, where SageMaker's Factorization Machines train: a shop of groups."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from local.lifecycle.backfill import fill_interactions
from local.lifecycle.control import Control
from local.lifecycle.versions import shipped
from local.platform.client import Connection, connect
from local.platform.process import Platform
from tests import deployment
from tests.recommendations_loop.story import Story

SEED = 3
PEOPLE, GROUPS, ITEMS, TAKEN, DAYS = 240, 6, 25, 12, 25.0
"""Everybody takes TAKEN of the ITEMS of one group within DAYS days; the shipped model knows nothing of this shop."""


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The one stack and what it needs, on a free port."""
    options = {"algorithm": "factorization-machines"}
    with deployment.deployed(
        tmp_path_factory.mktemp("factorization-loop"), options, ["CuatroRecommendations"]
    ) as started:
        yield started


@pytest.fixture(scope="session")
def connection(platform: Platform) -> Connection:
    return connect("local", platform.state)


@pytest.fixture(scope="session")
def story(connection: Connection) -> Story:
    """The past is in the lake and in the profiles of those who lived it."""
    control = Control(connection, "recommendations")
    table = past()
    told = Story(connection, control, table, shipped(control, decides=True).name)
    told.known = fill_interactions(connection, table, "past", lambda doing, share: None)
    return told


def past() -> pd.DataFrame:
    """Interactions of DAYS days, which end five minutes ago."""
    rng, end = np.random.default_rng(SEED), datetime.now(UTC) - timedelta(minutes=5)
    rows = [
        (f"event-{person}-{item}", f"person-{person}", thing(person % GROUPS, item), "view", end - timedelta(days=days))
        for person in range(PEOPLE)
        for item, days in zip(rng.permutation(ITEMS)[:TAKEN], rng.uniform(0, DAYS, TAKEN), strict=True)
    ]
    return pd.DataFrame(rows, columns=["event_id", "user_id", "item_id", "kind", "time"])


def thing(group: int, item: int) -> str:
    """Of the shop."""
    return f"group{group}-thing{item}"
