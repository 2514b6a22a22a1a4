"""The recommendations pipeline in one process: interactions and requests go in, tests look at what is left behind."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from cuatro.adapters.dynamodb import dynamo
from functions.recommendations import lists, profile, shelves
from functions.recommendations.lists import Served
from functions.recommendations.shelves import Count, NewItem, NewItems, Popular
from tests.functional.aws_in_memory import Wire
from tests.functional.stage import CREDENTIALS, Context, Stage

ENVIRONMENT = {
    **CREDENTIALS,
    "PROFILES_TABLE": "profiles", "ITEMS_TABLE": "items", "SHELVES_TABLE": "shelves", "LISTS_TABLE": "lists",
    "REJECTED_BUCKET": "rejected", "STREAM_NAME": "interactions", "BUS_NAME": "suite", "MAX_AGE_DAYS": "60",
    "SHADOW_MODEL_URI": "", "LISTS_DELIVERY": "lists-to-lake", "FEEDBACK_DELIVERY": "feedback-to-lake",
    "PERSONALIZE_DATASET_GROUP": "",
    "POWERTOOLS_SERVICE_NAME": "recommendations", "POWERTOOLS_METRICS_NAMESPACE": "Cuatro",
}  # fmt: skip
TABLES = {"profiles": "user_id", "items": "item_id", "shelves": "shelf", "lists": "list_id"}
Answer = tuple[int, Any]


def ago(days: float) -> str:
    """A time, RFC 3339."""
    return datetime.fromtimestamp(time.time() - days * 86_400, UTC).isoformat()


def interaction(number: int, **changes: Any) -> dict[str, Any]:
    """A good interaction; number makes its id, and its time (a second apart, the last minutes)."""
    return {
        "version": 1,
        "event_id": f"e-{number}",
        "user_id": "u-1",
        "item_id": "i-1",
        "kind": "view",
        "time": ago((1000 - number) / 86_400),
        **changes,
    }


def names(answer: dict[str, Any]) -> list[str]:
    """Items of a list."""
    return [each["item_id"] for each in answer["items"]]


class Suite(Stage):
    """Tables, stream, bus, deliveries and buckets in memory, and the functions."""

    def __init__(self, wire: Wire) -> None:
        deliveries = {f"{name}-to-lake": f"recommendations/{name}/" for name in ("lists", "feedback")}
        super().__init__(wire, TABLES, "interactions", deliveries)
        self._headers: dict[str, str] = {}
        wire.calls.clear()

    # What comes in

    def records_of(self, *bodies: dict[str, Any] | bytes) -> list[dict[str, Any]]:
        """Kinesis records as Lambda gets them."""
        return self.records(bodies, "u-1")

    def record(self, *bodies: dict[str, Any] | bytes) -> dict[str, Any]:
        """One delivery to `record`."""
        from functions.recommendations.record.handler import handler  # noqa: PLC0415 - reads the test's environment

        return handler({"Records": self.records_of(*bodies)}, Context())

    def observe(self) -> dict[str, Any]:
        """One delivery of what the profiles' stream holds since the last one that succeeded."""
        from functions.recommendations.observe.handler import handler  # noqa: PLC0415

        return self.consume("profiles", "d", handler)

    def tally(self) -> dict[str, Any]:
        """The same for the lists' stream."""
        from functions.recommendations.tally.handler import handler  # noqa: PLC0415

        return self.consume("lists", None, handler)

    def shelve(self) -> dict[str, Any]:
        """The same for the items' stream."""
        from functions.recommendations.shelve.handler import handler  # noqa: PLC0415

        return self.consume("items", None, handler)

    def call(
        self,
        method: str,
        resource: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        query: dict[str, Sequence[str]] | None = None,
        **path: str,
    ) -> Answer:
        """One request to the API. Status and body."""
        from functions.recommendations.api.handler import handler  # noqa: PLC0415

        quoted = {name: quote(value, safe="") for name, value in path.items()}
        return self.request(handler, (method, resource), body, headers=headers, path=quoted, query=query)

    def recommend(self, user_id: str = "u-1", tag: str = "", **query: str | list[str]) -> Answer:
        """GET /recommendations/{user_id}; tag: If-None-Match."""
        given = {name: [value] if isinstance(value, str) else value for name, value in query.items()}
        headers = {"If-None-Match": tag} if tag else None
        return self.call("GET", "/recommendations/{user_id}", query=given, headers=headers, user_id=user_id)

    # What is there already

    def fill(self, *items: dict[str, Any]) -> None:
        """Items of the catalogue."""
        dynamo().put_all("items", list(items))

    def stand(self, key: str, *counts: tuple[str, float]) -> None:
        """A popular shelf."""
        shelf = Popular(int(time.time() * 1000), tuple(Count(item, count) for item, count in counts))
        dynamo().put_all("shelves", [{"shelf": key, "n": 1, "p": shelves.encode(shelf)}])

    def stand_new(self, *items: NewItem) -> None:
        """The shelf of what is new."""
        dynamo().put_all("shelves", [{"shelf": shelves.NEW, "n": 1, "p": shelves.encode(NewItems(items))}])

    def know(self, user_id: str, *taken: tuple[str, str, float], n: int = 1, value: float | None = None) -> None:
        """A profile of (item, kind, days ago), newest first."""
        now = time.time()
        entries = tuple(
            profile.Entry(item, int((now - days * 86_400) * 1000), kind, value if kind == "rating" else None)
            for item, kind, days in taken
        )
        known = profile.Profile(
            entries=entries,
            purchases=tuple(each for each in entries if each.kind == "purchase"),
            ratings=tuple(each for each in entries if each.kind == "rating"),
            first_ms=min(each.time_ms for each in entries),
            last_ms=max(each.time_ms for each in entries),
        )
        dynamo().put_all("profiles", [{"user_id": user_id, "n": n, "p": profile.encode(known)}])

    # What is left behind

    def profile(self, user_id: str = "u-1") -> profile.Profile:
        """A user's profile."""
        return profile.stored(self.items("profiles").get(user_id))

    def served(self, list_id: str) -> Served:
        """A stored list."""
        return lists.served(self.items("lists")[list_id])

    def lake(self, kind: str) -> list[dict[str, Any]]:
        """Lines of lists or feedback."""
        return self.lines("lake", f"recommendations/{kind}/")
