"""route: readings -> a route and a question for people; the row follows, unless something newer has happened."""

from typing import Any

import pytest

from cuatro.errors import Rejected, Unavailable
from functions.review.asking import Ask
from tests.functional.imaging.ending import STUDY, Ending, instance, item, rejected, state
from tests.functional.imaging.suite import Suite


def test_a_finding_goes_to_a_person_and_the_study_says_so(suite: Suite) -> None:
    ending = Ending(suite, 1)
    answer = ending.call("route", state(item(1), rejected(2)))
    assert answer["routing"]["route"] == "review"
    assert answer["items"] == [item(1), rejected(2)]  # what came in is handed on
    assert ending.row["s"] == "review"
    (told,) = suite.audited("route")
    assert (told["object"], told["actor"], told["details"]) == (
        STUDY, "function:route", {"route": "review", "priority": "urgent"},
    )  # fmt: skip


def test_the_question_is_one_that_the_queue_takes(suite: Suite) -> None:
    import msgspec  # noqa: PLC0415

    answer = Ending(suite, 1).call("route", state(item(1), revision=1))
    ask = msgspec.convert(answer["routing"]["ask"], Ask)
    assert ask.attachments[0].bucket == "deidentified"
    assert ask.attachments[0].key == f"studies/{STUDY}/{instance(1)}/image.png"


def test_a_sure_normal_is_reported_without_anybody(suite: Suite) -> None:
    ending = Ending(suite, 1)
    answer = ending.call("route", state(item(1, "normal", 0.02)))
    assert answer["routing"] == {"route": "report", "priority": "routine", "why": []}
    assert ending.row["s"] == "reading"


def test_where_nothing_was_read_nobody_is_asked(suite: Suite) -> None:
    answer = Ending(suite).call("route", state(rejected(1)))
    assert answer["routing"]["route"] == "nothing"
    assert "ask" not in answer["routing"]


@pytest.mark.parametrize("row", [{"r": 2}, {"s": "arriving"}])
def test_what_has_happened_since_is_not_hidden(suite: Suite, row: dict[str, Any]) -> None:
    ending = Ending(suite, 1, **row)
    before = ending.row["s"]
    assert ending.call("route", state(item(1)))["routing"]["route"] == "review"
    assert ending.row["s"] == before


def test_of_an_erased_study_nothing_is_asked(suite: Suite) -> None:
    ending = Ending(suite, 1)
    ending.gone()
    with pytest.raises(Rejected) as caught:
        ending.call("route", state(item(1)))
    assert caught.value.code == "erased"
    ending.set(s="erased")
    with pytest.raises(Rejected):
        ending.call("route", state(item(1)))


@pytest.mark.parametrize("operation", ["BatchGetItem", "UpdateItem", "SendMessage"])
def test_what_is_away_is_tried_again(suite: Suite, operation: str) -> None:
    ending = Ending(suite, 1)
    suite.wire.down(operation)
    with pytest.raises(Unavailable):
        ending.call("route", state(item(1)))
    suite.wire.repair()
    assert ending.call("route", state(item(1)))["routing"]["route"] == "review"
    assert ending.row["s"] == "review"
