"""What may go wrong between reviewers, log and asker: two at once, lost answers, services away, callers unknown."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cuatro.adapters.dynamodb import dynamo
from cuatro.errors import Conflict, Unavailable
from functions.review import deciding
from functions.review.asking import task_id
from functions.review.deciding import Decision
from functions.review.store import Reviews
from tests.functional.review.suite import ATTACHMENT, Suite

TASK = task_id("imaging", "study-1")


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["error"]["code"]


@pytest.mark.safeguard("164.312(b)")
def test_nothing_is_shown_that_the_log_does_not_take(suite: Suite) -> None:
    suite.ask(attachments=[ATTACHMENT])
    suite.lease("ada", TASK)
    suite.wire.down("SendMessage")
    for answer in (suite.show("ada", TASK), suite.listed("ada"), suite.decide("ada", TASK, "pneumonia")):
        assert code(answer) == (503, "unavailable")
    suite.wire.repair()
    assert suite.decide("ada", TASK, "pneumonia")[1]["changed"] is False, "it was written, and is told now"
    assert set(suite.executions.answers) == {"token-1"}


def test_only_one_of_two_at_the_same_moment_takes_a_task(suite: Suite) -> None:
    suite.ask()
    suite.before_next_write(lambda: suite.lease("bo", TASK))
    assert code(suite.lease("ada", TASK)) == (409, "leased_by_another")
    assert suite.task().lease is not None
    assert suite.task().lease.reviewer == "bo"  # type: ignore[union-attr]


def test_a_decision_whose_answer_was_lost_may_be_sent_again(suite: Suite) -> None:
    suite.ask()
    suite.lease("ada", TASK)
    suite.wire.lose_answer("UpdateItem")
    assert suite.decide("ada", TASK, "pneumonia")[1]["state"] == "done"
    status, answer = suite.decide("ada", TASK, "pneumonia")
    assert (status, answer["changed"]) == (200, False)
    assert len(suite.task().votes) == 1
    assert code(suite.decide("ada", TASK, "normal", "artefact")) == (409, "already_decided")


@pytest.mark.parametrize("refusal", ["AccessDeniedException", "KMSAccessDeniedException"])
def test_an_asker_that_cannot_be_answered_now_is_answered_by_the_clock(suite: Suite, refusal: str) -> None:
    suite.ask()
    suite.lease("ada", TASK)
    suite.wire.refuse("SendTaskSuccess", refusal)
    assert suite.decide("ada", TASK, "pneumonia")[0] == 200, "the decision is kept"
    assert suite.remind()["AnswersUndelivered"] == 1
    suite.wire.repair()
    assert suite.remind()["AnswersSent"] == 1
    assert suite.executions.answers["token-1"]["outcome"] == "pneumonia"
    assert suite.remind() == dict.fromkeys(suite.remind(), 0)


def test_an_asker_that_waits_no_more(suite: Suite) -> None:
    suite.ask()
    suite.executions.waiting.clear()
    assert suite.read("ada", TASK, "pneumonia")[0] == 200
    assert suite.task().told, "there is nobody to tell"
    assert suite.remind()["AnswersUndelivered"] == 0


@pytest.mark.safeguard("164.312(a)(2)(i)", "164.312(d)")
def test_who_may_speak_for_a_reviewer(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    suite.ask()
    answer = suite.call("i-0123", "POST", "/tasks/{task}/lease", task=TASK, headers={"X-Cuatro-Reviewer": "ada"})
    assert code(answer) == (403, "forbidden")
    assert suite.events_audited()[-1]["outcome"] == "denied"
    from cuatro.config import settings  # noqa: PLC0415

    environment.setenv("TRUSTED_BACKENDS", "arn:aws:iam::123456789012:role/Radiologists")
    settings.cache_clear()
    answer = suite.call("i-0123", "POST", "/tasks/{task}/lease", task=TASK, headers={"X-Cuatro-Reviewer": "ada"})
    assert answer[0] == 200
    assert suite.task().lease.reviewer == "ada"  # type: ignore[union-attr]


@pytest.mark.safeguard("164.312(a)(2)(i)", "164.312(d)")
def test_a_caller_without_a_name_is_nobody(suite: Suite) -> None:
    suite.ask()
    assert code(suite.call("", "GET", "/tasks", query={"queue": ["imaging"]})) == (401, "unauthorized")


@pytest.mark.safeguard("164.312(a)(1)")
def test_notes_are_in_no_log_and_no_event(suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    suite.ask(reads=2)
    suite.read("ada", TASK, "pneumonia", note="Phantom^One has a shadow")
    suite.read("bo", TASK, "normal", "artefact", note="Phantom^One has none")
    suite.read("cy", TASK, "normal", "artefact", note="Phantom^One is fine")
    suite.wait(10_000)
    suite.remind()
    written = capsys.readouterr().out + str(suite.events_audited()) + str(suite.executions.answers) + str(suite.told())
    assert "Phantom" not in written
    assert "decide" in written
    assert "token-1" not in written.replace("'token-1': {", ""), "nor is the token"


def test_of_many_at_once_each_task_is_read_by_two_who_are_not_the_same(suite: Suite) -> None:
    """Eight reviewers take whatever they get, until nothing is left: against the table, as functions side by side."""
    tasks = []
    for number in range(4):
        suite.ask(f"token-{number}", once=f"study-{number}", reads=2, suggested=None)
        tasks.append(task_id("imaging", f"study-{number}"))
    reviews = Reviews("reviews", dynamo())

    decision, now = Decision(choice="normal"), int(time.time() * 1000)

    def work(who: str) -> None:
        for task in tasks:
            with contextlib.suppress(Conflict, Unavailable):
                reviews.change(task, lambda found: deciding.leased(found, who, now))
                reviews.change(task, lambda found: deciding.decided(found, who, decision, now))

    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):  # who found a task held by another comes again
            list(pool.map(work, [f"reviewer-{number}" for number in range(8)]))
            if all(suite.task(f"study-{number}").end for number in range(4)):
                break
    for number in range(4):
        task = suite.task(f"study-{number}")
        assert (task.end, len({vote.reviewer for vote in task.votes}), len(task.votes)) == ("done", 2, 2)
