"""What AWS does to us, and what is left behind: every good transaction decided exactly once, nothing lost."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cuatro.errors import Refused, Unavailable
from functions.fraud.features import FEATURES
from tests.functional.suite import Suite, client, transaction

Metrics = Callable[[], Counter[str]]


def settled(suite: Suite, ids: set[str], cards: dict[str, int], terminals: dict[str, int]) -> None:
    """Each transaction has one decision, one event, and counts once for its card and its terminal."""
    suite.act()
    assert set(suite.items("decisions")) == ids
    assert Counter(each["transaction_id"] for each in suite.events()) == Counter(ids)
    assert {key: len(suite.history("cards", key)) for key in suite.items("cards")} == cards
    assert {key: len(suite.history("terminals", key)) for key in suite.items("terminals")} == terminals


def sequence(record: dict[str, Any]) -> str:
    return str(record["kinesis"]["sequenceNumber"])


# Deliveries


def test_duplicates_in_a_batch_and_across_batches_are_decided_once(suite: Suite, metrics: Metrics) -> None:
    suite.score(transaction(1), transaction(1), transaction(2))
    suite.score(transaction(2), transaction(1), transaction(3))
    settled(suite, {"t-1", "t-2", "t-3"}, {"c-1": 3}, {"s-1": 3})
    counted = metrics()
    assert (counted["TransactionsScored"], counted["Duplicates"]) == (3, 3)


def test_reordered_deliveries_end_in_the_same_state(suite: Suite) -> None:
    suite.score(transaction(3), transaction(1))
    suite.score(transaction(2))
    in_order = [transaction(n, card_id="c-2", terminal_id="s-2", transaction_id=f"u-{n}") for n in (1, 2, 3)]
    suite.score(*in_order)
    assert suite.history("cards", "c-1").singles == suite.history("cards", "c-2").singles
    settled(suite, {"t-1", "t-2", "t-3", "u-1", "u-2", "u-3"}, {"c-1": 3, "c-2": 3}, {"s-1": 3, "s-2": 3})


def test_a_repeat_after_a_crash_between_card_and_terminal_tells_the_terminal(suite: Suite, metrics: Metrics) -> None:
    records = suite.records([transaction(1)])
    suite.wire.first("BatchExecuteStatement", lambda: None)

    def crash() -> None:
        raise KeyboardInterrupt

    suite.wire.first("BatchExecuteStatement", crash)
    with pytest.raises(KeyboardInterrupt):
        suite.deliver(records)
    assert "s-1" not in suite.items("terminals")
    suite.wire.repair()
    assert suite.deliver(records) == {"batchItemFailures": []}
    settled(suite, {"t-1"}, {"c-1": 1}, {"s-1": 1})
    assert metrics()["TransactionsScored"] == 0, "the decision is the first one's, which did not live to count it"


# DynamoDB


@pytest.mark.parametrize("operation", ["BatchGetItem", "BatchExecuteStatement"])
@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_a_call_throttled_for_a_moment_is_tried_again(suite: Suite, operation: str, code: str) -> None:
    suite.wire.refuse(operation, code, times=2)
    assert suite.score(transaction(1)) == {"batchItemFailures": []}
    settled(suite, {"t-1"}, {"c-1": 1}, {"s-1": 1})


@pytest.mark.parametrize("operation", ["BatchGetItem", "BatchExecuteStatement"])
def test_while_dynamodb_is_down_the_stream_waits(suite: Suite, metrics: Metrics, operation: str) -> None:
    records = suite.records([transaction(1), transaction(2, card_id="c-2")])
    suite.wire.down(operation)
    with pytest.raises(Unavailable):
        suite.deliver(records)
    assert suite.items("cards") == {}
    suite.wire.repair()
    assert suite.deliver(records) == {"batchItemFailures": []}
    settled(suite, {"t-1", "t-2"}, {"c-1": 1, "c-2": 1}, {"s-1": 2})
    assert metrics()["TransactionsScored"] == 2


def test_an_answer_that_is_lost_or_damaged_is_asked_for_again(suite: Suite, metrics: Metrics) -> None:
    suite.score(transaction(1))
    suite.wire.lose_answer("BatchGetItem")
    suite.wire.lose_answer("BatchExecuteStatement", times=1)
    assert suite.score(transaction(2)) == {"batchItemFailures": []}
    settled(suite, {"t-1", "t-2"}, {"c-1": 2}, {"s-1": 2})
    counted = metrics()
    assert (counted["TransactionsScored"], counted["StateConflicts"]) == (2, 0), "its own write is no conflict"


def test_a_lost_answer_to_a_card_s_first_write(suite: Suite) -> None:
    suite.wire.lose_answer("BatchExecuteStatement")
    assert suite.score(transaction(1)) == {"batchItemFailures": []}
    settled(suite, {"t-1"}, {"c-1": 1}, {"s-1": 1})


def test_keys_that_are_not_processed_are_read_again(suite: Suite) -> None:
    def unprocessed(answer: dict[str, Any]) -> dict[str, Any]:
        left = {"terminals": {"ConsistentRead": True, "Keys": [{"terminal_id": {"S": "s-1"}}]}}
        return {"Responses": {"cards": answer["Responses"]["cards"]}, "UnprocessedKeys": left}

    suite.score(transaction(1))
    suite.wire.edit("BatchGetItem", unprocessed)
    assert suite.score(transaction(2)) == {"batchItemFailures": []}
    settled(suite, {"t-1", "t-2"}, {"c-1": 2}, {"s-1": 2})


def test_a_key_that_stays_throttled_fails_its_records_only(suite: Suite) -> None:
    def unprocessed(answer: dict[str, Any]) -> dict[str, Any]:
        left = {"cards": {"ConsistentRead": True, "Keys": [{"card_id": {"S": "c-2"}}]}}
        return {**answer, "UnprocessedKeys": left}

    records = suite.records([transaction(1), transaction(2, card_id="c-2"), transaction(3)])
    suite.wire.edit("BatchGetItem", unprocessed, times=4)
    assert suite.deliver(records) == {"batchItemFailures": [{"itemIdentifier": sequence(records[1])}]}
    assert suite.deliver(records[1:]) == {"batchItemFailures": []}
    settled(suite, {"t-1", "t-2", "t-3"}, {"c-1": 2, "c-2": 1}, {"s-1": 3})


def test_a_statement_throttled_for_a_moment_is_tried_again(suite: Suite) -> None:
    suite.wire.throttle("c-2", times=2)
    assert suite.score(transaction(1), transaction(2, card_id="c-2")) == {"batchItemFailures": []}
    settled(suite, {"t-1", "t-2"}, {"c-1": 1, "c-2": 1}, {"s-1": 2})


def test_a_card_that_stays_throttled_fails_its_records_only(suite: Suite, metrics: Metrics) -> None:
    records = suite.records([transaction(1), transaction(2, card_id="c-2"), transaction(3)])
    suite.wire.throttle("c-2", times=4)
    assert suite.deliver(records) == {"batchItemFailures": [{"itemIdentifier": sequence(records[1])}]}
    assert len(suite.history("terminals", "s-1")) == 2, "the terminal does not count what is not decided"
    assert suite.deliver(records[1:]) == {"batchItemFailures": []}
    settled(suite, {"t-1", "t-2", "t-3"}, {"c-1": 2, "c-2": 1}, {"s-1": 3})
    assert metrics()["TransactionsScored"] == 3


def test_a_terminal_that_stays_throttled_is_told_by_the_repeat(suite: Suite, metrics: Metrics) -> None:
    records = suite.records([transaction(1, terminal_id="s-2"), transaction(2), transaction(3)])
    suite.wire.throttle("s-1", times=4)
    assert suite.deliver(records) == {"batchItemFailures": [{"itemIdentifier": sequence(records[1])}]}
    assert suite.deliver(records[1:]) == {"batchItemFailures": []}
    settled(suite, {"t-1", "t-2", "t-3"}, {"c-1": 3}, {"s-1": 2, "s-2": 1})
    assert metrics()["TransactionsScored"] == 3


def test_a_missing_grant_is_an_error_of_the_function(suite: Suite) -> None:
    suite.wire.refuse("BatchGetItem", "AccessDeniedException")
    with pytest.raises(Refused, match="AccessDenied"):
        suite.score(transaction(1))


# Concurrent writers


def test_a_card_that_somebody_writes_meanwhile_is_decided_again_from_what_is_there(
    suite: Suite, metrics: Metrics
) -> None:
    suite.score(transaction(1))
    suite.wire.first("BatchExecuteStatement", lambda: suite.score(transaction(2)) and None)
    assert suite.score(transaction(3)) == {"batchItemFailures": []}
    settled(suite, {"t-1", "t-2", "t-3"}, {"c-1": 3}, {"s-1": 3})
    count = FEATURES.index("card_count_1h")
    features = {key: each["features"] for key, each in suite.items("decisions").items()}
    assert np.frombuffer(features["t-3"], "<f4")[count] == 2, "it saw the other writer's transaction"
    assert metrics()["StateConflicts"] >= 1


def test_two_writers_of_the_same_new_card_and_the_same_transaction_decide_it_once(suite: Suite) -> None:
    suite.wire.first("BatchExecuteStatement", lambda: suite.score(transaction(1)) and None)
    assert suite.score(transaction(1), transaction(2)) == {"batchItemFailures": []}
    settled(suite, {"t-1", "t-2"}, {"c-1": 2}, {"s-1": 2})


def test_a_terminal_that_somebody_writes_meanwhile_keeps_both(suite: Suite, metrics: Metrics) -> None:
    suite.wire.first("BatchExecuteStatement", lambda: None)
    suite.wire.first("BatchExecuteStatement", lambda: suite.score(transaction(1, card_id="c-2")) and None)
    assert suite.score(transaction(2), transaction(3)) == {"batchItemFailures": []}
    settled(suite, {"t-1", "t-2", "t-3"}, {"c-1": 2, "c-2": 1}, {"s-1": 3})
    assert metrics()["StateConflicts"] == 1


def test_a_card_blocked_between_read_and_write_is_declined(suite: Suite) -> None:
    def block() -> None:
        suite.call("POST", "/cards/{card_id}/block", {"reason": "stolen"}, card_id="c-1")

    suite.score(transaction(1))
    suite.wire.first("BatchExecuteStatement", block)
    suite.score(transaction(2))
    suite.act()
    assert suite.items("decisions")["t-2"]["rules"] == ["card_blocked"]


def test_a_card_that_is_always_written_first_by_others_goes_back_to_the_stream(suite: Suite) -> None:
    others = iter(range(100, 200))
    records = suite.records([transaction(1), transaction(2, card_id="c-2", terminal_id="s-2")])

    def write() -> None:
        body = transaction(next(others))
        with suite.wire.undisturbed():
            suite.score(body)

    suite.wire.first("BatchExecuteStatement", write, times=1000)
    assert suite.deliver(records)["batchItemFailures"] == [{"itemIdentifier": sequence(records[0])}]
    suite.wire.repair()
    assert suite.deliver(records) == {"batchItemFailures": []}
    suite.act()
    assert {"t-1", "t-2"} <= set(suite.items("decisions"))


# State


def test_a_damaged_state_fails_its_own_records_only(suite: Suite) -> None:
    client("dynamodb").put_item(
        TableName="cards", Item={"card_id": {"S": "c-2"}, "s": {"B": b"damaged"}, "v": {"N": "1"}}
    )
    records = suite.records([transaction(1), transaction(2, card_id="c-2"), transaction(3)])
    assert suite.deliver(records) == {"batchItemFailures": [{"itemIdentifier": sequence(records[1])}]}
    suite.act()
    assert set(suite.items("decisions")) == {"t-1", "t-3"}
