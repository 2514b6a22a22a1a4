"""A question -> its task: opened once, found again by whoever asks the same; withdrawn when nobody wants the answer."""

from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from cuatro.adapters.auditing import Audit
from cuatro.adapters.human_review import HumanReview, Question
from functions.review.asking import Ask, Call, Withdrawal, task_id
from functions.review.deciding import ended
from functions.review.store import Reviews
from functions.review.task import Task

ACTOR, PURPOSE = "function:ask", "review"


class Opened(NamedTuple):
    """is_new: nobody had asked before."""

    task: Task
    is_new: bool


def open_task(call: Call, reviews: Reviews, elsewhere: HumanReview | None, audit: Audit, now: int) -> Opened:
    """Of one who asks again (a retried state has another token) the newer token is answered, also if it is decided.

    elsewhere: whose people give the reads, if not our own. Raises Unavailable or Refused.
    """
    ask = call.ask
    assert ask is not None, "a question"  # noqa: S101 - for the type checker
    name = task_id(ask.queue, ask.once)
    task = Task(task=name, ask=ask, token=call.token, opened=now, external=elsewhere is not None)
    is_new = reviews.add(task)
    if not is_new:
        _, task = reviews.change(name, lambda found: _asked_again(found, call.token))
    if elsewhere is not None and not task.end:
        elsewhere.ask(question_of(task))
    # Of those who ask again too: the first may have failed before it came here.
    audit.record(
        "open_task", ask.subject, actor=ACTOR, outcome="success", purpose=PURPOSE,
        details={
            "task": name, "queue": ask.queue, "kind": ask.kind, "priority": ask.priority, "again": int(not is_new),
        },
    )  # fmt: skip
    return Opened(task, is_new)


def cancel(wanted: Withdrawal, reviews: Reviews, elsewhere: HumanReview | None, audit: Audit, now: int) -> Task | None:
    """The task, ended; None where there is none. One that has ended stays as it is. Raises Unavailable or Refused."""
    name = task_id(wanted.queue, wanted.once)
    if reviews.find(name) is None:
        return None
    before, after = reviews.change(name, lambda task: ended(task, "cancelled", now))
    if elsewhere is not None and after.end == "cancelled":
        elsewhere.cancel(name)
    if before != after:
        audit.record(
            "cancel", after.ask.subject, actor=ACTOR, outcome="success", purpose=PURPOSE, details={"task": name}
        )
    return after


def question_of(task: Task) -> Question:
    """For people elsewhere: without token, deadlines and votes."""
    ask: Ask = task.ask
    return Question(
        task=task.task,
        queue=ask.queue,
        kind=ask.kind,
        subject=ask.subject,
        priority=ask.priority,
        choices=ask.choices,
        reasons=ask.reasons,
        suggested=ask.suggested,
        attachments=tuple(msgspec.to_builtins(each) for each in ask.attachments),
        payload=ask.payload,
    )


def _asked_again(task: Task, token: str) -> Task:
    return task if task.token == token else replace(task, token=token, told=0)
