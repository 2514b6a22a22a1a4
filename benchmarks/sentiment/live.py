"""Running local platform -> posts a second through Firehose and `classify`, until their rows and until they count."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from benchmarks.sentiment.workload import numbered
from functions.sentiment import aggregates
from local.platform.client import Connection

STACK = "CuatroSentiment"
WARM, SUSTAINED, A_CALL = 100, 1000, 250
PATIENCE_S, POLL_S = 240, 0.5

Tell = Callable[[str], None]


def measure(connection: Connection, tell: Tell) -> dict[str, Any]:
    """Figures. Raises PlatformError, TimeoutError."""
    outputs = connection.outputs(STACK)
    posts = Posts(connection, outputs)
    tell("warming with posts")
    posts.send(WARM)
    tell("posts")
    stored, counted = posts.send(SUSTAINED)
    return {"posts": SUSTAINED, "stored_a_second": SUSTAINED / stored, "counted_a_second": SUSTAINED / counted}


class Posts:
    """Puts posts on the delivery as a collector does, and waits for what becomes of them."""

    def __init__(self, connection: Connection, outputs: dict[str, str]) -> None:
        self._dynamodb, self._firehose = connection.client("dynamodb"), connection.client("firehose")
        self._outputs = outputs
        self._sent = 0
        self._fresh = numbered()

    def send(self, number: int) -> tuple[float, float]:
        """Seconds from the first put until all have their row, and until the day's aggregate counts them."""
        begin = time.monotonic()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        bodies = [json.dumps({**one, "time": now, "collected_at": now}).encode() for one in islice(self._fresh, number)]
        for start in range(0, number, A_CALL):
            self._firehose.put_record_batch(
                DeliveryStreamName=self._outputs["PostsDelivery"],
                Records=[{"Data": each} for each in bodies[start : start + A_CALL]],
            )
        self._sent += number
        self._await(self._rows, begin)
        stored = time.monotonic() - begin
        self._await(self._counted, begin)
        return stored, time.monotonic() - begin

    def _await(self, have: Callable[[], int], begin: float) -> None:
        while (found := have()) < self._sent:
            if time.monotonic() - begin > PATIENCE_S:
                raise TimeoutError(f"{self._sent - found} posts have not arrived after {PATIENCE_S} s.")
            time.sleep(POLL_S)

    def _rows(self) -> int:
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._outputs["PostsTable"], FilterExpression="attribute_exists(b)", Select="COUNT"
        )
        return sum(page["Count"] for page in pages)

    def _counted(self) -> int:
        """Posts that the aggregates of days hold; two days when midnight is within the run."""
        total = 0
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._outputs["AggregatesTable"]):
            for item in page["Items"]:
                if "#day#" in item["bucket"]["S"]:
                    total += sum(each.posts for each in aggregates.decode(item["p"]["B"]).counts.values())
        return total
