"""deliver: results reach the sender's server as DICOM; what it refuses is kept and told, what is away tried again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cuatro.config import settings
from cuatro.errors import Rejected, Unavailable
from tests.functional.imaging.dicomweb_double import Server, failed, serving
from tests.functional.imaging.ending import PLANTED, Ending, item, state
from tests.functional.imaging.suite import Suite

NORMAL = state(item(1, "normal", 0.1), routing={"route": "report"})


_made: dict[str, Any] = {}


def reported(ending: Ending) -> dict[str, Any]:
    """The state after reidentify, and the results in their place; made once, for that takes longer than a test."""
    if not _made:
        _made["event"] = ending.reported(NORMAL)
        _made["objects"] = ending.suite.objects("identified", "results/")
    for key, content in _made["objects"].items():
        ending.suite.s3.put_object(Bucket="identified", Key=key, Body=content)
    return dict(_made["event"])


@pytest.fixture
def server(environment: pytest.MonkeyPatch) -> Iterator[Server]:
    environment.setenv("ALLOW_PRIVATE_HOSTS", "1")
    with serving() as made:
        yield made


@pytest.fixture
def ending(suite: Suite, server: Server) -> Ending:
    suite.set_senders({"north": {"destination": {"url": server.url, "header": "Authorization: Bearer for-north"}}})
    return Ending(suite, 1)


def test_results_reach_the_senders_server_with_their_patient(ending: Ending, server: Server, suite: Suite) -> None:
    event = reported(ending)
    answer = ending.call("deliver", event)
    assert answer["delivery"] == {"state": "delivered", "status": 200, "refused": 0}
    assert [each.Modality for each in server.stored] == ["SR", "OT"]
    assert {each.PatientID for each in server.stored} == {"PLANTED-ID"}
    assert {each.SOPInstanceUID for each in server.stored} == {each["instance"] for each in event["results"]}
    for path, headers, objects in server.requests:
        assert path == "/dicom-web/studies"
        assert headers["authorization"] == "Bearer for-north"
        assert headers["accept"] == "application/dicom+json"
        assert len(objects) == 1
    (told,) = suite.audited("deliver")
    assert (told["outcome"], told["details"]) == ("success", {"status": 200})


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 301])
def test_what_the_server_refuses_is_told_and_not_tried_again(ending: Ending, server: Server, status: int) -> None:
    server.answers = [(status, {}), (200, {})]
    answer = ending.call("deliver", reported(ending))
    assert answer["delivery"] == {"state": "refused", "status": status, "refused": 1}
    assert len(server.requests) == 2  # the other object is delivered all the same


def test_an_object_that_an_answer_lists_as_failed_was_refused(ending: Ending, server: Server) -> None:
    server.answers = [(202, failed("2.25.1", 0x0122)), (202, {})]  # 202 with a warning only is a success
    answer = ending.call("deliver", reported(ending))
    assert answer["delivery"] == {"state": "refused", "status": 202, "refused": 1}


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_a_server_in_trouble_is_asked_again(ending: Ending, server: Server, status: int) -> None:
    event = reported(ending)
    server.answers = [(200, {}), (status, {})]
    with pytest.raises(Unavailable) as caught:
        ending.call("deliver", event)
    assert not [mark for mark in PLANTED if mark in str(caught.value)]
    assert ending.call("deliver", event)["delivery"]["state"] == "delivered"
    first, _, again, _ = server.stored
    assert first.SOPInstanceUID == again.SOPInstanceUID  # the same object: a server knows it again


def test_a_server_that_is_down_is_asked_again(ending: Ending, suite: Suite) -> None:
    event = reported(ending)
    suite.set_senders({"north": {"destination": {"url": "http://127.0.0.1:9/dicom-web"}}})
    with pytest.raises(Unavailable):
        ending.call("deliver", event)


@pytest.mark.safeguard("164.312(e)(1)", "164.312(e)(2)(ii)")
@pytest.mark.parametrize(
    "destination",
    [
        {"url": "http://pacs.example.org/dicom-web"},  # not encrypted
        {"url": "ftp://pacs.example.org"},
        {"url": "file:///etc/passwd"},
        {"url": "https://user@[::1"},
        {"url": "https://pacs.example.org/dicom-web", "header": "no header"},
        {"url": "https://pacs.example.org/dicom-web", "header": "X: a\r\nY: b"},
    ],
)
def test_a_destination_that_may_not_be_used_gets_nothing(suite: Suite, server: Server, destination: Any) -> None:
    suite.set_senders({"north": {"destination": destination}})
    ending = Ending(suite, 1)
    answer = ending.call("deliver", reported(ending))
    assert answer["delivery"] == {"state": "refused", "status": 0, "refused": 2}
    assert suite.audited("deliver")[0]["outcome"] == "failed"


@pytest.mark.safeguard("164.312(e)(1)")
def test_a_server_inside_our_network_gets_nothing_unless_the_policy_allows_it(
    suite: Suite, environment: pytest.MonkeyPatch, server: Server
) -> None:
    environment.setenv("ALLOW_PRIVATE_HOSTS", "")
    settings.cache_clear()
    for url in (server.url, "https://127.0.0.1/dicom-web", "https://169.254.169.254/latest", "https://10.0.0.1/"):
        suite.set_senders({"north": {"destination": {"url": url}}})
        ending = Ending(suite, 1)
        assert ending.call("deliver", reported(ending))["delivery"]["state"] == "refused"
    assert not server.requests


def test_a_destination_counts_from_the_moment_that_it_is_changed(suite: Suite, server: Server) -> None:
    ending = Ending(suite, 1)
    event = reported(ending)
    assert ending.call("deliver", event)["delivery"]["state"] == "none"
    suite.set_senders({"north": {"destination": {"url": server.url}}})
    assert ending.call("deliver", event)["delivery"]["state"] == "delivered"
    suite.set_senders({})
    assert ending.call("deliver", event)["delivery"]["state"] == "none"
    assert len(server.requests) == 2


def test_a_sender_without_a_destination_asks_for_its_results(suite: Suite, server: Server) -> None:
    ending = Ending(suite, 1, o="south")
    assert ending.call("deliver", reported(ending))["delivery"]["state"] == "none"
    assert not server.requests
    assert not suite.audited("deliver")


def test_nothing_is_pushed_where_the_policy_says_so(
    ending: Ending, server: Server, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("POLICY", '{"push_results": false}')
    settings.cache_clear()
    assert ending.call("deliver", reported(ending))["delivery"]["state"] == "none"
    assert not server.requests


def test_an_erased_study_is_not_delivered(ending: Ending, server: Server) -> None:
    event = reported(ending)
    ending.gone()
    with pytest.raises(Rejected):
        ending.call("deliver", event)
    assert not server.requests


def test_no_log_line_says_whose_results_they_are(
    ending: Ending, caplog: pytest.LogCaptureFixture, suite: Suite
) -> None:
    answer = ending.call("deliver", reported(ending))
    logged = str([record.__dict__ for record in caplog.records])
    assert "delivered" in logged
    for mark in (*PLANTED, "for-north"):
        assert mark not in logged + json.dumps(answer) + json.dumps(suite.messages("audit.fifo"))
