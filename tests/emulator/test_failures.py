"""AWS fails under the running suite: nothing is lost, nothing is decided or told twice, and the stream goes on."""

import json
from typing import Any

from functions.fraud.features import FEATURES
from functions.fraud.history import History, tag_of
from tests.emulator.conftest import Faults
from tests.emulator.deployed import Item, Queue, name
from tests.emulator.suite import Suite, features, transaction
from tests.waiting import eventually

ABSURD = 2_000_000


def counted_once(suite: Suite, sent: list[Item]) -> None:
    """Card and terminal hold each transaction exactly once."""
    for each in sent:
        tag = tag_of(each["transaction_id"])
        for table, key in (("CardsTable", "card_id"), ("TerminalsTable", "terminal_id")):

            def held(table: str = table, key: str = key, each: Item = each, tag: int = tag) -> bool:
                item = suite.item(table, **{key: each[key]})
                return item is not None and tag in History.unpack(item["s"])

            eventually(held, f"{each['transaction_id']} in {table}")
            history = History.unpack(suite.item(table, **{key: each[key]})["s"])
            assert len(history.singles) == len([other for other in sent if other[key] == each[key]])


def failures_waiting(suite: Suite) -> list[Any]:
    """Messages of the failures queue, looked at and left."""
    sqs, url = suite.client("sqs"), suite.outputs["FailuresQueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


def told(queue: Queue, sent: Item) -> list[Any]:
    """Events or alerts about a transaction."""
    return [m for m in queue.messages() if m.get("detail", m).get("transaction_id") == sent["transaction_id"]]


def test_throttled_reads_and_writes_delay_and_nothing_else(suite: Suite, faults: Faults) -> None:
    faults.inject("dynamodb", operation="BatchGetItem", times=3)
    faults.inject("dynamodb", operation="BatchExecuteStatement", times=4)
    sent = [transaction() for _ in range(30)]
    suite.put(*sent)
    suite.decided(sent)
    counted_once(suite, sent)
    assert faults.failed() == 7


def test_an_outage_of_dynamodb_ends_in_the_failures_queue_for_what_it_hit_only(
    suite: Suite, faults: Faults, events: Queue
) -> None:
    hit, spared = transaction(), [transaction() for _ in range(20)]
    faults.inject(
        "dynamodb", operation="BatchExecuteStatement", contains=hit["card_id"], code="InternalServerError", status=500
    )
    suite.put(*spared[:10], hit, *spared[10:], key="outage")
    suite.decided(spared)
    batch = eventually(
        lambda: next((m["KinesisBatchInfo"] for m in failures_waiting(suite) if "KinesisBatchInfo" in m), None),
        "the failed record in the failures queue",
    )
    assert batch["batchSize"] == 1, "bisection leaves the good ones out"
    assert suite.decision(hit["transaction_id"]) is None

    later = transaction()
    suite.put(later)
    suite.decided([later])  # the shard went on

    faults.end()
    assert "1 delivered again" in suite.cuatro("replay", "fraud")
    suite.decided([hit])
    counted_once(suite, [hit, *spared])
    assert not failures_waiting(suite)
    events.first(lambda e: e["detail"].get("transaction_id") == hit["transaction_id"], "the event of the replayed one")
    assert len(told(events, hit)) == 1


def test_sns_down_for_a_while_delays_the_alert(suite: Suite, faults: Faults, alerts: Queue) -> None:
    faults.inject("sns", operation="PublishBatch", code="ServiceUnavailable", status=503, times=3)
    sent = transaction(amount=ABSURD)
    suite.put(sent)
    decision = suite.decided([sent])[sent["transaction_id"]]
    assert decision["outcome"] == "decline"
    alerts.first(lambda a: a["transaction_id"] == sent["transaction_id"], "the delayed alert")
    assert len(told(alerts, sent)) == 1
    assert faults.failed() == 3


def test_sns_down_for_long_loses_no_alert(suite: Suite, faults: Faults, alerts: Queue) -> None:
    faults.inject("sns", operation="PublishBatch", code="ServiceUnavailable", status=503)
    loud, quiet = transaction(amount=ABSURD), transaction()
    suite.put(quiet, loud, key="sns-down")
    suite.decided([quiet])  # others are not held up
    eventually(
        lambda: any("DDBStreamBatchInfo" in m for m in failures_waiting(suite)),
        "the alert's batch in the failures queue",
    )
    card = suite.item("CardsTable", card_id=loud["card_id"])
    assert tag_of(loud["transaction_id"]) in History.unpack(card["s"]), "decided, and committed with the card"
    assert not told(alerts, loud)

    faults.end()
    suite.cuatro("replay", "fraud")
    alerts.first(lambda a: a["transaction_id"] == loud["transaction_id"], "the alert, by replay")
    assert suite.decided([loud])[loud["transaction_id"]]["outcome"] == "decline"
    assert len(told(alerts, loud)) == 1
    assert not failures_waiting(suite)


def test_a_crash_between_card_and_terminal_is_made_good(suite: Suite, faults: Faults) -> None:
    terminal = name("p")
    faults.inject("dynamodb", operation="BatchExecuteStatement", contains=terminal, code="InternalServerError",
                  status=500, times=6)  # fmt: skip
    sent = transaction(terminal_id=terminal)
    suite.put(sent)
    suite.decided([sent])
    counted_once(suite, [sent])
    following = transaction(terminal_id=terminal, card_id=sent["card_id"])
    suite.put(following)
    row = features(suite.decided([following])[following["transaction_id"]])
    assert row[FEATURES.index("card_count_24h")] == 1
    assert row[FEATURES.index("terminal_count_24h")] == 1


def test_an_authorization_during_an_outage_says_so_and_counts_once_afterwards(suite: Suite, faults: Faults) -> None:
    sent = transaction()
    faults.inject(
        "dynamodb", operation="BatchExecuteStatement", contains=sent["card_id"], code="InternalServerError", status=500
    )
    answer = suite.call("POST", "/authorizations", sent)
    assert answer.status == 503, answer
    faults.end()
    assert suite.call("POST", "/authorizations", sent).status == 200
    suite.decided([sent])
    counted_once(suite, [sent])
