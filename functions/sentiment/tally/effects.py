"""Writes of posts -> aggregates, then the bus, then the lake's labels, then search: all done, or done again.

A stage gets what the ones before have done. The aggregates count a write once however often it is delivered; events
and labels that come again are the same, by which receivers can tell.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from cuatro.adapters.dynamodb import Dynamo
from cuatro.adapters.publishing import publish_events, put_lines
from cuatro.folding import Folded, Plan, fold, mark_of
from cuatro.posts import Scored
from functions.sentiment import aggregates
from functions.sentiment.counting import Part, Write, folded, parts_of
from functions.sentiment.outbox import Entry, Relabelled
from functions.sentiment.policy import policy as policy_of
from functions.sentiment.tally.messages import event, label
from functions.sentiment.tally.settings import Settings

SOURCE = "cuatro.sentiment"
MARKS = 2_048
"""Writes that an aggregate knows again: all of a brand's posts of an hour or a day meet in one row."""

Index = Callable[[Sequence[tuple[str, Scored]]], set[int]]
"""Posts (key of the row, post) -> positions that were not taken."""


class Told(NamedTuple):
    """One write of a post's row, and what it did."""

    post: str
    scored: Scored
    number: int
    entry: Entry

    @property
    def write(self) -> Write:
        before = self.entry.before if isinstance(self.entry, Relabelled) else None
        return Write(self.post, self.scored, self.number, before)


@dataclass
class Tallied:
    """failed: position -> why; to be delivered again."""

    posts: int = 0
    labels: int = 0
    folded: Folded = field(default_factory=Folded)
    failed: dict[int, str] = field(default_factory=dict)


def tally(told: Sequence[Told], setting: Settings, dynamo: Dynamo, now_s: int, index: Index | None) -> Tallied:
    """Raises nothing: what a service did not take is among the failed."""
    batch = _Batch(told)
    batch.count(setting, dynamo, now_s)
    batch.send([event(each.post, each.scored, each.entry) for each in told],
               partial(publish_events, setting.bus_name, source=SOURCE), "the bus")  # fmt: skip
    labels = [label(each.post, each.scored, each.entry) for each in told]
    batch.send(labels, partial(put_lines, setting.labels_delivery), setting.labels_delivery)
    if index:
        batch.send([(each.post, each.scored) for each in told], index, "search")
    left = batch.left()
    batch.tallied.posts = sum(told[at].number == 1 for at in left)
    batch.tallied.labels = sum(labels[at] is not None for at in left)
    return batch.tallied


class _Batch:
    def __init__(self, told: Sequence[Told]) -> None:
        self.told = told
        self.tallied = Tallied()

    def left(self) -> list[int]:
        """Positions of those that have not failed."""
        return [at for at in range(len(self.told)) if at not in self.tallied.failed]

    def count(self, setting: Settings, dynamo: Dynamo, now_s: int) -> None:
        """Writes that change a row which could not be written have failed."""
        policy = policy_of(setting.policy)
        parts: dict[str, dict[bytes, Part]] = {}
        origins: dict[str, set[int]] = {}
        for at, each in enumerate(self.told):
            mark = mark_of(each.post, each.number)
            for key, part in parts_of(each.write, policy, now_s).items():
                parts.setdefault(key, {})[mark] = part
                origins.setdefault(key, set()).add(at)
        plan = Plan(
            setting.aggregates_table,
            aggregates.KEY,
            partial(folded, policy=policy),
            partial(aggregates.expires_s, policy=policy),
            now_s,
            MARKS,
        )
        self.tallied.folded = fold(parts, plan, dynamo)
        for key, why in self.tallied.folded.failed.items():
            self.tallied.failed |= dict.fromkeys(origins[key], f"{key}: {why}")

    def send(self, messages: Sequence[Any], send: Callable[[list[Any]], set[int]], whom: str) -> None:
        """messages: one for each write, or None."""
        places = [at for at in self.left() if messages[at] is not None]
        if places:
            lost = send([messages[at] for at in places])
            self.tallied.failed |= {places[number]: f"{whom} did not take it" for number in lost}
