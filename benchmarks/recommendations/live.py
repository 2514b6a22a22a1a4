"""Running local platform -> interactions a second into profiles, latency of single ones, and of lists from the API."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any

from benchmarks.environment import ROOT
from benchmarks.measure import A_SECOND, paced, quantiles
from cuatro.adapters.attributes import decoded_image, encoded
from cuatro.events import InteractionRecorded
from functions.recommendations import outbox, profile
from local.feed.api import Api
from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.replay.stream import put

STACK = "CuatroRecommendations"
CATALOGUE = ROOT / "models" / "recommendations" / "catalogue.jsonl"
WARM, SUSTAINED, SINGLE, LISTS = 300, 3000, 200, 300
USERS = 500
PATIENCE_S, POLL_S, ITEMS_PER_CALL = 180, 0.5, 25

Interaction = dict[str, Any]
Tell = Callable[[str], None]


def measure(connection: Connection, tell: Tell) -> dict[str, Any]:
    """Figures. Raises PlatformError, TimeoutError."""
    outputs = connection.outputs(STACK)
    profiles = Profiles(connection, outputs["ProfilesTable"], outputs["StreamName"])
    catalogue = [json.loads(line) for line in CATALOGUE.read_text(encoding="utf-8").splitlines()]
    tell("the catalogue")
    _fill(connection.client("dynamodb"), outputs["ItemsTable"], catalogue)
    fresh = _interactions([item["item_id"] for item in catalogue])
    tell("warming with interactions")
    profiles.send(list(islice(fresh, WARM)))
    tell("interactions")
    figures = {"sustained": profiles.sustained(list(islice(fresh, SUSTAINED)))}
    tell("single interactions")
    figures["single"] = profiles.single(
        [{**one, "user_id": f"single-{at}"} for at, one in enumerate(islice(fresh, SINGLE))]
    )
    tell("lists")
    return {**figures, "lists": _lists(Api(connection, outputs["ApiUrl"]))}


class Profiles:
    """Puts interactions on the stream, and waits until the profiles have them. Raises TimeoutError."""

    def __init__(self, connection: Connection, table: str, stream: str) -> None:
        self._dynamodb, self._kinesis = connection.client("dynamodb"), connection.client("kinesis")
        self._table, self._stream = table, stream
        self._sent = 0

    def send(self, interactions: list[Interaction]) -> float:
        """Seconds from the put to the last write of a profile."""
        begin = time.time()
        self._put(interactions)
        self._await()
        return max(_recorded(event) for row in self._rows() for event in outbox.decode(row["d"])) - begin

    def sustained(self, interactions: list[Interaction]) -> dict[str, float]:
        """All at once."""
        return {"interactions": len(interactions), "a_second": len(interactions) / self.send(interactions)}

    def single(self, interactions: list[Interaction]) -> dict[str, float]:
        """One by one at a steady pace, each of another user: milliseconds from the put to the profile."""
        sent = {}
        for one in paced(interactions):
            sent[one["user_id"]] = time.time()
            self._put([one])
        self._await()
        took = []
        for row in self._rows():
            if row["user_id"] in sent:
                (event,) = outbox.decode(row["d"])
                took.append(1000 * (_recorded(event) - sent[row["user_id"]]))
        return {"interactions": len(took), "a_second": A_SECOND, **quantiles(took)}

    def _put(self, interactions: list[Interaction]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        put(
            self._kinesis,
            self._stream,
            [(one["user_id"], json.dumps({**one, "time": now}).encode()) for one in interactions],
        )
        self._sent += len(interactions)

    def _await(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while (known := sum(sum(profile.stored(row).counters.values()) for row in self._rows())) < self._sent:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._sent - known} interactions in no profile after {PATIENCE_S} s.")
            time.sleep(POLL_S)

    def _rows(self) -> Iterator[dict[str, Any]]:
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._table):
            for row in page["Items"]:
                yield {name: _plain(value) for name, value in row.items()}


def _recorded(event: InteractionRecorded) -> float:
    return datetime.fromisoformat(event.recorded_at).timestamp()


def _plain(value: dict[str, Any]) -> Any:
    """boto3 gives bytes as they are."""
    return value["B"] if "B" in value else decoded_image({"value": value})["value"]


def _interactions(items: list[str]) -> Iterator[Interaction]:
    """Without a time; users and items in turn, so that each profile grows."""
    for number in count():
        yield {
            "version": 1,
            "event_id": f"b-{number}",
            "user_id": f"user-{number * 7919 % USERS}",
            "item_id": items[number * 104_729 % len(items)],
            "kind": "purchase" if number % 9 == 0 else "view",
            "context": {"country": "IT"},
        }


def _fill(dynamodb: Any, table: str, items: list[dict[str, Any]]) -> None:
    for start in range(0, len(items), ITEMS_PER_CALL):
        requests = [{"PutRequest": {"Item": encoded(item)}} for item in items[start : start + ITEMS_PER_CALL]]
        if dynamodb.batch_write_item(RequestItems={table: requests})["UnprocessedItems"]:
            raise PlatformError("The platform did not take the catalogue.", "Try again.")


def _lists(api: Api) -> dict[str, float]:
    """One after the other, over HTTP and the emulated API gateway, signed: milliseconds of a request."""
    took = []
    for number in range(LISTS + USERS // 10):
        answer = api.get(f"/recommendations/user-{number % USERS}?k=20")
        if not answer.ok or not answer.body["items"]:
            raise PlatformError(f"The API answered {answer.status}: {answer.body}", "Read `cuatro logs`.")
        took.append(answer.ms)
    warm = took[USERS // 10 :]
    return {"requests": len(warm), **quantiles(warm)}
