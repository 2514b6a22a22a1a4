"""Deliveries to `record`, and what must hold when all is settled: each interaction once, in profile and on the bus."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.functional.recommendations.suite import Suite
from tests.functional.stage import Context

Metrics = Callable[[], Counter[str]]


def deliver(records: list[dict[str, Any]]) -> dict[str, Any]:
    """One delivery of these records."""
    from functions.recommendations.record.handler import handler  # noqa: PLC0415 - reads the test's environment

    return handler({"Records": records}, Context())


def again(record: dict[str, Any]) -> dict[str, Any]:
    """The answer that has Lambda deliver again from this record on."""
    return {"batchItemFailures": [{"itemIdentifier": record["kinesis"]["sequenceNumber"]}]}


ALL_DONE: dict[str, Any] = {"batchItemFailures": []}


def settled(suite: Suite, **expected: list[int]) -> None:
    """user -> numbers of the events that the profile counts, each of which is on the bus once."""
    suite.observe()
    users = {user.replace("_", "-"): numbers for user, numbers in expected.items()}
    published = Counter((each["user_id"], each["event_id"]) for each in suite.events("InteractionRecorded"))
    assert published == Counter((user, f"e-{number}") for user, numbers in users.items() for number in numbers)
    assert set(suite.items("profiles")) == set(users)
    for user, numbers in users.items():
        profile = suite.profile(user)
        assert sum(profile.counters.values()) == len(numbers), user
        assert len(profile.tags) == 8 * len(numbers), user
