"""Readings of a study -> its route, and what a person is asked: the model alone decides only what is plainly normal."""

import json
from typing import Any, Literal

import pytest

from cuatro.errors import Rejected
from functions.imaging.policy import MAX_INSTANCES, Policy
from functions.imaging.progress import CHOICES, Routing, progress_of
from functions.imaging.routing import asked, model_version, probability, routed, suggested
from functions.review.asking import call_of
from tests.unit.readings import instance, progress, read, rejected, state

STATE_BYTES = 262_144
"""What Step Functions hands from one state to the next."""


def test_a_study_of_sure_normals_needs_nobody() -> None:
    assert routed(progress(read(1), read(2)).items) == Routing(route="report", priority="routine", why=())


@pytest.mark.parametrize(
    ("item", "priority", "why"),
    [
        (read(2, "pneumonia", 0.97), "urgent", ("positive",)),
        (read(2, "pneumonia", 0.61, unsure=True, why=["near_threshold"]), "routine",
         ("positive", "unsure", "near_threshold")),
        (read(2, unsure=True, why=["near_threshold"]), "routine", ("unsure", "near_threshold")),
        (read(2, "not_readable", None, unsure=True, why=["view", "distance"]), "routine",
         ("not_readable", "distance", "view")),
    ],
)  # fmt: skip
def test_one_image_with_a_finding_or_a_doubt_sends_the_study_to_a_person(
    item: dict[str, Any], priority: Literal["routine", "urgent"], why: tuple[str, ...]
) -> None:
    assert routed(progress(read(1), item).items) == Routing(route="review", priority=priority, why=why)


def test_where_nothing_was_read_there_is_nothing_to_review() -> None:
    assert routed(progress(rejected(1), rejected(2)).items).route == "nothing"
    assert routed(()).route == "nothing"


def test_a_rejected_instance_does_not_change_what_the_others_say() -> None:
    assert routed(progress(read(1), rejected(2)).items).route == "report"


def test_the_models_reading_of_a_study_is_its_gravest() -> None:
    lateral = read(3, "not_readable", 0.99, unsure=True)
    both = progress(read(1), lateral, read(2, "pneumonia", 0.8))
    assert suggested(both.items) == "pneumonia"
    assert suggested(progress(read(1), lateral).items) == "normal"
    assert suggested(progress(lateral).items) == "not_readable"
    assert probability(both.items) == 0.8  # what is not readable has no probability worth telling
    assert probability(progress(lateral).items) is None
    assert model_version(both.items) == "imaging-1"


def test_the_question_has_what_the_queue_takes() -> None:
    known = progress(read(1, "pneumonia", 0.91234), read(2, "not_readable", 0.5, unsure=True, why=["view"]), revision=3)
    ask = asked(known, routed(known.items), Policy(), "deidentified")
    assert ask["once"] == f"{known.study}-3"
    assert (ask["subject"], ask["priority"], ask["suggested"]) == (known.study, "urgent", "pneumonia")
    assert ask["choices"] == list(CHOICES) == ["pneumonia", "other_finding", "not_readable", "normal"]
    assert (ask["sla_min"], ask["reads"], ask["review_days"], ask["lease_min"]) == (60, 1, 30, 15)
    assert [each["key"] for each in ask["attachments"]] == [
        f"studies/{known.study}/{instance(1)}/image.png",
        f"studies/{known.study}/{instance(1)}/heatmap.png",
        f"studies/{known.study}/{instance(2)}/image.png",  # a heat map of nonsense would mislead
    ]
    assert ask["payload"]["readings"] == [
        {"instance": instance(1), "finding": "pneumonia", "probability": 0.9123},
        {"instance": instance(2), "finding": "not_readable", "why": ["view"]},
    ]


@pytest.mark.parametrize(
    ("policy", "finding", "reads"),
    [
        (Policy(), "pneumonia", 1),
        (Policy(double_read=True), "pneumonia", 2),
        (Policy(double_read=True), "normal", 1),
        (Policy(reads=2), "normal", 2),
    ],
)
def test_a_second_reader_is_asked_where_the_policy_says_so(policy: Policy, finding: str, reads: int) -> None:
    known = progress(read(1, finding, 0.5, unsure=True))
    assert asked(known, routed(known.items), policy, "bucket")["reads"] == reads


def test_the_largest_study_fits_into_a_state() -> None:
    why = ["near_threshold", "age_unknown", "distance"]
    items = [read(number, "pneumonia", 0.123456789012, unsure=True, why=why) for number in range(MAX_INSTANCES)]
    known = progress(*items)
    ask = asked(
        known, routed(known.items), Policy(), "a-bucket-with-as-long-a-name-as-s3-allows-for-any-bucket-63-char"
    )
    review = {"outcome": "normal", "reasons": ["other"] * 5, "reads": [{"choice": "normal"}] * 3, "agreed": False}
    whole = state(*items, routing={"route": "review", "ask": ask}, review=review)
    assert len(json.dumps(whole)) < STATE_BYTES - 10_000
    assert call_of({"token": "t" * 1024, "ask": ask}).ask is not None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"study": "../../etc"}, "study"),
        ({"study": "DOE^JOHN"}, "study"),
        ({"revision": 0}, "revision"),
        ({"items": [{"instance": "x", "state": "read"}]}, "items"),
        ({"items": [{**read(1), "finding": "DOE^JOHN"}]}, "items"),
        ({"review": {"outcome": "perhaps"}}, "review"),
    ],
)
def test_a_damaged_state_is_refused_without_quoting_it(change: dict[str, object], field: str) -> None:
    with pytest.raises(Rejected, match=field) as caught:
        progress_of({**state(read(1)), **change})
    assert "DOE" not in str(caught.value)
    assert caught.value.__cause__ is None
