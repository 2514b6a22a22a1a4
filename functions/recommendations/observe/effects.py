"""New interactions of profiles -> shelves of what is popular, then the bus, then Personalize: all done, or done again.

A stage gets what the one before has done, so a throttled shelf delays its interactions' events and repeats none. The
shelves count a delivery once; events that come again carry the same event_id, by which receivers can tell.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.publishing import publish_events
from cuatro.errors import Unavailable
from cuatro.events import InteractionRecorded
from cuatro.folding import Folded, Plan, fold
from functions.recommendations import shelves
from functions.recommendations.catalogue import category_of
from functions.recommendations.observe.popularity import Delivery, counted, parts_of
from functions.recommendations.observe.settings import Settings
from functions.recommendations.policy import Policy, policies

SOURCE = "cuatro.recommendations"
HALF_LIVES = 10
"""A shelf that nobody has written for so long holds nothing any more (shelves.LEAST)."""

Send = Callable[[Sequence[InteractionRecorded]], set[int]]
"""Events -> positions that were not taken."""


@dataclass
class Observed:
    """failed: position of a delivery -> why; to be delivered again."""

    interactions: int = 0
    shelved: Folded = field(default_factory=Folded)
    failed: dict[int, str] = field(default_factory=dict)


def observe(
    deliveries: Sequence[Delivery], setting: Settings, dynamo: Dynamo, now_s: int, also: Send | None
) -> Observed:
    """also: what else gets the events, such as Personalize's tracker."""
    batch = _Batch(deliveries)
    categories = batch.categories(setting.items_table, dynamo)
    batch.shelve(categories, policies(setting.policy).whole, setting.shelves_table, dynamo, now_s)
    batch.send(partial(publish_events, setting.bus_name, source=SOURCE), "the bus")
    if also:
        batch.send(also, "the tracker")
    batch.observed.interactions = sum(len(each.interactions) for each in batch.left().values())
    return batch.observed


class _Batch:
    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self.deliveries = deliveries
        self.observed = Observed()

    def left(self) -> dict[int, Delivery]:
        """By position, those that have not failed."""
        return {at: each for at, each in enumerate(self.deliveries) if at not in self.observed.failed}

    def categories(self, table: str, dynamo: Dynamo) -> Mapping[str, str | None]:
        """Of each item that the catalogue has. Deliveries whose items could not be read have failed."""
        wanted = dict.fromkeys(each.item_id for delivery in self.deliveries for each in delivery.interactions)
        keys = Keys("item_id", wanted, ("item_id", "category"), consistent=False)
        why = "the catalogue's item could not be read"
        try:
            found, unread = dynamo.read({table: keys})[table]
        except Unavailable as error:
            found, unread, why = {}, set(wanted), str(error)
        for at, delivery in self.left().items():
            if any(each.item_id in unread for each in delivery.interactions):
                self.observed.failed[at] = why
        return {item: category_of(entry) for item, entry in found.items()}

    def shelve(
        self, categories: Mapping[str, str | None], policy: Policy, table: str, dynamo: Dynamo, now_s: int
    ) -> None:
        """Deliveries that have a part on a shelf which could not be written have failed."""
        found = parts_of(self.left(), categories, policy)
        count = partial(counted, half_life_days=policy.half_life_days)
        expires_s = now_s + int(HALF_LIVES * policy.half_life_days * 86_400)
        plan = Plan(table, shelves.KEY, count, lambda _shelf: expires_s, now_s)
        self.observed.shelved = fold(found.parts, plan, dynamo)
        for key, why in self.observed.shelved.failed.items():
            self.observed.failed |= dict.fromkeys(found.origins[key], f"{key}: {why}")

    def send(self, send: Send, whom: str) -> None:
        pairs = [(at, each) for at, delivery in self.left().items() for each in delivery.interactions]
        lost = send([each for _, each in pairs])
        self.observed.failed |= {pairs[number][0]: f"{whom} did not take the event" for number in lost}
