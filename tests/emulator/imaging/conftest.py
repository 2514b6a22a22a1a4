"""The imaging stack of the tier's deployment, warm, and what it tells on the bus."""

import pytest

from local.platform.client import connect
from local.platform.process import Platform
from tests.emulator.conftest import DEPLOYED
from tests.emulator.deployed import Queue
from tests.emulator.imaging.readings import ENDED, Reading, image

# The first image pays for every function's first start, layers unpacked, codecs and models loaded.
_FIRST_S = 300


@pytest.fixture(scope="session")
def read(platform: Platform, pytestconfig: pytest.Config) -> Reading:
    """The deployed pipeline, warm: one study has gone all the way."""
    connection = connect("local", platform.state)
    outputs = connection.outputs("CuatroImaging") | connection.outputs("CuatroPlatform")
    found = Reading(platform, connection, outputs, "study")
    pytestconfig.stash.setdefault(DEPLOYED, []).append(found)
    first = found.sent(image())
    if found.state(first, "review", *ENDED, deadline_s=_FIRST_S)["s"] == "review":
        found.decide(first, "normal")
    found.state(first, "read", deadline_s=_FIRST_S)
    return found


@pytest.fixture(scope="session")
def told(read: Reading) -> Queue:
    """Everything that imaging tells on the bus."""
    queue = read.queue("imaging")
    client, bus, rule = read.client("events"), read.outputs["BusName"], queue.url.rpartition("/")[2]
    client.put_rule(Name=rule, EventBusName=bus, EventPattern='{"source": ["cuatro.imaging"]}')
    client.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue.arn}])
    return queue
