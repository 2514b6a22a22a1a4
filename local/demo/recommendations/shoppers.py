"""Newcomers of a simulated world <-> the deployed API: they ask for lists, look, choose, and tell what they did.

What they want is the world's secret. How good a list is can be said exactly all the same: the probability that the next
wish is in it.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from local.feed.api import Answer, Api
from local.platform.errors import PlatformError

if TYPE_CHECKING:
    from models.recommendations.world import World

K = 10
PATIENCE_S = 60.0
PAUSE_S = 0.2
Body = dict[str, Any]
Shares = dict[str, list[float]]
"""Arm -> a probability for each of its people."""


@dataclass
class Shopper:
    """A person of the world and what the suite calls them. told: interactions sent; listed: the last answer."""

    who: int
    name: str
    told: int = 0
    listed: Body = field(default_factory=dict)

    @property
    def items(self) -> list[str]:
        """The last list."""
        return [each["item_id"] for each in self.listed.get("items", ())]


class Shop:
    """The API, as a shop's web server uses it. day: of the world, now."""

    def __init__(self, api: Api, world: "World", day: float, seed: int) -> None:
        self.api, self.world, self.day = api, world, day
        self.rng = np.random.default_rng(seed)
        self.latencies: list[float] = []

    def lists(self, shoppers: Sequence[Shopper]) -> Shares:
        """Everybody gets a list; for each arm of the experiment the probabilities that it holds the next wish."""
        shares: Shares = {}
        for each in shoppers:
            answer = self.api.get(f"/recommendations/{quote(each.name, safe='')}?k={K}")
            each.listed = _body(answer, "GET /recommendations")
            self.latencies.append(answer.ms)
            shares.setdefault(each.listed["arm"], []).append(self.world.share(each.who, each.items, self.day))
        return shares

    def feedback(self, shoppers: Sequence[Shopper]) -> int:
        """Everybody looks at the list, and some click; the number of clicks."""
        clicks = 0
        for each in shoppers:
            if not each.items:
                continue
            self._answer(each, "impression", each.items)
            chosen = self.world.chooses(each.who, each.items, self.rng, self.day)
            if chosen is not None:
                self._answer(each, "click", [chosen])
                self.world.takes(each.who, chosen)
                each.told += 1
                clicks += 1
        return clicks

    def wishes(self, shoppers: Sequence[Shopper]) -> None:
        """Everybody takes what they wanted anyway, wherever they found it."""
        events = []
        for each in shoppers:
            item = self.world.next_wanted(each.who, self.rng, self.day)
            self.world.takes(each.who, item)
            each.told += 1
            events.append(
                {
                    "version": 1, "event_id": str(uuid.uuid4()), "user_id": each.name, "item_id": item, "kind": "view",
                    "time": _now(),
                }
            )  # fmt: skip
        answer = _body(self.api.post("/interactions", {"interactions": events}), "POST /interactions")
        if answer["rejected"]:
            raise PlatformError(f"Interactions were rejected: {answer['rejected'][0]}", "`cuatro logs recommendations`")

    def settle(self, shoppers: Sequence[Shopper]) -> float:
        """Wait until every profile knows what was told; seconds."""
        began = time.monotonic()
        waiting = list(shoppers)
        while waiting := [each for each in waiting if self._known(each) < each.told]:
            if time.monotonic() - began > PATIENCE_S:
                raise PlatformError(
                    f"{len(waiting)} profiles do not know after {PATIENCE_S:.0f} s what was told.",
                    "`cuatro logs recommendations record` tells why.",
                )
            time.sleep(PAUSE_S)
        return time.monotonic() - began

    def _known(self, shopper: Shopper) -> int:
        answer = self.api.get(f"/profiles/{quote(shopper.name, safe='')}")
        if answer.status == 404:
            return 0
        return sum(_body(answer, "GET /profiles")["interactions"].values())

    def _answer(self, shopper: Shopper, kind: str, items: Sequence[str]) -> None:
        body = {
            "version": 1, "event_id": str(uuid.uuid4()), "list_id": shopper.listed["list_id"], "kind": kind,
            "items": list(items), "time": _now(),
        }  # fmt: skip
        _body(self.api.post("/feedback", body), "POST /feedback")


def newcomers(world: "World", run: str, first: int, count: int) -> list[Shopper]:
    """People without a history, named after this run."""
    return [Shopper(world.newcomer(number), f"{run}-{number}") for number in range(first, first + count)]


def rounds(shop: Shop, shoppers: Sequence[Shopper], number: int, tell: Callable[[int, Shares], None]) -> list[Shares]:
    """Lists, looks, wishes, again and again; how good each arm's lists were with 0, 1, 2, ... wishes known."""
    found = []
    for turn in range(number + 1):
        found.append(shop.lists(shoppers))
        tell(turn, found[-1])
        shop.feedback(shoppers)
        if turn < number:
            shop.wishes(shoppers)
            shop.settle(shoppers)
    return found


def _body(answer: Answer, what: str) -> Body:
    if not answer.ok:
        raise PlatformError(f"{what}: HTTP {answer.status}: {answer.body}", "`cuatro logs recommendations api`")
    body: Body = answer.body
    return body


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
