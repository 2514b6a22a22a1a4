"""Tasks <-> rows of the Reviews table, each written only over the version that was read.

by_queue (q, t): "<queue>#waiting" by urgency, "<queue>#done|expired|cancelled" newest first. by_clock (w, z): whose
moment the clock waits for, earliest first; all in one partition, which a thousand reviewers would not fill.
by_subject (s, t): everything about a subject, for whoever erases it.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.adapters.aws import backoff
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.errors import Refused, Rejected, Unavailable
from functions.review.clock import wake
from functions.review.task import DAY, Task

KEY = "task"
Group = Literal["waiting", "done", "expired", "cancelled"]
_CLOCK = "clock"
_ROUNDS = 6
"""Of compare-and-set against others at the same task."""
_CONFLICT = "ConditionalCheckFailedException"
_DECODER = msgspec.json.Decoder(Task)


class Row(NamedTuple):
    """n: how often it was written."""

    task: Task
    n: int


class Listing(NamedTuple):
    """start: for the next page; None after the last."""

    tasks: list[Task]
    start: Item | None


class Reviews:
    """The table."""

    def __init__(self, table: str, dynamo: Dynamo) -> None:
        self._table, self._dynamo = table, dynamo

    def find(self, task: str) -> Row | None:
        """Raises Unavailable."""
        found = self._dynamo.read({self._table: Keys(KEY, [task])})[self._table]
        if found.unread:
            raise Unavailable("the task could not be read")
        item = found.items.get(task)
        return Row(_DECODER.decode(item["p"]), int(item["n"])) if item else None

    def read(self, task: str) -> Row:
        """Raises Rejected (not_found), Unavailable."""
        row = self.find(task)
        if row is None:
            raise Rejected("no such task", "task", "not_found")
        return row

    def add(self, task: Task) -> bool:
        """A new one; False if it is there already. Raises Unavailable or Refused."""
        return self._put(task, 0)

    def write(self, row: Row, task: Task) -> bool:
        """Over that row; False when somebody else has written since. Raises Unavailable or Refused."""
        return self._put(task, row.n)

    def change(self, task: str, verb: Callable[[Task], Task]) -> tuple[Task, Task]:
        """The task before and after `verb`, which may run several times. Raises what it raises, Rejected (not_found),
        Unavailable."""
        for attempt in range(_ROUNDS):
            if attempt:
                backoff(attempt)
            row = self.read(task)
            after = verb(row.task)
            if after == row.task or self.write(row, after):
                return row.task, after
        raise Unavailable("too many are at this task at once")

    def page(self, queue: str, group: Group, limit: int, start: Item | None = None) -> Listing:
        """Raises Unavailable."""
        page = self._dynamo.query(self._table, "by_queue", {"q": f"{queue}#{group}"}, limit, start)
        return Listing([_DECODER.decode(item["p"]) for item in page.items], page.start)

    def waking(self, now: int, limit: int) -> list[Task]:
        """At most so many whose moment has come, the earliest first. Raises Unavailable."""
        page = self._dynamo.query(self._table, "by_clock", {"w": _CLOCK}, limit)
        return [_DECODER.decode(item["p"]) for item in page.items if -int(item["z"]) <= now]

    def _put(self, task: Task, n: int) -> bool:
        expression, values = _written(task, n + 1)
        condition = "n = :was" if n else "attribute_not_exists(task)"
        if n:
            values[":was"] = n
        try:
            self._dynamo.update(self._table, {KEY: task.task}, expression, values, condition)
        except Refused as refused:
            if refused.code != _CONFLICT:
                raise
            return False
        return True


def group_of(task: Task) -> Group:
    """Which of the queue's lists it is in."""
    return task.end or "waiting"


def _written(task: Task, n: int) -> tuple[str, dict[str, Any]]:
    """The update's expression and its values."""
    since = task.ended or task.expires
    values: dict[str, Any] = {
        ":n": n,
        ":p": msgspec.json.encode(task),
        ":q": f"{task.ask.queue}#{group_of(task)}",
        ":t": task.ended if task.end else -task.due,  # an index is read downwards
        ":s": task.ask.subject,
        ":x": (since + task.ask.keep_days * DAY) // 1000,
    }
    sets = "SET n = :n, p = :p, q = :q, t = :t, s = :s, x = :x"
    moment = wake(task)
    if moment is None:
        return f"{sets} REMOVE w, z", values
    return f"{sets}, w = :w, z = :z", values | {":w": _CLOCK, ":z": -moment}
