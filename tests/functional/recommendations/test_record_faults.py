"""What AWS does to `record`, and what is left behind: every good interaction recorded exactly once, nothing lost."""

import random
from typing import Any

import pytest

from cuatro.adapters.dynamodb import dynamo
from cuatro.errors import Refused, Unavailable
from functions.recommendations.record import batch as recording
from tests.functional.recommendations.deliveries import ALL_DONE, Metrics, again, deliver, settled
from tests.functional.recommendations.suite import Suite, interaction

READ, WRITE = "BatchGetItem", "BatchExecuteStatement"


@pytest.mark.parametrize("operation", [READ, WRITE])
@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_a_call_throttled_for_a_moment_is_tried_again(suite: Suite, operation: str, code: str) -> None:
    suite.wire.refuse(operation, code, times=2)
    assert suite.record(interaction(1)) == ALL_DONE
    settled(suite, u_1=[1])


@pytest.mark.parametrize("operation", [READ, WRITE])
def test_while_dynamodb_is_down_the_stream_waits(suite: Suite, metrics: Metrics, operation: str) -> None:
    records = suite.records_of(interaction(1), interaction(2, user_id="u-2"))
    suite.wire.down(operation)
    with pytest.raises(Unavailable):
        deliver(records)
    assert suite.items("profiles") == {}
    suite.wire.repair()
    assert deliver(records) == ALL_DONE
    settled(suite, u_1=[1], u_2=[2])
    assert metrics()["InteractionsRecorded"] == 2


def test_when_the_answer_of_a_write_is_lost_it_is_no_conflict(suite: Suite, metrics: Metrics) -> None:
    suite.wire.lose_answer(WRITE)
    assert suite.record(interaction(1)) == ALL_DONE
    suite.wire.lose_answer(READ)
    suite.wire.lose_answer(WRITE)
    assert suite.record(interaction(2)) == ALL_DONE
    settled(suite, u_1=[1, 2])
    counted = metrics()
    assert (counted["InteractionsRecorded"], counted["Duplicates"], counted["ProfileConflicts"]) == (2, 0, 0)
    assert suite.profile().n == 2


def test_a_crash_after_the_write_is_known_by_the_repeat(suite: Suite, metrics: Metrics) -> None:
    records = suite.records_of(interaction(1), b"bad")

    def crash() -> None:
        raise KeyboardInterrupt

    suite.wire.first("PutObject", crash)
    with pytest.raises(KeyboardInterrupt):
        deliver(records)
    suite.wire.repair()
    assert deliver(records) == ALL_DONE
    settled(suite, u_1=[1])
    assert metrics()["Duplicates"] == 1


def test_a_user_who_stays_unread_fails_alone(suite: Suite) -> None:
    def unprocessed(answer: dict[str, Any]) -> dict[str, Any]:
        return {
            **answer,
            "UnprocessedKeys": {"profiles": {"ConsistentRead": True, "Keys": [{"user_id": {"S": "u-2"}}]}},
        }

    records = suite.records_of(interaction(1), interaction(2, user_id="u-2"), interaction(3))
    suite.wire.edit(READ, unprocessed, times=4)
    assert deliver(records) == again(records[1])
    assert set(suite.items("profiles")) == {"u-1"}
    assert deliver(records[1:]) == ALL_DONE
    settled(suite, u_1=[1, 3], u_2=[2])


@pytest.mark.parametrize("times", [2, 4])
def test_a_throttled_profile_fails_alone_and_only_if_it_stays_so(suite: Suite, metrics: Metrics, times: int) -> None:
    records = suite.records_of(interaction(1), interaction(2, user_id="u-2"), interaction(3))
    suite.wire.throttle("u-2", times=times)
    assert deliver(records) == (again(records[1]) if times == 4 else ALL_DONE)
    assert deliver(records[1:]) == ALL_DONE
    settled(suite, u_1=[1, 3], u_2=[2])
    assert metrics()["InteractionsRecorded"] == 3


def test_a_user_who_is_throttled_between_two_writes_keeps_the_first(
    suite: Suite, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "OUTBOX_BYTES", 1_000)  # two interactions a write
    records = suite.records_of(*[interaction(n) for n in range(7)])
    suite.wire.first(WRITE, lambda: None)
    suite.wire.first(WRITE, lambda: suite.wire.throttle("u-1", times=4))
    assert deliver(records) == again(records[2])
    assert suite.profile().counters == {"view": 2}
    suite.observe()
    assert deliver(records) == ALL_DONE, "from further back than asked for"
    assert suite.profile().counters == {"view": 7}
    counted = metrics()
    assert (counted["InteractionsRecorded"], counted["Duplicates"]) == (7, 2)


def test_a_missing_grant_is_an_error_of_the_function(suite: Suite) -> None:
    suite.wire.refuse(READ, "AccessDeniedException")
    with pytest.raises(Refused, match="AccessDenied"):
        suite.record(interaction(1))


def test_a_damaged_profile_stops_its_user_only(suite: Suite) -> None:
    suite.record(interaction(1), interaction(2, user_id="u-2"))
    dynamo().put_all("profiles", [{"user_id": "u-2", "n": 1, "p": b"spoilt"}])
    records = suite.records_of(interaction(3), interaction(4, user_id="u-2"))
    assert deliver(records) == again(records[1])
    assert suite.profile().counters == {"view": 2}


# Concurrent writers


def test_a_profile_that_somebody_writes_meanwhile_keeps_both(suite: Suite, metrics: Metrics) -> None:
    suite.record(interaction(1))
    suite.observe()
    suite.wire.first(WRITE, lambda: suite.record(interaction(2)) and suite.observe() and None)
    assert suite.record(interaction(3)) == ALL_DONE
    settled(suite, u_1=[1, 2, 3])
    assert metrics()["ProfileConflicts"] == 1


def test_two_writers_of_a_new_user_and_the_same_interaction_record_it_once(suite: Suite) -> None:
    suite.wire.first(WRITE, lambda: suite.record(interaction(1)) and suite.observe() and None)
    assert suite.record(interaction(1), interaction(2)) == ALL_DONE
    settled(suite, u_1=[1, 2])


def test_a_profile_that_is_deleted_meanwhile_begins_anew(suite: Suite) -> None:
    suite.record(interaction(1))
    suite.wire.first(WRITE, lambda: suite.call("DELETE", "/profiles/{user_id}", user_id="u-1") and None)
    assert suite.record(interaction(2)) == ALL_DONE
    profile = suite.profile()
    assert (profile.n, profile.counters) == (1, {"view": 1}), "what was deleted does not come back"


def test_a_profile_that_others_always_write_first_goes_back_to_the_stream(suite: Suite) -> None:
    others = iter(range(100, 200))
    records = suite.records_of(interaction(1), interaction(2, user_id="u-2"))

    def write() -> None:
        body = interaction(next(others))
        with suite.wire.undisturbed():
            suite.record(body)

    suite.wire.first(WRITE, write, times=1000)
    assert deliver(records) == again(records[0])
    suite.wire.repair()
    assert deliver(records) == ALL_DONE
    assert suite.profile().counters == {"view": 1 + next(others) - 100}
    assert suite.profile("u-2").counters == {"view": 1}


# All of it at once


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_each_interaction_counts_once(suite: Suite, seed: int) -> None:
    """Batches overlap, come shuffled and again, while answers are lost, users throttled and calls refused."""
    chance = random.Random(seed)
    bodies = [
        interaction(n, user_id=f"u-{n % 4}", item_id=f"i-{chance.randrange(20)}", context={"page": f"p-{n}"})
        for n in range(80)
    ]
    calm = suite.records_of(*[{**each, "user_id": f"calm-{each['user_id']}"} for each in bodies])
    deliver(calm)
    deliveries = [suite.records_of(*chance.sample(bodies, 25)) for _ in range(4)] + [suite.records_of(*bodies)]
    for records in deliveries:
        waiting = records
        for _ in range(20):
            suite.wire.repair()
            for operation in chance.choices([READ, WRITE], k=2):
                suite.wire.lose_answer(operation, times=chance.randrange(3))
            suite.wire.throttle(f"u-{chance.randrange(4)}", times=chance.randrange(6))
            suite.wire.refuse(WRITE, "ThrottlingException", times=chance.randrange(3))
            try:
                answer = deliver(waiting)["batchItemFailures"]
            except Unavailable:
                continue
            if not answer:
                break
            sequences = [record["kinesis"]["sequenceNumber"] for record in waiting]
            waiting = waiting[sequences.index(answer[0]["itemIdentifier"]) :]
        else:
            raise AssertionError("it never ended")
    suite.wire.repair()
    for user in range(4):
        found, expected = suite.profile(f"u-{user}"), suite.profile(f"calm-u-{user}")
        assert (found.entries, found.counters, found.context) == (expected.entries, expected.counters, expected.context)
        assert (found.first_ms, found.last_ms) == (expected.first_ms, expected.last_ms)
