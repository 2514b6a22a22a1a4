"""A reviewer's request -> tasks listed, shown, taken, kept, left and decided; each written to the audit log first or
with it, so that nobody sees what the log does not know of."""

from typing import Any, Literal, NamedTuple

import msgspec

from cuatro.adapters.auditing import Audit
from cuatro.decoding import decoded
from functions.review import deciding
from functions.review.answering import tell
from functions.review.api import shown
from functions.review.api.queries import Query, chosen, length, queue_of, start_of, task_of, token_of
from functions.review.deciding import MAX_DECISION_BYTES, Decision
from functions.review.store import Group, Reviews
from functions.review.task import ENDS, STATES, Task, state

PURPOSE = "review"
_PAGES = 10
"""Pages that are looked through for tasks in one of several states."""
_DECISION = msgspec.json.Decoder(Decision)
Verb = Literal["lease", "heartbeat", "release"]


class Desk(NamedTuple):
    """Who asks, and with what. now: unix milliseconds."""

    reviewer: str
    reviews: Reviews
    audit: Audit
    correlation: str
    now: int

    def record(self, action: Any, subject: str, **details: str | int) -> None:
        self.audit.record(
            action, subject, actor=f"reviewer:{self.reviewer}", outcome="success", purpose=PURPOSE,
            correlation=self.correlation, details=details,
        )  # fmt: skip


def listed(desk: Desk, query: Query) -> dict[str, Any]:
    """Tasks of a queue, the most urgent first, those that ended newest first; without a state all that wait.

    A page may be shorter than limit, or empty with a next, where few of many are wanted. Raises Rejected, Unavailable.
    """
    queue, wanted = queue_of(query), chosen(query, "state", STATES)
    group: Group = next((end for end in ENDS if end == wanted), "waiting")
    limit, start = length(query), start_of(query, f"{queue}#{group}")
    found: list[dict[str, Any]] = []
    for _ in range(_PAGES):
        tasks, start = desk.reviews.page(queue, group, limit - len(found), start)
        of_state = (task for task in tasks if wanted in {None, state(task, desk.now)})
        found += [shown.summary(task, desk.reviewer, desk.now) for task in of_state]
        if start is None or len(found) >= limit:
            break
    desk.record("search", queue, tasks=len(found))
    return {"queue": queue, "tasks": found, "next": token_of(start)}


def show(desk: Desk, name: str, link_s: int) -> dict[str, Any]:
    """One task. Raises Rejected (not_found), Unavailable."""
    task = desk.reviews.read(task_of(name)).task
    desk.record("view", task.ask.subject, task=task.task, state=state(task, desk.now))
    return shown.whole(task, desk.reviewer, desk.now, link_s)


def move(desk: Desk, name: str, verb: Verb) -> dict[str, Any]:
    """Take, keep or leave a task; it as it is then. Raises Conflict, Rejected (not_found), Unavailable."""
    verbs = {"lease": deciding.leased, "heartbeat": deciding.prolonged, "release": deciding.released}
    _, after = desk.reviews.change(task_of(name), lambda task: verbs[verb](task, desk.reviewer, desk.now))
    if verb == "lease":
        desk.record("lease", after.ask.subject, task=after.task)
    elif verb == "release":
        desk.record("release", after.ask.subject, task=after.task)
    return shown.summary(after, desk.reviewer, desk.now)


def decide(desk: Desk, name: str, body: bytes) -> tuple[dict[str, Any], Task, Task]:
    """The answer, and the task before and after. The same decision again is answered alike.

    Raises Conflict, Rejected, Unavailable; an asker that does not take the answer now gets it by the clock.
    """
    decision = decoded(_DECISION, body, MAX_DECISION_BYTES)
    before, after = desk.reviews.change(
        task_of(name), lambda task: deciding.decided(task, desk.reviewer, decision, desk.now)
    )
    desk.record(
        "decide", after.ask.subject, task=after.task, choice=decision.choice, changed=int(before != after),
        state=state(after, desk.now),
    )  # fmt: skip
    if after.end and not after.told:
        tell(after, desk.reviews)
    answer = {
        "task": after.task,
        "choice": decision.choice,
        "changed": before != after,
        "state": state(after, desk.now),
    }
    return answer, before, after
