"""The end of a reading -> outcome, state of the row, event: who came to which verdict, and what is left to be done."""

from typing import Any

import pytest

from cuatro.studies import StudyFailed, StudyRead, StudyRejected
from functions.imaging.outcome import (
    Outcome,
    decode,
    encode,
    event_of,
    outcome_of,
    results_of,
    state_of,
    with_results,
)
from functions.imaging.progress import Result
from tests.unit.readings import STUDY, progress, read, rejected

TIME = "2026-11-23T10:00:00.000Z"
REVIEW: dict[str, Any] = {
    "task": "t", "outcome": "other_finding", "reasons": ["model_overcalled"], "agreed": False, "decided_at": TIME,
    "reads": [{"reviewer": "r1", "role": "read", "choice": "pneumonia", "reasons": [], "at": TIME},
              {"reviewer": "r2", "role": "read", "choice": "other_finding", "reasons": [], "at": TIME},
              {"reviewer": "r3", "role": "adjudication", "choice": "other_finding", "reasons": [], "at": TIME}],
}  # fmt: skip


def test_the_model_alone() -> None:
    known = progress(read(1), rejected(2), routing={"route": "report"})
    outcome = outcome_of(known)
    assert (outcome.verdict, outcome.by, outcome.read, outcome.rejected) == ("normal", "model", 1, 1)
    event = event_of(known, TIME)
    assert isinstance(event, StudyRead)
    assert (event.human, event.verdict, event.probability, event.reads, event.agreed) == (
        False, "normal", 0.03, 0, None,
    )  # fmt: skip


def test_a_person_has_the_last_word() -> None:
    known = progress(read(1, "pneumonia", 0.9), routing={"route": "review", "why": ["positive"]}, review=REVIEW)
    event = event_of(known, TIME)
    assert isinstance(event, StudyRead)
    assert (event.verdict, event.suggested, event.human) == ("other_finding", "pneumonia", True)
    assert (event.reads, event.agreed, event.why) == (3, False, ["positive"])
    assert outcome_of(known).reasons == ("model_overcalled",)


def test_who_reviewed_stays_in_the_queue() -> None:
    known = progress(read(1, "pneumonia", 0.9), routing={"route": "review"}, review=REVIEW)
    assert "r1" not in encode(outcome_of(known)) + repr(event_of(known, TIME))


def test_a_study_of_which_nothing_could_be_read_says_why() -> None:
    known = progress(rejected(1, "multi_frame"), rejected(2, "no_pixel_data"), rejected(3, "multi_frame"))
    assert state_of(known) == "rejected"
    event = event_of(known, TIME)
    assert isinstance(event, StudyRejected)
    assert (event.codes, event.instances) == (["multi_frame", "no_pixel_data"], 3)


@pytest.mark.parametrize(
    ("ended", "state", "error"),
    [({"expired": {"Error": "States.Timeout"}}, "expired", "ReviewExpired"),
     ({"failed": {"error": "Unavailable"}}, "failed", "Unavailable")],
)  # fmt: skip
def test_a_study_without_a_verdict_is_not_told_as_read(ended: dict[str, Any], state: str, error: str) -> None:
    known = progress(read(1, "pneumonia", 0.9), routing={"route": "review", "why": ["positive"]}, **ended)
    assert state_of(known) == state
    assert (outcome_of(known).verdict, outcome_of(known).by) == (None, "nobody")
    event = event_of(known, TIME)
    assert isinstance(event, StudyFailed)
    assert event.error == error


@pytest.mark.parametrize(
    ("known", "delivery"),
    [({}, "none"), ({"delivery": {"state": "delivered", "status": 200}}, "delivered"),
     ({"delivery": {"state": "refused", "status": 409}}, "refused"),
     ({"undelivered": {"Error": "Unavailable", "Cause": "x"}}, "failed")],
)  # fmt: skip
def test_what_became_of_the_delivery_is_part_of_it(known: dict[str, Any], delivery: str) -> None:
    assert outcome_of(progress(read(1), **known)).delivery == delivery


def test_an_outcome_is_read_as_it_was_written() -> None:
    outcome = outcome_of(progress(read(1, "pneumonia", 0.9), routing={"route": "review"}, review=REVIEW, revision=2))
    assert decode(encode(outcome)) == outcome
    assert decode('{"revision":1}') == Outcome(revision=1)


def test_results_are_kept_for_each_revision() -> None:
    first = Result(kind="sr", key=f"results/{STUDY}/1/sr.dcm", series="2.25.1", instance="2.25.2", sop_class="1.2")
    second = Result(kind="sc", key=f"results/{STUDY}/2/sc.dcm", series="2.25.3", instance="2.25.4", sop_class="1.3")
    k = with_results("", 1, (first,))
    k = with_results(k, 2, (second,))
    assert with_results(k, 2, (second,)) == k  # the same again changes nothing
    assert results_of(k) == {"1": [first], "2": [second]}
    assert '"class":"1.2"' in k
