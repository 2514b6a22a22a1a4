"""A brand with a day of quiet behind it, and a crisis or none; judged as Lambda would have it judged."""

import time
from datetime import UTC, datetime
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from cuatro.adapters.dynamodb import dynamo
from functions.sentiment import aggregates, alerting
from functions.sentiment.aggregates import Aggregate, Counts, Sample, bucket
from functions.sentiment.alerts import State
from tests.functional.sentiment.suite import Suite
from tests.functional.stage import REGION, Context


def past(minute: int) -> tuple[int, int, int]:
    """Posts, classed, negative of a minute of a usual day: two posts in three minutes, each fourth is negative."""
    return (1, 1, int(minute % 6 == 1)) if minute % 3 else (0, 0, 0)


class Crowd:
    """What is written of a brand, by the minute; now: unix minute."""

    def __init__(self, suite: Suite, brand: str = "northwind", hours: int = 25) -> None:
        self.suite, self.brand = suite, brand
        self.now = int(time.time()) // 60
        self.minutes = {minute: past(minute) for minute in range(self.now - hours * 60, self.now)}

    def crisis(self, minutes: int, posts: int = 12, negative: int = 11, ago: int = 0) -> None:
        """So many posts in each of the last minutes before `ago`."""
        for minute in range(self.now - ago - minutes + 1, self.now - ago + 1):
            self.minutes[minute] = (posts, posts, negative)

    def write(self) -> None:
        """Rows of hours, and of the last minutes with a sample of each class."""
        hours: dict[int, dict[int, tuple[int, int, int]]] = {}
        for minute, counts in self.minutes.items():
            if counts[0]:
                hours.setdefault(minute // 60, {})[minute % 60] = counts
        rows = [(self._time(hour * 60), "hour", Aggregate(minutes=found)) for hour, found in hours.items()]
        rows += [(self._time(minute), "minute", self._samples(minute)) for minute in sorted(self.minutes)[-30:]]
        number = int(time.time() * 1000)
        dynamo().put_all("aggregates", [
            {"bucket": bucket(self.brand, grain, start), "n": number, "p": aggregates.encode(found)}  # type: ignore[arg-type]
            for start, grain, found in rows
        ])  # fmt: skip

    def _samples(self, minute: int) -> Aggregate:
        bad, good, ms = f"{self.brand}#web#bad-{minute}", f"{self.brand}#web#good-{minute}", minute * 60_000
        samples = [
            Sample(bad, "negative", ms, "Awful", "https://a.example", 0.9),
            Sample(good, "positive", ms + 1, "Great", None, 0.9),
        ]
        return Aggregate(counts={"web en": Counts(negative=self.minutes[minute][2])}, samples=samples)

    @staticmethod
    def _time(minute: int) -> datetime:
        return datetime.fromtimestamp(minute * 60, UTC)

    def state(self) -> State:
        """What is known of the brand's alerts."""
        return self.row().state

    def row(self) -> alerting.Row:
        item = self.suite.items("alerts").get(self.brand)
        return alerting.decode(item["p"] if item else None)


def clock() -> dict[str, Any]:
    """One tick of the rule."""
    from functions.sentiment.watch.handler import handler  # noqa: PLC0415 - reads the test's environment

    return handler({"source": "aws.events"}, Context())


def stream(suite: Suite) -> dict[str, Any]:
    """One delivery of what the aggregates' stream holds since the last one that succeeded."""
    from functions.sentiment.watch.handler import handler  # noqa: PLC0415

    return suite.consume("aggregates", None, handler)


def messages() -> list[tuple[str, str]]:
    """(subject, body) of what people were sent."""
    found = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics.values()
    return [(each[2], each[1]) for topic in found for each in topic.sent_notifications]
