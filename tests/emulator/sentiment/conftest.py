"""The sentiment stack of the tier's deployment, warm, and what it tells on bus and topic."""

import pytest

from local.platform.client import connect
from local.platform.process import Platform
from tests.emulator.conftest import DEPLOYED, WARM_UP_S
from tests.emulator.deployed import Queue
from tests.emulator.sentiment.watched import Watched, post
from tests.waiting import eventually


@pytest.fixture(scope="session")
def watched(platform: Platform, pytestconfig: pytest.Config) -> Watched:
    """The deployed pipeline, warm: one post has gone all the way."""
    connection = connect("local", platform.state)
    outputs = connection.outputs("CuatroSentiment") | connection.outputs("CuatroPlatform")
    found = Watched(platform, connection, outputs, "id")
    pytestconfig.stash.setdefault(DEPLOYED, []).append(found)
    brand = found.brand()
    first = post(brand=brand)
    found.send(first)
    found.scored(found.key_of(brand, first), WARM_UP_S)
    eventually(lambda: found.totals(brand)["posts"] == 1, "the first post counted", WARM_UP_S)
    return found


@pytest.fixture(scope="session")
def told(watched: Watched) -> Queue:
    """Everything that sentiment tells on the bus."""
    queue = watched.queue("sentiment")
    client, bus, rule = watched.client("events"), watched.outputs["BusName"], queue.url.rpartition("/")[2]
    client.put_rule(Name=rule, EventBusName=bus, EventPattern='{"source": ["cuatro.sentiment"]}')
    client.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue.arn}])
    return queue


@pytest.fixture(scope="session")
def rung(watched: Watched) -> Queue:
    """A subscription of the brand's people."""
    queue = watched.queue("alerts")
    watched.client("sns").subscribe(
        TopicArn=watched.outputs["AlertTopicArn"], Protocol="sqs", Endpoint=queue.arn,
        Attributes={"RawMessageDelivery": "true"},
    )  # fmt: skip
    return queue
