"""A platform and a deployment of this tier's own: a brand whose people have begun to use other words."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from local.lifecycle.control import Control
from local.lifecycle.versions import shipped
from local.platform.client import Connection, connect
from local.platform.process import Platform
from tests import deployment
from tests.sentiment_loop.story import Story
from tests.sentiment_loop.writing import PLAIN, SLANG, labelled, said, scored

LABELLED, RECENT, DAYS = 150, 90, 9.0
"""Of the past days; the newest three of them are what both models are compared on."""


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The stack, deployed to a platform on a free port."""
    with deployment.deployed(tmp_path_factory.mktemp("sentiment-loop"), stacks=["CuatroSentiment"]) as started:
        yield started


@pytest.fixture(scope="session")
def connection(platform: Platform) -> Connection:
    return connect("local", platform.state)


@pytest.fixture(scope="session")
def story(connection: Connection) -> Story:
    """People have corrected what the model made of the new words, and confirmed some of what it got right."""
    control, now, rng = Control(connection, "sentiment"), datetime.now(UTC), np.random.default_rng(5)
    told = Story(connection, control, shipped(control, decides=True).name)
    told.fill(labelled(said(rng, SLANG, LABELLED), "slang", now, DAYS), "slang")
    told.fill(labelled(said(rng, PLAIN, LABELLED // 3), "plain", now, DAYS), "plain")
    told.fill(scored(said(rng, PLAIN, RECENT), "recent", now, DAYS), "recent")
    return told
