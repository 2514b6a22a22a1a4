"""What functions record becomes one chain, each event once, in order, and lies in the locked bucket as well."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from cuatro.adapters.chain import Chain, chain
from cuatro.config import settings
from cuatro.errors import Refused, Unavailable
from functions.imaging import ledger
from tests.functional.aws_in_memory import wired
from tests.functional.imaging.ledger_in_memory import BUCKET, ENVIRONMENT, TABLE, Ledger, transactions
from tests.functional.stage import CREDENTIALS, client


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    for name, value in {**CREDENTIALS, **ENVIRONMENT}.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    with wired() as wire, transactions():
        yield Ledger(wire)
    settings.cache_clear()


def entries(book: Ledger) -> list[ledger.Entry]:
    return [ledger.entry_of(row) for row in book.rows()]


@pytest.mark.safeguard("164.312(b)")
def test_what_is_recorded_is_chained_in_its_order(book: Ledger) -> None:
    for number in range(12):
        book.record(f"object{number}", details={"number": number})

    book.deliver()

    found = entries(book)
    assert [entry.object for entry in found] == [f"object{number}" for number in range(12)]
    assert [entry.details for entry in found[:2]] == [{"number": 0}, {"number": 1}]
    assert not list(ledger.broken(found))


@pytest.mark.safeguard("164.312(c)(1)")
def test_a_batch_that_comes_again_is_not_written_again(book: Ledger) -> None:
    for number in range(4):
        book.record(f"object{number}")
    records = book.messages()

    book.handle(records[:3])
    book.handle(records)

    assert [entry.object for entry in entries(book)] == ["object0", "object1", "object2", "object3"]


def test_an_answer_that_is_lost_makes_no_second_entry(book: Ledger) -> None:
    book.record("a")
    records = book.messages()
    book.wire.lose_answer("ExecuteTransaction")

    book.handle(records)

    assert [entry.object for entry in entries(book)] == ["a"]


def test_the_same_thing_done_twice_is_two_entries(book: Ledger) -> None:
    book.record("a")
    book.record("a")

    book.deliver()

    assert len(entries(book)) == 2


def test_who_is_overtaken_looks_again(book: Ledger) -> None:
    """Another reader of the queue, whose time was over, wrote between the look and the writing."""
    book.record("mine")
    records = book.messages()
    book.record("theirs")
    theirs = book.messages()

    def overtake() -> None:
        book.handle(theirs)

    book.wire.first("ExecuteTransaction", overtake)

    book.handle(records)

    assert [entry.object for entry in entries(book)] == ["theirs", "mine"]
    assert not list(ledger.broken(entries(book)))


def test_nothing_is_written_when_the_table_is_away(book: Ledger) -> None:
    book.record("a")
    records = book.messages()
    book.wire.down("ExecuteTransaction")

    with pytest.raises(Unavailable):
        book.handle(records)
    book.wire.repair()
    assert not book.rows()
    book.handle(records)
    assert len(book.rows()) == 1


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("TransactionConflict", Unavailable), ("ThrottlingError", Unavailable), ("ValidationError", Refused)],
)
def test_transactions_that_meet_are_tried_again_later(reason: str, expected: type[Exception]) -> None:
    class Refusing:
        def call(self, operation: str, body: bytes) -> bytes:
            raise Refused(operation, "TransactionCanceledException", f"Transaction cancelled [None, {reason}]")

    with pytest.raises(expected):
        Chain(TABLE, Refusing()).append([{"chain": "ledger", "seq": 1}])


def test_a_message_that_is_no_event_is_told_without_its_words(book: Ledger) -> None:
    book.record("a")
    records = [{"messageId": "m-1", "body": '{"name":"Phantom^One"}'}, *book.messages()]

    book.handle(records)

    first, second = entries(book)
    assert (first.action, first.object, first.details) == ("refuse", "audit-message", {"code": "missing_field"})
    assert second.object == "a"
    assert "Phantom" not in str(book.rows())


def test_the_chain_is_anchored_every_so_many_entries(book: Ledger) -> None:
    for number in range(12):
        book.record(f"object{number}")

    book.deliver()

    assert {key: len(lines) for key, lines in book.anchored().items()} == {"ledger/000000000010.jsonl": 10}
    assert [row["seq"] for row in book.rows("anchors")] == [10]


def test_the_clock_anchors_what_is_left_over_and_nothing_twice(book: Ledger) -> None:
    for number in range(3):
        book.record(f"object{number}")
    book.deliver()
    assert not book.anchored()

    book.handle(None)
    book.handle(None)

    ((key, lines),) = book.anchored().items()
    assert (key, [line["object"] for line in lines]) == ("ledger/000000000003.jsonl", ["object0", "object1", "object2"])
    assert [line["hash"] for line in lines] == [entry.hash for entry in entries(book)]


def test_an_anchor_whose_row_was_not_written_is_made_again(book: Ledger) -> None:
    book.record("a")
    book.deliver()
    book.wire.down("ExecuteTransaction")
    with pytest.raises(Unavailable):
        book.handle(None)
    book.wire.repair()
    book.record("b")
    book.deliver()

    book.handle(None)

    assert {key: len(lines) for key, lines in book.anchored().items()} == {
        "ledger/000000000001.jsonl": 1,
        "ledger/000000000002.jsonl": 2,
    }
    assert [row["seq"] for row in book.rows("anchors")] == [2]


@pytest.mark.safeguard("164.312(c)(2)")
def test_an_anchor_is_never_written_over(book: Ledger) -> None:
    book.record("a")
    book.deliver()
    client("s3").put_object(Bucket=BUCKET, Key="ledger/000000000001.jsonl", Body=b"first")

    book.handle(None)

    versions = client("s3").list_object_versions(Bucket=BUCKET)["Versions"]
    assert len(versions) == 1


@pytest.mark.safeguard("164.312(b)")
def test_what_needs_attention_is_counted(book: Ledger, metrics: Callable[[], Counter[str]]) -> None:
    book.record("a", action="retrieve")
    book.record("a", action="view", outcome="denied")
    book.record("", action="authorize_failed", outcome="denied")
    book.deliver()

    counted = metrics()
    assert {name: counted[name] for name in ("Audited", "Retrievals", "Views", "Denied", "AuthorizeFailed")} == {
        "Audited": 3, "Retrievals": 1, "Views": 1, "Denied": 2, "AuthorizeFailed": 1,
    }  # fmt: skip
    assert not counted["LedgerBroken"]


@pytest.mark.safeguard("164.312(c)(2)")
def test_a_chain_that_was_tampered_with_is_told_and_goes_on(book: Ledger, metrics: Callable[[], Counter[str]]) -> None:
    for number in range(3):
        book.record(f"object{number}")
    book.deliver()
    client("dynamodb").update_item(
        TableName=TABLE,
        Key={"chain": {"S": "ledger"}, "seq": {"N": "2"}},
        UpdateExpression="SET actor = :a",
        ExpressionAttributeValues={":a": {"S": "nobody"}},
    )
    metrics()
    book.record("after")

    book.deliver()

    assert metrics()["LedgerBroken"] == 1
    assert list(ledger.broken(entries(book))) == [ledger.Broken(2, "changed")]
    assert len(book.rows()) == 4


def test_entries_can_be_found_by_object_and_by_actor(book: Ledger) -> None:
    book.record("a", actor="sender:north")
    book.record("b", actor="sender:north")
    book.record("a", actor="reviewer:one")
    book.deliver()

    store = chain(TABLE)
    assert [item["seq"] for item in store.having("object", "a")] == [1, 3]
    assert [item["seq"] for item in store.having("actor", "sender:north")] == [1, 2]
    assert [item["seq"] for item in store.rows("ledger", after=1)] == [2, 3]
