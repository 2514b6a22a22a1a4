"""What arrivals are built on: transactions, delayed messages, executions of one name, objects in custody."""

import json

import pytest

from cuatro.adapters import intake
from cuatro.adapters.attributes import decoded_image, encoded
from cuatro.adapters.queues import send
from cuatro.adapters.transactions import Update, transact
from cuatro.adapters.workflows import start_execution
from cuatro.errors import Refused, Unavailable
from tests.functional.imaging.suite import ACCOUNT, ENVIRONMENT, MACHINE, REGION, Suite

ADD = Update("studies", {"study": "a"}, "ADD c :one", {":one": 1}, "attribute_not_exists(c) OR c < :one")
SET = Update("instances", {"instance": "i"}, "SET s = :s", {":s": "received"})


def test_all_is_changed_or_nothing(suite: Suite) -> None:
    assert transact([SET, ADD]) == []
    assert transact([SET._replace(values={":s": "again"}), ADD]) == [False, True]
    assert suite.items("instances")["i"]["s"] == "received"
    assert suite.items("studies")["a"]["c"] == 1


def cancelled(suite: Suite, reasons: str, times: int) -> None:
    """DynamoDB cancels transactions, for these reasons."""
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": f"Transaction cancelled, please refer cancellation reasons for specific reasons [{reasons}]",
    }
    suite.wire.refuse("TransactWriteItems", "TransactionCanceledException", times)
    fault = suite.wire._faults[-1]
    original = fault.action
    assert original is not None

    def answered(request):  # type: ignore[no-untyped-def]
        answer = original(request)
        answer._content = json.dumps(body).encode()
        return answer

    fault.action = answered


def test_transactions_that_meet_are_tried_again(suite: Suite) -> None:
    cancelled(suite, "TransactionConflict, None", times=2)
    assert transact([SET, ADD]) == []
    assert suite.wire.calls["TransactWriteItems"] == 3
    cancelled(suite, "None, TransactionConflict", times=100)
    with pytest.raises(Unavailable, match="others change"):
        transact([SET, ADD])


def test_what_is_wrong_with_a_transaction_is_told(suite: Suite) -> None:
    cancelled(suite, "ValidationError, None", times=1)
    with pytest.raises(Refused) as refused:
        transact([SET, ADD])
    assert refused.value.code == "TransactionCanceledException"
    with pytest.raises(Refused):
        transact([SET._replace(table="nothing")])


def test_sets_of_words_come_back_as_they_were() -> None:
    item = {"m": frozenset({"DX", "CR"}), "n": 1}
    assert encoded(item) == {"m": {"SS": ["CR", "DX"]}, "n": {"N": "1"}}
    assert decoded_image(encoded(item)) == item


@pytest.mark.parametrize(("asked", "given"), [(0, 0), (0.2, 1), (2, 2), (59.1, 60), (10_000, 900), (-5, 0)])
def test_messages_wait_whole_seconds(suite: Suite, asked: float, given: int) -> None:
    from moto.sqs.models import sqs_backends  # noqa: PLC0415

    send(ENVIRONMENT["QUIET_QUEUE_URL"], {"study": "a"}, asked)
    (message,) = sqs_backends[ACCOUNT][REGION].queues["quiet"]._messages
    waits = (message.delayed_until - message.sent_timestamp) / 1000 if given else 0
    assert round(waits) == given
    assert suite.messages("quiet") == [{"study": "a"}]


def test_a_name_starts_one_execution(suite: Suite) -> None:
    first = start_execution(MACHINE, "study-1", {"study": "a"})
    suite.wire.refuse("StartExecution", "ExecutionAlreadyExists", times=1)
    assert start_execution(MACHINE, "study-1", {"study": "a"}) == first
    assert list(suite.executions()) == ["study-1"]
    with pytest.raises(Refused):
        start_execution(MACHINE + "x", "study-1", {})


def test_objects_that_are_gone_are_none(suite: Suite) -> None:
    assert intake.measure("identified", "inbox/x") is None
    assert intake.take("identified", "inbox/x", 10) is None
    assert not intake.copy("identified", "inbox/x", "instances/y", '"tag"', "application/dicom")
    intake.discard("identified", "inbox/x", '"tag"')


def test_a_copy_has_nothing_of_the_original_but_its_bytes(suite: Suite) -> None:
    suite.s3.put_object(
        Bucket="identified", Key="drop/a", Body=b"bytes", Metadata={"patient": "Marked"}, Tagging="patient=Marked"
    )
    taken = intake.take("identified", "drop/a", 3)
    assert taken is not None
    assert (taken.first, taken.size) == (b"byt", 5)
    assert intake.copy("identified", "drop/a", "instances/b", taken.tag, "application/dicom")
    head = suite.s3.head_object(Bucket="identified", Key="instances/b")
    assert (head["Metadata"], head["ContentType"]) == ({}, "application/dicom")
    assert suite.s3.get_object_tagging(Bucket="identified", Key="instances/b")["TagSet"] == []


def test_only_what_was_read_is_removed(suite: Suite) -> None:
    suite.drop("drop/a", b"old")
    taken = intake.take("identified", "drop/a", 3)
    assert taken is not None
    suite.drop("drop/a", b"new")
    suite.drop("drop/ab", b"other")
    intake.discard("identified", "drop/a", taken.tag)
    assert suite.objects("identified") == {"drop/a": b"new", "drop/ab": b"other"}
    versions = suite.s3.list_object_versions(Bucket="identified", Prefix="drop/a")["Versions"]
    assert sorted(each["Key"] for each in versions) == ["drop/a", "drop/ab"]


def test_no_key_is_in_an_error(suite: Suite) -> None:
    for operation in ("HEAD", "GetObject", "PutObject"):
        suite.wire.refuse(operation, "AccessDenied", status=403)
    for call in (
        lambda: intake.measure("identified", "drop/MARKED"),
        lambda: intake.take("identified", "drop/MARKED", 1),
        lambda: intake.copy("identified", "drop/MARKED", "x", '"t"', "y"),
        lambda: intake.discard("identified", "drop/MARKED", '"t"'),
    ):
        with pytest.raises(Refused) as refused:
            call()
        assert "MARKED" not in str(refused.value)
        assert refused.value.__suppress_context__
