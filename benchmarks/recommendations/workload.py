"""The shop's world -> people's interactions until now, their profiles, the catalogue, and the tables that hold them."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.aws import CannedAws, Item
from cuatro.adapters.attributes import encoded
from cuatro.interactions import Interaction
from functions.recommendations import profile, shelves
from functions.recommendations.profile import Profile
from functions.recommendations.shelves import Count, Popular
from models.recommendations.shop import CHANGED
from models.recommendations.simulator import interactions
from models.recommendations.world import World

TABLES = {
    "PROFILES_TABLE": "profiles",
    "ITEMS_TABLE": "items",
    "SHELVES_TABLE": "shelves",
    "LISTS_TABLE": "lists",
    "HISTORIES_TABLE": "histories",
}
USERS = 100


@dataclass(frozen=True)
class Workload:
    """rows: all interactions, oldest first. profiles: of the users who ask for lists. catalogue: items by name."""

    rows: pd.DataFrame
    profiles: dict[str, Profile]
    catalogue: dict[str, dict[str, Any]]

    @property
    def users(self) -> list[str]:
        """Who ask for lists."""
        return list(self.profiles)

    def aws(self) -> CannedAws:
        """AWS with this state in its tables; `histories` is the naive handler's, an item with all rows of a user."""
        counts = Counter(self.rows.item_id).most_common(shelves.CAPACITY)
        shelf = shelves.encode(Popular(_now_ms(), tuple(Count(item, float(count)) for item, count in counts)))
        known = {
            user: _typed({"user_id": user, "n": 7, "p": profile.encode(each), "x": each.last_ms // 1000})
            for user, each in self.profiles.items()
        }
        own = self.rows[self.rows.user_id.isin(self.users)]
        histories = {
            user: _typed({"user_id": user, "items": list(part.item_id)}) for user, part in own.groupby("user_id")
        }
        keys = {
            "profiles": ("user_id", known),
            "items": ("item_id", {name: _typed(item) for name, item in self.catalogue.items()}),
            "shelves": ("shelf", {shelves.ALL: _typed({"shelf": shelves.ALL, "n": 7, "p": shelf})}),
            "lists": ("list_id", {}),
            "histories": ("user_id", histories),
        }
        return CannedAws(keys)


def simulated(seed: int = 7) -> Workload:
    """The world that the shipped model was trained on, with its last day today."""
    world = World(seed)
    opened = datetime.now(UTC) - timedelta(days=CHANGED)
    rows = interactions(world, opened=opened)
    users = np.random.default_rng(seed).choice(rows.user_id.unique(), USERS, replace=False)
    own = rows[rows.user_id.isin(users)]
    profiles = {
        str(user): profile.fold(Profile(), [interaction(row) for row in part.itertuples()])[0]
        for user, part in own.groupby("user_id")
    }
    return Workload(rows, profiles, {item["item_id"]: item for item in world.shop.catalogue(opened, CHANGED)})


def interaction(row: Any) -> Interaction:
    """A row of the simulator's table."""
    return Interaction(
        version=1,
        event_id=row.event_id,
        user_id=row.user_id,
        item_id=row.item_id,
        kind=row.kind,
        time=row.time.to_pydatetime(),
        value=None if pd.isna(row.value) else float(row.value),
        context={"country": row.country, "device": row.device},
    )


def request(user: str, k: int = 20) -> dict[str, Any]:
    """GET /recommendations/{user} as API Gateway passes it on."""
    return {
        "resource": "/recommendations/{user_id}",
        "path": f"/recommendations/{user}",
        "httpMethod": "GET",
        "requestContext": {
            "resourcePath": "/recommendations/{user_id}",
            "httpMethod": "GET",
            "requestId": "00000000-0000-0000-0000-000000000000",
        },
        "headers": {"Accept": "application/json"},
        "multiValueQueryStringParameters": {"k": [str(k)], "context": ["country:IT"]},
        "pathParameters": {"user_id": user},
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }


def _typed(item: dict[str, Any]) -> Item:
    return encoded(item)


def _now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def body(each: Interaction) -> bytes:
    """As it lies on the stream."""
    told = {name: getattr(each, name) for name in each.__struct_fields__}
    found = {name: value for name, value in told.items() if value is not None}
    return json.dumps({**found, "time": each.time.isoformat(timespec="milliseconds")}).encode()
