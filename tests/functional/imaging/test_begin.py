"""A study is read when it has been quiet, once for each revision, whatever is delivered twice or breaks in between."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from cuatro.adapters.dynamodb import dynamo
from cuatro.adapters.partiql import change
from tests.functional.imaging.images import file, image
from tests.functional.imaging.suite import MACHINE, NAMES, Suite

STUDY = NAMES.study(image().StudyInstanceUID)
ONE, TWO, THREE = (NAMES.instance(image(number).SOPInstanceUID) for number in (1, 2, 3))


def arrived(suite: Suite, *numbers: int) -> dict[str, Any]:
    """These images come; the message of the last of them."""
    for number in numbers:
        suite.stow(file(image(number)))
    suite.receive()
    return suite.messages("quiet")[-1]


def quiet(monkeypatch: pytest.MonkeyPatch, seconds: float = 3600) -> None:
    """`begin` is called so much later."""
    monkeypatch.setattr("functions.imaging.begin.handler.time", SimpleNamespace(time=lambda: time.time() + seconds))


def study(suite: Suite) -> dict[str, Any]:
    return suite.items("studies")[STUDY]


def test_a_quiet_study_is_read_once(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    message = arrived(suite, 1, 2)
    quiet(monkeypatch)
    assert suite.begin(message, message) == {"batchItemFailures": []}
    name = f"{STUDY}-1"
    assert suite.executions() == {name: {"study": STUDY, "revision": 1, "instances": sorted([ONE, TWO])}}
    row = study(suite)
    assert (row["s"], row["r"], row["w"], row["c"]) == ("reading", 1, 0, 2)
    assert row["e"] == f"{MACHINE.replace('stateMachine', 'execution')}:{name}"
    assert {(each["s"], each["rev"]) for each in suite.items("instances").values()} == {("reading", 1)}
    assert [each["details"] for each in suite.audited("begin")] == [{"revision": 1, "instances": 2}]


def test_a_study_that_still_comes_is_asked_about_again(suite: Suite, policy: Callable[..., None]) -> None:
    policy(quiet_s=30)
    message = arrived(suite, 1)
    sent = len(suite.messages("quiet"))
    assert suite.begin(message) == {"batchItemFailures": []}
    assert suite.executions() == {}
    assert suite.messages("quiet")[sent:] == [{**message, "again": False}]


def test_only_the_last_arrivals_message_counts(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    first = arrived(suite, 1)
    time.sleep(0.01)
    last = arrived(suite, 2)
    assert first["t"] < last["t"]
    quiet(monkeypatch)
    suite.begin(first)
    assert suite.executions() == {}
    suite.begin(last)
    assert list(suite.executions()) == [f"{STUDY}-1"]


def test_what_comes_later_is_a_revision_of_its_own(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    message = arrived(suite, 1)
    quiet(monkeypatch)
    suite.begin(message)
    message = arrived(suite, 2, 3)
    assert (study(suite)["s"], study(suite)["w"], study(suite)["r"]) == ("arriving", 2, 1)
    suite.begin(message)
    assert suite.executions()[f"{STUDY}-2"]["instances"] == sorted([TWO, THREE])
    revisions = {name: row["rev"] for name, row in suite.items("instances").items()}
    assert revisions == {ONE: 1, TWO: 2, THREE: 2}


def test_rejected_images_are_not_read(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.drop("drop/north/broken", b"no image")
    message = arrived(suite, 1)
    suite.drop("drop/north/other", file(image(1, PixelData=bytes(16))))
    suite.receive()
    quiet(monkeypatch)
    suite.begin(message)
    assert suite.executions()[f"{STUDY}-1"]["instances"] == [ONE]


def test_a_study_is_read_again_on_request(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    message = arrived(suite, 1, 2)
    quiet(monkeypatch)
    suite.begin(message)
    for name in (ONE, TWO):
        dynamo().write([change("instances", {"s": "read"}, {"instance": name})])
    arrived(suite, 3)
    suite.begin({"study": STUDY, "again": True})
    assert suite.executions()[f"{STUDY}-2"]["instances"] == sorted([ONE, TWO, THREE])
    assert (study(suite)["w"], study(suite)["r"]) == (0, 2)
    assert {row["rev"] for row in suite.items("instances").values()} == {2}


def test_an_unknown_or_erased_study_is_let_be(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    message = arrived(suite, 1)
    dynamo().write([change("studies", {"s": "erased"}, {"study": STUDY})])
    quiet(monkeypatch)
    assert suite.begin(message, {"study": "nobody", "t": 1}, {"study": STUDY, "again": True})["batchItemFailures"] == []
    assert suite.executions() == {}


def test_nothing_to_read_again_is_nothing(suite: Suite) -> None:
    dynamo().put_all("studies", [{"study": STUDY, "s": "arriving", "r": 0, "w": 0, "c": 0, "t": 1, "o": "north"}])
    assert suite.begin({"study": STUDY, "again": True}) == {"batchItemFailures": []}
    assert suite.executions() == {}


def test_an_index_that_lags_is_waited_for(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    message = arrived(suite, 1, 2)
    quiet(monkeypatch)

    def without_the_last(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "Items": answer["Items"][1:]}

    suite.wire.edit("Query", without_the_last)
    assert suite.begin(message)["batchItemFailures"] == [{"itemIdentifier": "message-0"}]
    assert suite.executions() == {}
    assert suite.begin(message)["batchItemFailures"] == []
    assert len(suite.executions()[f"{STUDY}-1"]["instances"]) == 2


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize(
    "operation",
    ["BatchGetItem", "Query", "TransactWriteItems", "BatchExecuteStatement", "SendMessage", "StartExecution"],
)
def test_a_fault_at_any_call_begins_it_once(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, operation: str, lost: bool
) -> None:
    message = arrived(suite, 1, 2)
    quiet(monkeypatch)
    if lost:
        suite.wire.lose_answer(operation, times=4)
    else:
        suite.wire.down(operation, times=4)
    suite.begin(message)
    suite.wire.repair()
    suite.begin(message)
    suite.begin(message)
    assert list(suite.executions()) == [f"{STUDY}-1"]
    assert suite.executions()[f"{STUDY}-1"]["instances"] == sorted([ONE, TWO])
    row = study(suite)
    assert (row["s"], row["r"], row["w"]) == ("reading", 1, 0)
    assert row["e"].endswith(f":{STUDY}-1")
    assert {(each["s"], each["rev"]) for each in suite.items("instances").values()} == {("reading", 1)}


def test_a_second_fault_before_the_start_is_made_good_by_what_comes_later(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claimed but not started: the message of a later arrival starts the claim, and begins its own."""
    message = arrived(suite, 1)
    quiet(monkeypatch)
    suite.wire.down("StartExecution")
    assert suite.begin(message)["batchItemFailures"]
    suite.wire.repair()
    suite.begin(arrived(suite, 2))
    assert {name: each["instances"] for name, each in suite.executions().items()} == {
        f"{STUDY}-1": [ONE],
        f"{STUDY}-2": [TWO],
    }


def test_a_message_that_is_none_does_not_hold_the_others(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    message = arrived(suite, 1)
    quiet(monkeypatch)
    assert suite.begin({"t": 1}, message) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert len(suite.executions()) == 1
