"""One local platform of its own and one deployment of the app, by the CDK CLI, for all tests of this tier.

Nothing is shared with a platform that runs already: its own port, its own directory; it ends with the session.
"""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from local.platform.client import connect
from local.platform.process import Platform, running, tail
from tests import deployment
from tests.emulator.deployed import Deployed, Queue
from tests.emulator.suite import Suite, transaction
from tests.waiting import eventually

WARM_UP_S = 120
DEPLOYED = pytest.StashKey[list[Deployed]]()
TAIL_LINES = 30


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The app, deployed to a platform on a free port, which can be made to fail (see local/faults.py)."""
    state = tmp_path_factory.mktemp("platform")
    with deployment.deployed(state, CUATRO_FAULTS="1") as started:
        yield started
    assert running(state) is None


@pytest.fixture(scope="session")
def deployed(platform: Platform, pytestconfig: pytest.Config) -> Suite:
    """The suite as it comes out of the deployment, cold."""
    connection = connect("local", platform.state)
    found = Suite(
        platform, connection, connection.outputs("CuatroFraud") | connection.outputs("CuatroPlatform"), "card_id"
    )
    pytestconfig.stash.setdefault(DEPLOYED, []).append(found)
    return found


@pytest.fixture(scope="session")
def suite(deployed: Suite) -> Suite:
    """The deployed suite, warm: the functions have run once."""
    first = transaction()
    deployed.put(first)
    deployed.decided([first], WARM_UP_S)
    card = f"/cards/{first['card_id']}"
    eventually(lambda: deployed.call("GET", card).status == 200, "an answer of the API", WARM_UP_S)
    return deployed


@pytest.fixture(scope="session")
def alerts(suite: Suite) -> Queue:
    """A subscription of the alerts topic."""
    queue = suite.queue("alerts")
    suite.client("sns").subscribe(
        TopicArn=suite.outputs["AlertsTopicArn"],
        Protocol="sqs",
        Endpoint=queue.arn,
        Attributes={"RawMessageDelivery": "true"},
    )
    return queue


@pytest.fixture(scope="session")
def events(suite: Suite) -> Queue:
    """Everything that fraud tells on the bus."""
    queue = suite.queue("events")
    client, bus = suite.client("events"), suite.outputs["BusName"]
    client.put_rule(Name=queue.url.rpartition("/")[2], EventBusName=bus, EventPattern='{"source": ["cuatro.fraud"]}')
    client.put_targets(Rule=queue.url.rpartition("/")[2], EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue.arn}])
    return queue


class Faults:
    """Calls of the platform that fail from now on."""

    def __init__(self, platform: Platform) -> None:
        self.url = f"{platform.endpoint}/_cuatro/faults"

    def inject(self, service: str, **fault: Any) -> None:
        """operation, contains, code, status, times: see local/faults.py."""
        self._call("POST", {"service": service, **fault})

    def failed(self) -> int:
        """How many calls have failed since the faults were injected."""
        return sum(fault["failed"] for fault in self._call("GET"))

    def end(self) -> None:
        """Everything works again."""
        self._call("DELETE")

    def _call(self, method: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.url, data, method=method)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)


@pytest.fixture
def faults(platform: Platform) -> Iterator[Faults]:
    """Faults of one test; they end with it."""
    control = Faults(platform)
    yield control
    control.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """A failed test shows the ends of the platform's and the functions' logs."""
    report = yield
    for suite in item.config.stash.get(DEPLOYED, []) if report.failed and report.when != "teardown" else ():
        report.sections.append(("platform log", tail(suite.platform.log, TAIL_LINES)))
        for function in [key for key in suite.outputs if key.endswith("Function")]:
            try:
                lines = suite.logs(function)[-TAIL_LINES:]
            except Exception as error:  # noqa: BLE001 - whatever hides the log, the test's own failure must be shown
                lines = [f"no log: {error!r}"]
            report.sections.append((f"log of {function}", "\n".join(lines)))
    return report
