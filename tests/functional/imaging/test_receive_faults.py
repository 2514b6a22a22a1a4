"""A fault at any call of `receive`, before or after it took effect: delivered again, all ends as without it."""

from collections.abc import Callable

import pytest

from tests.functional.imaging.images import file, image
from tests.functional.imaging.suite import NAMES, Suite

ONE = file(image())
NAME = NAMES.instance(image().SOPInstanceUID)
CALLS = [
    "HEAD", "GetObject", "BatchGetItem", "BatchExecuteStatement", "PutObject", "TransactWriteItems", "SendMessage",
    "DELETE", "GetSecretValue",
]  # fmt: skip
KEY = "drop/north/one"


def ends_well(suite: Suite) -> None:
    assert suite.objects("identified") == {f"instances/{NAME}.dcm": ONE}
    (row,) = suite.items("instances").values()
    (study,) = suite.items("studies").values()
    assert (row["s"], study["c"], study["w"]) == ("received", 1, 1)
    assert {(each["study"], each["t"]) for each in suite.messages("quiet")} == {(row["study"], study["t"])}
    assert len(suite.audited("receive")) >= 1


def deliver(suite: Suite) -> bool:
    """Did it go well? What fails altogether is delivered again as well."""
    from cuatro.errors import Refused, Unavailable  # noqa: PLC0415

    try:
        return not suite.receive(KEY)["batchItemFailures"]
    except (Unavailable, Refused):
        return False


@pytest.mark.parametrize("skipped", [0, 1])
@pytest.mark.parametrize("operation", CALLS)
def test_a_call_that_fails(suite: Suite, operation: str, skipped: int) -> None:
    suite.drop(KEY, ONE)
    if skipped:
        suite.wire.first(operation, lambda: None, times=skipped)
    suite.wire.down(operation, times=4)  # as often as it is tried
    deliver(suite)
    suite.wire.repair()
    if KEY in suite.objects("identified"):
        assert deliver(suite)
    ends_well(suite)


@pytest.mark.parametrize(
    "operation", ["BatchExecuteStatement", "PutObject", "TransactWriteItems", "SendMessage", "DELETE"]
)
def test_a_call_whose_answer_is_lost_every_time(suite: Suite, operation: str) -> None:
    suite.drop(KEY, ONE)
    suite.wire.lose_answer(operation, times=4)
    deliver(suite)
    suite.wire.repair()
    if KEY in suite.objects("identified"):
        assert deliver(suite)
    ends_well(suite)


@pytest.mark.parametrize("code", ["AccessDenied", "KMS.DisabledException"])
@pytest.mark.parametrize("operation", ["HEAD", "GetObject", "PutObject"])
@pytest.mark.safeguard("164.312(a)(2)(iv)")
def test_a_key_that_may_not_be_used_keeps_the_object_where_it_is(suite: Suite, operation: str, code: str) -> None:
    suite.drop(KEY, ONE)
    suite.wire.refuse(operation, code, status=403)
    assert not deliver(suite)
    suite.wire.repair()
    assert KEY in suite.objects("identified")
    assert suite.items("studies") == {}
    assert deliver(suite)
    ends_well(suite)


def test_delivered_twice_it_is_taken_once(suite: Suite) -> None:
    suite.drop(KEY, ONE)
    assert deliver(suite)
    assert deliver(suite)
    ends_well(suite)
    assert [each["details"]["repeated"] for each in suite.audited("receive")] == [0]


def test_two_deliveries_at_once_take_it_once(suite: Suite) -> None:
    suite.drop(KEY, ONE)
    suite.wire.first("TransactWriteItems", lambda: deliver(suite) and None)
    assert deliver(suite)
    ends_well(suite)
    assert sorted(each["details"]["repeated"] for each in suite.audited("receive")) == [0, 1]


def test_the_same_bytes_of_another_sender_finish_what_the_first_began(suite: Suite) -> None:
    suite.drop(KEY, ONE)
    suite.wire.down("TransactWriteItems")
    assert not deliver(suite)
    suite.wire.repair()
    suite.drop("drop/south/same", ONE)
    suite.receive("drop/south/same")
    (study,) = suite.items("studies").values()
    (row,) = suite.items("instances").values()
    assert (study["o"], row["o"]) == ("north", "north")
    assert deliver(suite)
    ends_well(suite)


def test_bytes_that_change_while_they_are_looked_at_are_taken_as_they_became(suite: Suite) -> None:
    """A pre-signed link may be used twice: the first bytes' row makes room, and the second message takes the second."""
    changed = file(image(PixelData=bytes(16)))
    suite.drop(KEY, ONE)

    def change() -> None:
        suite.drop(KEY, changed)
        suite.wire.refuse("PutObject", "PreconditionFailed", times=1, status=412)  # moto copies whatever is there

    suite.wire.first("BatchExecuteStatement", change)
    assert deliver(suite)
    assert suite.items("studies") == {}
    assert [row["s"] for row in suite.items("instances").values()] == ["gone"]
    assert deliver(suite)
    assert suite.objects("identified") == {f"instances/{NAME}.dcm": changed}
    assert "Versions" not in suite.s3.list_object_versions(Bucket="identified", Prefix=KEY)
    (study,) = suite.items("studies").values()
    assert (study["c"], study["w"]) == (1, 1)


def test_a_lock_hides_what_it_keeps(suite: Suite) -> None:
    suite.drop(KEY, ONE)
    suite.wire.refuse("DELETE", "AccessDenied", times=1, status=403)
    suite.wire.edit_text("DELETE", lambda text: text, times=1)
    assert deliver(suite)
    assert KEY not in suite.objects("identified")
    assert len(suite.s3.list_object_versions(Bucket="identified", Prefix=KEY)["Versions"]) == 1


def test_the_last_place_of_a_study_is_given_once(suite: Suite, policy: Callable[..., None]) -> None:
    """Another image was counted after this one had looked, and before it was counted itself."""
    policy(max_instances=1)
    suite.drop(KEY, ONE)
    suite.drop("drop/north/two", file(image(2)))
    suite.wire.first("TransactWriteItems", lambda: suite.receive("drop/north/two") and None)
    assert deliver(suite)
    states = {row["instance"]: (row["s"], row.get("why")) for row in suite.items("instances").values()}
    assert states[NAME] == ("rejected", "too_many_instances")
    assert states[NAMES.instance(image(2).SOPInstanceUID)] == ("received", None)
    (study,) = suite.items("studies").values()
    assert study["c"] == 1
