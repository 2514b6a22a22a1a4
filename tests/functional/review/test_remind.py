"""The clock: leases that reviewers left, tasks that nobody decided in time, questions that nobody answered at all."""

from collections.abc import Callable

import pytest

from cuatro.errors import Unavailable
from functions.review.asking import task_id
from functions.review.remind import run
from functions.review.store import Reviews
from functions.review.task import Task
from tests.functional.review.suite import Suite
from tests.functional.stage import client

TASK = task_id("imaging", "study-1")
DAY_MIN = 1440


@pytest.mark.safeguard("164.312(a)(2)(iii)")
def test_a_reviewer_who_never_comes_back(suite: Suite) -> None:
    suite.ask()
    suite.lease("ada", TASK)
    suite.wait(16)
    assert suite.remind()["LeasesLapsed"] == 1
    assert suite.task().lease is None
    status, answer = suite.decide("ada", TASK, "pneumonia")
    assert (status, answer["error"]["code"]) == (409, "not_leased")
    assert suite.read("bo", TASK, "pneumonia")[0] == 200


def test_one_who_says_that_they_are_at_it_keeps_it(suite: Suite) -> None:
    suite.ask()
    suite.lease("ada", TASK)
    for _ in range(4):
        suite.wait(14)
        assert suite.call("ada", "POST", "/tasks/{task}/heartbeat", task=TASK)[0] == 200
        assert suite.remind()["LeasesLapsed"] == 0
    assert suite.decide("ada", TASK, "pneumonia")[0] == 200


def test_people_are_told_of_what_is_overdue(suite: Suite) -> None:
    suite.ask(priority="urgent", sla_min=60)
    assert (suite.remind()["TasksOverdue"], suite.told()) == (0, [])
    suite.wait(61)
    assert suite.remind()["TasksOverdue"] == 1
    (told,) = suite.told()
    assert (told["task"], told["level"], told["priority"], told["overdue_min"]) == (TASK, 1, "urgent", 1)
    assert suite.listed()[1]["tasks"][0]["overdue"] is True
    assert (suite.remind()["TasksOverdue"], suite.told()) == (0, [])
    suite.wait(60)
    suite.remind()
    assert [each["level"] for each in suite.told()] == [2]
    assert [action for action, *_ in suite.audited()].count("escalate") == 2


def test_a_reminder_that_nobody_took_is_sent_again(suite: Suite) -> None:
    suite.ask(sla_min=60)
    suite.wait(61)
    suite.wire.down("PublishBatch")
    assert suite.remind()["RemindersFailed"] == 1
    suite.wire.repair()
    assert suite.remind()["TasksOverdue"] == 1
    assert [each["level"] for each in suite.told()] == [1]


def test_nobody_answers_at_all(suite: Suite) -> None:
    suite.ask(review_days=2)
    suite.wait(2 * DAY_MIN + 1)
    done = suite.remind()
    assert (done["TasksExpired"], done["AnswersSent"]) == (1, 1)
    assert suite.executions.failures["token-1"][0] == "ReviewExpired"
    assert suite.listed()[1]["tasks"] == []
    assert [each["state"] for each in suite.listed(state="expired")[1]["tasks"]] == ["expired"]
    status, answer = suite.lease("ada", TASK)
    assert (status, answer["error"]["code"]) == (409, "ended")
    assert suite.remind()["TasksExpired"] == 0


def test_a_decision_at_the_moment_of_expiry_stands(suite: Suite) -> None:
    suite.ask(review_days=1)
    suite.wait(DAY_MIN - 5)
    suite.lease("ada", TASK)
    suite.wait(6)
    suite.before_next_write(lambda: suite.decide("ada", TASK, "pneumonia"))
    assert suite.remind()["TasksExpired"] == 0
    assert suite.executions.answers["token-1"]["outcome"] == "pneumonia"


def test_more_than_one_round_can_take(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        suite.ask(f"token-{number}", once=f"study-{number}", review_days=1)
    suite.wait(DAY_MIN + 1)
    monkeypatch.setattr(run, "AT_ONCE", 2)
    assert [suite.remind()["TasksExpired"] for _ in range(4)] == [2, 2, 1, 0]
    assert len(suite.executions.failures) == 5


def test_an_answer_that_nobody_ever_takes_is_given_up(suite: Suite) -> None:
    """Its state machine is gone, say: the role may answer another one's tokens only."""
    suite.ask()
    suite.lease("ada", TASK)
    suite.wire.refuse("SendTaskSuccess", "AccessDeniedException")
    suite.decide("ada", TASK, "pneumonia")
    suite.wait(13 * DAY_MIN)
    assert suite.remind()["AnswersUndelivered"] == 1
    suite.wait(2 * DAY_MIN)
    assert (suite.remind()["AnswersAbandoned"], suite.remind()["AnswersUndelivered"]) == (1, 0)
    assert suite.listed(state="done")[1]["tasks"][0]["state"] == "done", "what was decided stays"


def test_what_was_erased_holds_nothing_up(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index follows its table: the clock may still find what is there no longer."""
    for number in range(2):
        suite.ask(f"token-{number}", once=f"study-{number}", review_days=1)
    suite.wait(DAY_MIN + 1)
    monkeypatch.setattr(Reviews, "waking", _and_then_erased(Reviews.waking, task_id("imaging", "study-0")))
    assert suite.remind()["TasksExpired"] == 1
    assert set(suite.executions.failures) == {"token-1"}


def test_one_that_is_decided_and_erased_before_its_asker_knows(suite: Suite) -> None:
    suite.ask()
    suite.lease("ada", TASK)

    def erase() -> None:
        client("dynamodb").delete_item(TableName="reviews", Key={"task": {"S": TASK}})

    suite.wire.first("SendTaskSuccess", erase)
    assert suite.decide("ada", TASK, "pneumonia")[0] == 200
    assert suite.items("reviews") == {}, "it does not come back"
    assert suite.executions.answers["token-1"]["outcome"] == "pneumonia"


def test_a_log_that_takes_nothing_stops_the_round_and_the_next_one_goes_on(suite: Suite) -> None:
    suite.ask(sla_min=60)
    suite.wait(61)
    suite.wire.down("SendMessage")
    with pytest.raises(Unavailable):
        suite.remind()
    suite.wire.repair()
    assert suite.remind()["TasksOverdue"] == 1
    assert [action for action, *_ in suite.audited()] == ["open_task", "escalate"]


def _and_then_erased(found: Callable[..., list[Task]], task: str) -> Callable[..., list[Task]]:
    def waking(self: Reviews, now: int, limit: int) -> list[Task]:
        tasks = found(self, now, limit)
        client("dynamodb").delete_item(TableName="reviews", Key={"task": {"S": task}})
        return tasks

    return waking
