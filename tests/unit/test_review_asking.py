"""What a pipeline asks: a good question is taken as it is; a bad one is refused by its field before anybody sees it."""

import json
from typing import Any

import pytest

from cuatro.errors import Rejected
from functions.review.asking import call_of, task_id
from tests.unit.review_tasks import asked

ATTACHMENT = {"name": "image-1", "bucket": "deidentified", "key": "studies/a/b/image.png", "type": "image/png"}


def call(token: str = "token-1", **fields: Any) -> dict[str, Any]:  # noqa: S107 - no password
    return {"token": token, "ask": asked(**fields)}


def test_a_question_with_all_it_may_have() -> None:
    event = call(
        attachments=[ATTACHMENT],
        payload={"probability": 0.93, "why": ["positive"]},
        reads=2,
        priority="urgent",
        later=1,
    )
    ask = call_of(event).ask
    assert ask is not None
    assert ask.attachments[0].key == "studies/a/b/image.png"
    assert (ask.reads, ask.priority, ask.adjudicate) == (2, "urgent", True)
    assert ask.payload == {"probability": 0.93, "why": ["positive"]}


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"choices": ["normal"]}, "ask.choices", "invalid_value"),
        ({"choices": ["normal", "normal"]}, "ask", "wrong_type"),
        ({"suggested": "tumour"}, "ask", "wrong_type"),
        ({"queue": "Imaging"}, "ask.queue", "invalid_value"),
        ({"subject": "Phantom^One"}, "ask.subject", "invalid_value"),
        ({"reads": 0}, "ask.reads", "out_of_range"),
        ({"sla_min": 0}, "ask.sla_min", "out_of_range"),
        ({"priority": "later"}, "ask.priority", "invalid_value"),
        ({"attachments": [ATTACHMENT, ATTACHMENT]}, "ask", "wrong_type"),
        ({"attachments": [{**ATTACHMENT, "key": "Phantom^One.png"}]}, "ask.attachments[0].key", "invalid_value"),
        ({"payload": {"text": "x" * 70_000}}, "ask", "wrong_type"),
        ({"version": 2}, "ask.version", "invalid_value"),
    ],
    ids=str,
)
def test_a_bad_question_is_refused(changed: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(Rejected) as rejected:
        call_of(call(**changed))
    assert (rejected.value.field, rejected.value.code) == (field, code)


@pytest.mark.parametrize("field", ["subject", "queue", "priority", "version", "choices", "suggested", "reads"])
def test_what_is_refused_is_not_quoted(field: str) -> None:
    """The event may hold what it must not; the error goes to a log."""
    with pytest.raises(Rejected) as rejected:
        call_of(call(**{field: "Phantom^One"}))
    assert "Phantom" not in f"{rejected.value} {rejected.value.field}"
    assert rejected.value.__suppress_context__


@pytest.mark.parametrize(
    "event", [{}, {"token": "t"}, {"ask": asked()}, {**call(), "cancel": {"queue": "q", "once": "o"}}], ids=str
)
def test_a_call_asks_with_a_token_or_cancels(event: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        call_of(event)


def test_a_call_that_is_too_large() -> None:
    many = [{**ATTACHMENT, "name": f"image-{number}", "key": "k" * 500} for number in range(400)]
    with pytest.raises(Rejected) as rejected:
        call_of(call(attachments=many))
    assert rejected.value.code == "oversized"


def test_a_task_has_one_id_for_one_question() -> None:
    assert task_id("imaging", "study-1") == task_id("imaging", "study-1")
    ids = {task_id("imaging", "study-1"), task_id("imaging", "study-2"), task_id("fraud", "study-1")}
    assert len(ids) == 3
    assert all(len(each) == 26 and each.isalnum() and each == each.lower() for each in ids)


def test_an_event_is_taken_as_lambda_gives_it() -> None:
    assert call_of(json.loads(json.dumps(call()))).token == "token-1"  # noqa: S105
