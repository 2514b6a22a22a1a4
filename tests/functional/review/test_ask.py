"""A state machine asks and waits: one task for one question, whoever asks again; withdrawn when nobody waits."""

import pytest

from cuatro.errors import Rejected, Unavailable
from functions.review.asking import task_id
from functions.review.deciding import ended
from tests.functional.review.suite import Suite

TASK = task_id("imaging", "study-1")


def test_a_question_is_a_task(suite: Suite) -> None:
    assert suite.ask() == {"task": TASK, "state": "open"}
    task = suite.task()
    assert (task.token, task.end, task.votes, task.external) == ("token-1", None, (), False)
    assert suite.audited() == [("open_task", "function:ask", "study")]


def test_asked_again_it_is_the_same_task_and_the_newer_token_is_answered(suite: Suite) -> None:
    suite.ask(reads=2)
    suite.read("ada", TASK, "pneumonia")
    suite.ask("token-2", reads=2)
    assert len(suite.items("reviews")) == 1
    assert [vote.reviewer for vote in suite.task().votes] == ["ada"], "nobody reads it again"
    suite.read("bo", TASK, "pneumonia")
    assert set(suite.executions.answers) == {"token-2"}


def test_one_who_asks_what_is_decided_gets_the_answer_by_the_clock(suite: Suite) -> None:
    suite.ask()
    suite.read("ada", TASK, "pneumonia")
    assert suite.ask("token-2") == {"task": TASK, "state": "done"}
    assert suite.remind()["AnswersSent"] == 1
    assert suite.executions.answers["token-2"] == suite.executions.answers["token-1"]
    assert suite.remind()["AnswersSent"] == 0


def test_a_call_whose_answer_was_lost_opens_one_task(suite: Suite) -> None:
    suite.wire.lose_answer("UpdateItem")
    assert suite.ask()["state"] == "open"
    assert (len(suite.items("reviews")), suite.task().token) == (1, "token-1")


def test_two_studies_are_two_tasks(suite: Suite) -> None:
    suite.ask()
    suite.ask("token-2", once="study-2", subject="another")
    assert {item["s"] for item in suite.items("reviews").values()} == {"study", "another"}


@pytest.mark.parametrize("operation", ["UpdateItem", "SendMessage"])
def test_what_a_service_does_not_take_is_tried_again_by_the_machine(suite: Suite, operation: str) -> None:
    suite.wire.down(operation)
    with pytest.raises(Unavailable):
        suite.ask()
    suite.wire.repair()
    assert suite.ask()["state"] == "open"
    assert suite.audited() == [("open_task", "function:ask", "study")]


def test_what_is_no_question_is_refused(suite: Suite) -> None:
    with pytest.raises(Rejected, match=r"ask\.subject: invalid_value"):
        suite.ask(subject="Phantom^One")
    assert suite.items("reviews") == {}


def test_a_question_withdrawn(suite: Suite) -> None:
    suite.ask()
    suite.lease("ada", TASK)
    cancel = {"cancel": {"queue": "imaging", "once": "study-1"}}
    assert suite.invoke_ask(cancel) == {"task": TASK, "state": "cancelled"}
    assert suite.invoke_ask(cancel) == {"task": TASK, "state": "cancelled"}, "harmless"
    status, answer = suite.decide("ada", TASK, "pneumonia")
    assert (status, answer["error"]["code"]) == (409, "ended")
    assert suite.remind()["AnswersSent"] == 1
    assert suite.executions.failures["token-1"][0] == "ReviewCancelled"
    assert [action for action, *_ in suite.audited()].count("cancel") == 1


def test_withdrawing_what_nobody_asked_or_what_is_decided(suite: Suite) -> None:
    assert suite.invoke_ask({"cancel": {"queue": "imaging", "once": "other"}}) == {"task": None, "state": None}
    suite.ask()
    suite.read("ada", TASK, "pneumonia")
    assert suite.invoke_ask({"cancel": {"queue": "imaging", "once": "study-1"}})["state"] == "done"


def test_rows_expire_only_long_after_they_ended(suite: Suite) -> None:
    suite.ask(review_days=30, keep_days=100)
    task, item = suite.task(), suite.items("reviews")[TASK]
    assert item["x"] == (task.opened // 1000) + 130 * 86_400
    assert ended(task, "done", task.opened).ended + 100 * 86_400_000 < item["x"] * 1000


def test_the_queue_knows_no_pipeline(suite: Suite) -> None:
    """Another one's question, with its own choices, in a queue of its own."""
    fraud = {
        "queue": "fraud", "kind": "card-transaction", "subject": "transaction-1", "choices": ["decline", "approve"],
        "reasons": ["known_merchant"], "suggested": "decline",
    }  # fmt: skip
    suite.ask("token-1")
    task = suite.ask("token-2", **fraud)["task"]
    assert [each["task"] for each in suite.listed(queue="fraud")[1]["tasks"]] == [task]
    suite.read("ada", task, "approve", "known_merchant")
    assert suite.executions.answers["token-2"]["outcome"] == "approve"
    assert [each["task"] for each in suite.listed()[1]["tasks"]] == [TASK]
