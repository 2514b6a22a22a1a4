"""Deliveries of the posts' stream in any slices, again and again, while rows fail: the same counts in the end."""

import contextlib
import random
from datetime import timedelta

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from cuatro.errors import Unavailable
from tests.functional.sentiment.suite import Suite, post
from tests.functional.sentiment.tallied import ALL_DONE, BAD, GOOD, NOON, classes, key, label, row
from tests.functional.stage import REGION, Context


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_slices_repeats_and_faults_end_in_the_same_counts(suite: Suite, seed: int) -> None:
    """The stream's records in pieces that overlap, while rows are throttled and answers lost; then all once more."""
    from functions.sentiment.tally.handler import handler  # noqa: PLC0415 - reads the test's environment

    chance = random.Random(seed)
    texts = [f"{(GOOD, BAD)[number % 2]} {'abcdefghijkl'[number] * 9}" for number in range(12)]  # no reposts
    times = [(NOON + timedelta(minutes=number)).isoformat() for number in range(12)]
    suite.classify(*(post(number, texts[number], time=times[number]) for number in range(12)))
    for number in (1, 2, 3):
        label(suite, key(number), "neutral")
    label(suite, key(1), "positive")
    shard = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables["posts"].stream_shard
    records = [record for each in shard.items if "d" in (record := each.to_json())["dynamodb"].get("NewImage", {})]
    place = 0
    while place < len(records):
        suite.wire.repair()
        for row_key in chance.sample(sorted(suite.items("aggregates")), k=min(2, len(suite.items("aggregates")))):
            suite.wire.throttle(row_key, chance.randint(1, 5))
        if chance.random() < 0.3:
            suite.wire.lose_answer("BatchExecuteStatement")
        start, end = max(0, place - chance.randint(0, 3)), place + chance.randint(1, 5)
        with contextlib.suppress(Unavailable):  # Lambda delivers them again, here with others
            handler({"Records": records[start:end]}, Context())
        place = end
    suite.wire.repair()
    assert handler({"Records": records}, Context()) == ALL_DONE
    assert classes(row(suite, "day")) == (4, 2, 6, 0)
    assert sum(classes(row(suite, "hour"))) == 12
    assert row(suite, "hour").minutes[6] == (1, 1, 0)
