"""What tests of tally ask of the aggregates, and how a person labels a post."""

from datetime import UTC, datetime, timedelta
from typing import Any

from functions.sentiment.aggregates import Aggregate, bucket, decode
from tests.functional.sentiment.suite import Suite

ALL_DONE: dict[str, Any] = {"batchItemFailures": []}
GOOD, PLAIN, BAD = (
    "I love Northwind Coffee, great people",
    "The report on Monday's table",
    "Awful terrible broken coffee",
)
NOON = datetime.now(UTC).replace(hour=12, minute=5, second=0, microsecond=0) - timedelta(days=1)


def row(suite: Suite, grain: Any, time: datetime = NOON, brand: str = "northwind") -> Aggregate:
    return decode(suite.items("aggregates")[bucket(brand, grain, time)]["p"])


def classes(found: Aggregate) -> tuple[int, int, int, int]:
    total = found.total()
    return total.negative, total.neutral, total.positive, total.reposts


def key(number: int, network: str = "web") -> str:
    return f"northwind#{network}#p-{number}"


def label(suite: Suite, post_key: str, human: str, **more: Any) -> tuple[int, Any]:
    return suite.call("POST", "/posts/{post}/label", {"label": human, **more}, post=post_key)
