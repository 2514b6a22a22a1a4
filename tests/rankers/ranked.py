"""A deployed shop whose lists somebody else ranks, and what its people want: the questions of this tier."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from functions.recommendations.experiment import assigned
from models.recommendations.world import World
from tests.emulator.deployed import Item
from tests.emulator.recommendations.shop import Shop, interaction
from tests.waiting import eventually

STACK = "CuatroRecommendations"
POPULAR = "popular"


@dataclass
class Past:
    """What happened in the shop until day `day`: as a table, and as the files that the command line takes."""

    world: World
    day: float
    table: pd.DataFrame
    interactions: Path
    catalogue: Path

    def hits(self, users: Sequence[str], lists: Sequence[Sequence[str]]) -> float:
        """Mean probability that a list holds its user's next wish."""
        places = {user: place for place, user in enumerate(self.world.crowd.ids)}
        pairs = zip(users, lists, strict=True)
        return float(np.mean([self.world.share(places[user], items, self.day) for user, items in pairs]))

    def taken(self, user: str) -> list[str]:
        """A user's items that can still be had, oldest first, each once."""
        gone = {each["item_id"] for each in self.entries if not each.get("available", True)}
        theirs = dict.fromkeys(self.table.loc[self.table["user_id"] == user, "item_id"])
        return [item for item in theirs if item not in gone]

    @cached_property
    def entries(self) -> list[dict[str, Any]]:
        """The catalogue."""
        return [json.loads(line) for line in self.catalogue.read_text(encoding="utf-8").splitlines()]


class RankedShop(Shop):
    """With what its people do, and people who are not in the hold-out."""

    def shown(self, user_id: str, **query: Any) -> Item:
        """A list in which no place was left to chance, for a new item to be tried out."""
        while True:
            body = super().shown(user_id, **query)
            if all(each["source"] != "new" for each in body["items"]):
                return body

    def ranked(self, users: Sequence[str]) -> list[str]:
        """Those of these users whose lists a model makes."""
        return [user for user in users if assigned(self.policy.experiment, user).name == "model"]

    def takes(self, user: str, *items: str, kind: str = "view") -> None:
        """Through the API, until the profile has it."""
        sent = {"interactions": [interaction(user_id=user, item_id=item, kind=kind) for item in items]}
        assert self.call("POST", "/interactions", sent).body["accepted"] == len(items)
        self.knows(user, *items)

    def clicks(self, body: Item, item: str) -> None:
        """Feedback on a list, until the profile has the click."""
        told = {"version": 1, "event_id": f"f-{body['list_id']}", "list_id": body["list_id"], "kind": "click",
                "items": [item], "time": interaction()["time"]}  # fmt: skip
        assert self.call("POST", "/feedback", told).body == {"accepted": 1, "unknown": []}
        self.knows(body["user_id"], item)

    def becomes(self, user: str, wanted: Callable[[Item], bool], what: str) -> Item:
        """The user's list, once it is so."""
        return eventually(lambda: body if wanted(body := self.shown(user, k=10)) else None, what)

    def failures(self) -> int:
        """Batches that were given up."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs["FailuresQueueUrl"], AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)


def items_of(body: Item) -> list[str]:
    """Of an answer."""
    return [each["item_id"] for each in body["items"]]


def shares(first: Sequence[str], second: Sequence[str]) -> float:
    """How much of the first list the second has too, 0 to 1."""
    return len(set(first) & set(second)) / len(first)
