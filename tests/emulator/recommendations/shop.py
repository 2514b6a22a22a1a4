"""The deployed recommendations pipeline as a test sees it: interactions in, lists out, the lake behind."""

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from functions.recommendations.experiment import assigned
from functions.recommendations.policy import Policy
from functions.recommendations.profile import Profile, decode
from functions.recommendations.shelves import ALL, popular
from tests.emulator.deployed import Answer, Item, name, rfc3339
from tests.emulator.lakes import WithLake
from tests.waiting import DEADLINE_S, eventually


def interaction(ago: timedelta = timedelta(0), **fields: Any) -> Item:
    """A view of a user of its own, `ago` before now; None leaves a field out."""
    made = {
        "version": 1,
        "event_id": name("e"),
        "user_id": name("u"),
        "item_id": name("i"),
        "kind": "view",
        "time": rfc3339(datetime.now(UTC) - ago),
    }
    return {key: value for key, value in (made | fields).items() if value is not None}


class Shop(WithLake):
    """With the questions that tests ask of profiles, lists, shelves and the lake."""

    def list_of(self, user_id: str, headers: dict[str, str] | None = None, **query: Any) -> Answer:
        """GET /recommendations/{user_id}."""
        return self.call("GET", f"/recommendations/{quote(user_id, safe='')}?{urlencode(query)}", headers=headers)

    def shown(self, user_id: str, **query: Any) -> Item:
        """The list; it must be there."""
        answer = self.list_of(user_id, **query)
        assert answer.status == 200, answer
        body: Item = answer.body
        return body

    @cached_property
    def policy(self) -> Policy:
        """As the functions have it."""
        configuration = self.client("lambda").get_function_configuration(FunctionName=self.outputs["ApiFunction"])
        return Policy.from_json(configuration["Environment"]["Variables"]["POLICY"])

    def somebody(self, arm: str = "model", prefix: str = "u") -> str:
        """A user whom no other test has, in this arm of the experiment."""
        return next(
            user for user in (name(prefix) for _ in range(10_000)) if assigned(self.policy.experiment, user).name == arm
        )

    def profile(self, user_id: str) -> Profile | None:
        """As `record` stored it."""
        item = self.item("ProfilesTable", user_id=user_id)
        return decode(item["p"]) if item else None

    def knows(self, user_id: str, *items: str, deadline_s: float = DEADLINE_S) -> Profile:
        """The profile, once it has all these items."""

        def probe() -> Profile | None:
            found = self.profile(user_id)
            return found if found and {entry.item for entry in found.entries} >= set(items) else None

        return eventually(probe, f"{items} in the profile of {user_id}", deadline_s)

    def popular(self, shelf: str = ALL) -> dict[str, float]:
        """Item -> decayed count on a shelf."""
        item = self.item("ShelvesTable", shelf=shelf)
        return {each.item: each.count for each in popular(item["p"])} if item else {}

    def stock(self, items: Iterable[Item]) -> None:
        """Items into the catalogue, by the command line."""
        self.cuatro("catalog", "import", "-", given="".join(f"{json.dumps(item)}\n" for item in items))


def today() -> str:
    """The lake's day, in UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime())
