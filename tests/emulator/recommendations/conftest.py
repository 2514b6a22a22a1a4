"""The recommendations stack of the tier's deployment, with the shipped catalogue in it."""

import json
from typing import Any

import pytest

from cdk.archive import ROOT
from local.platform.client import connect
from local.platform.process import Platform
from tests.emulator.conftest import DEPLOYED, WARM_UP_S
from tests.emulator.deployed import Queue
from tests.emulator.recommendations.shop import Shop, interaction
from tests.waiting import eventually

CATALOGUE = ROOT / "models" / "recommendations" / "catalogue.jsonl"


@pytest.fixture(scope="session")
def catalogue() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CATALOGUE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def shop(platform: Platform, pytestconfig: pytest.Config, catalogue: list[dict[str, Any]]) -> Shop:
    """The deployed pipeline, warm: something is popular, its functions have run once."""
    connection = connect("local", platform.state)
    outputs = connection.outputs("CuatroRecommendations") | connection.outputs("CuatroPlatform")
    found = Shop(platform, connection, outputs, "user_id")
    pytestconfig.stash.setdefault(DEPLOYED, []).append(found)
    found.stock(catalogue)
    first = [interaction(item_id=item["item_id"], user_id="somebody-first") for item in catalogue[:40]]
    found.put(*first)
    found.knows("somebody-first", *(each["item_id"] for each in first), deadline_s=WARM_UP_S)
    eventually(lambda: found.list_of("somebody-first").status == 200, "an answer of the API", WARM_UP_S)
    eventually(lambda: first[0]["item_id"] in found.popular(), "what is popular, on its shelf", WARM_UP_S)
    return found


@pytest.fixture(scope="session")
def told(shop: Shop) -> Queue:
    """Everything that recommendations tell on the bus."""
    queue = shop.queue("recommended")
    client, bus, rule = shop.client("events"), shop.outputs["BusName"], queue.url.rpartition("/")[2]
    client.put_rule(Name=rule, EventBusName=bus, EventPattern='{"source": ["cuatro.recommendations"]}')
    client.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue.arn}])
    return queue
