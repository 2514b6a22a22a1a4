"""conclude: the row, its instances and the bus say how a reading ended; whatever else happens meanwhile stays true."""

import json
from typing import Any

import pytest

from cuatro.errors import Unavailable
from functions.imaging.outcome import decode, results_of
from tests.functional.imaging.ending import PLANTED, STUDY, Ending, instance, item, rejected, state
from tests.functional.imaging.suite import Suite

REVIEW: dict[str, Any] = {"outcome": "normal", "reasons": ["model_overcalled"], "agreed": True,
                          "reads": [{"reviewer": "who-it-was", "choice": "normal", "role": "read"}]}  # fmt: skip
RESULTS = [{"kind": "sr", "key": f"results/{STUDY}/1/sr.dcm", "series": "2.25.1", "instance": "2.25.2", "class": "1.2"}]
READ = state(item(1), rejected(2), routing={"route": "review", "why": ["positive"]}, review=REVIEW, results=RESULTS,
             delivery={"state": "delivered", "status": 200})  # fmt: skip
FAILED = {"study": STUDY, "revision": 1, "failed": {"error": "Unavailable"}}


def test_a_read_study_is_told_once_all_is_written(suite: Suite) -> None:
    ending = Ending(suite, 1)
    assert ending.call("conclude", READ) == {"study": STUDY, "revision": 1, "state": "read"}
    row = ending.row
    outcome = decode(row["v"])
    assert (row["s"], outcome.verdict, outcome.by, outcome.delivery) == ("read", "normal", "review", "delivered")
    assert results_of(row["k"])["1"][0].key == RESULTS[0]["key"]
    assert suite.items("instances")[instance(1)]["s"] == "read"
    (event,) = suite.events("StudyRead")
    assert (event["study"], event["verdict"], event["suggested"], event["human"]) == (
        STUDY,
        "normal",
        "pneumonia",
        True,
    )
    assert (event["model_version"], event["instances"], event["rejected"], event["results"]) == ("imaging-1", 1, 1, 1)


@pytest.mark.safeguard("164.312(a)(1)")
def test_neither_row_nor_event_names_patient_or_reader(suite: Suite) -> None:
    ending = Ending(suite, 1)
    ending.call("conclude", READ)
    told = json.dumps([suite.items("studies"), suite.items("instances"), suite.events("StudyRead")], default=str)
    assert not [mark for mark in (*PLANTED, "who-it-was") if mark in told]


def test_told_again_it_changes_nothing(suite: Suite) -> None:
    """The machine tries again when the answer was lost: receivers know study and revision."""
    ending = Ending(suite, 1)
    ending.call("conclude", READ)
    before = {name: value for name, value in ending.row.items() if name != "n"}
    ending.call("conclude", READ)
    assert {name: value for name, value in ending.row.items() if name != "n"} == before
    first, second = suite.events("StudyRead")
    assert {**first, "time": ""} == {**second, "time": ""}


@pytest.mark.parametrize(
    ("event", "state_", "kind"),
    [
        (state(rejected(1), rejected(2, "no_pixel_data"), routing={"route": "nothing"}), "rejected", "StudyRejected"),
        (FAILED, "failed", "StudyFailed"),
        (state(item(1), routing={"route": "review"}, expired={"Error": "ReviewExpired", "Cause": ""}), "expired",
         "StudyFailed"),
    ],
)  # fmt: skip
def test_what_was_not_read_says_so(suite: Suite, event: dict[str, Any], state_: str, kind: str) -> None:
    ending = Ending(suite, 1)
    assert ending.call("conclude", event)["state"] == state_
    assert ending.row["s"] == state_
    assert decode(ending.row["v"]).verdict is None
    assert len(suite.events(kind)) == 1
    assert not suite.events("StudyRead")
    assert suite.items("instances")[instance(1)]["s"] == ("read" if state_ == "expired" else "reading")


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT"])
def test_a_reading_that_was_stopped_says_so(suite: Suite, status: str) -> None:
    ending = Ending(suite, 1, s="review")
    event = {"detail-type": "Step Functions Execution Status Change", "source": "aws.states",
             "detail": {"name": f"{STUDY}-1", "status": status, "input": "{}"}}  # fmt: skip
    assert ending.call("conclude", event)["state"] == "failed"
    assert ending.row["s"] == "failed"
    assert [told["error"] for told in suite.events("StudyFailed")] == [f"Execution.{status}"]


def test_a_newer_revision_is_not_hidden_and_an_older_result_not_lost(suite: Suite) -> None:
    ending = Ending(suite, 1, r=2)
    newer = {**RESULTS[0], "key": f"results/{STUDY}/2/sr.dcm"}
    ending.call("conclude", {**READ, "revision": 2, "results": [newer]})
    assert ending.call("conclude", READ)["state"] == "read"
    row = ending.row
    assert decode(row["v"]).revision == 2
    assert {revision: len(each) for revision, each in results_of(row["k"]).items()} == {"1": 1, "2": 1}
    assert [event["revision"] for event in suite.events("StudyRead")] == [2, 1]


def test_while_the_newer_revision_is_read_the_older_outcome_can_be_seen(suite: Suite) -> None:
    ending = Ending(suite, 1, r=2)
    ending.call("conclude", READ)
    assert (ending.row["s"], decode(ending.row["v"]).revision) == ("reading", 1)


def test_an_instance_that_a_newer_revision_reads_stays_so(suite: Suite) -> None:
    ending = Ending(suite, 1, r=2)
    ending.call("conclude", {**READ, "revision": 2})  # the row of the instance is of revision 1
    assert suite.items("instances")[instance(1)]["s"] == "reading"
    ending.call("conclude", READ)
    assert suite.items("instances")[instance(1)]["s"] == "read"


def test_instances_that_arrive_at_the_end_are_not_forgotten(suite: Suite) -> None:
    ending = Ending(suite, 1, s="arriving", w=1)
    ending.call("conclude", READ)
    assert (ending.row["s"], ending.row["w"]) == ("arriving", 1)
    assert decode(ending.row["v"]).verdict == "normal"


def test_an_instance_that_arrives_in_between_loses_nothing(suite: Suite) -> None:
    ending = Ending(suite, 1)
    suite.wire.first("BatchExecuteStatement", lambda: ending.set(n=4, c=2, w=1, s="arriving"))
    ending.call("conclude", READ)
    row = ending.row
    assert (row["c"], row["w"], row["s"], row["n"]) == (2, 1, "arriving", 5)
    assert decode(row["v"]).verdict == "normal"


@pytest.mark.parametrize("when", ["before", "between"])
def test_of_an_erased_study_nothing_is_written_or_told(suite: Suite, when: str) -> None:
    ending = Ending(suite, 1)
    if when == "before":
        ending.gone()
    else:
        suite.wire.first("BatchExecuteStatement", ending.gone)
    for event in (READ, FAILED):
        assert ending.call("conclude", event)["state"] == "erased"
    assert not suite.items("studies")
    assert not suite.events("StudyRead") + suite.events("StudyFailed")
    assert suite.items("instances")[instance(1)]["s"] == "reading"


def test_a_damaged_outcome_is_replaced(suite: Suite) -> None:
    ending = Ending(suite, 1, v="{damaged")
    ending.call("conclude", READ)
    assert decode(ending.row["v"]).verdict == "normal"


@pytest.mark.parametrize("operation", ["BatchGetItem", "BatchExecuteStatement", "PutEvents"])
def test_what_is_away_is_tried_again(suite: Suite, operation: str) -> None:
    ending = Ending(suite, 1)
    suite.wire.down(operation)
    with pytest.raises(Unavailable):
        ending.call("conclude", READ)
    suite.wire.repair()
    assert ending.call("conclude", READ)["state"] == "read"
    assert len(suite.events("StudyRead")) == 1
    assert ending.row["s"] == "read"
