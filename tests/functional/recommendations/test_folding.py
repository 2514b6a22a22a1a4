"""Folding into rows: parts are known again for a while, among other writers, and the memory of them is bounded."""

from collections.abc import Iterator, Sequence

import pytest

from cuatro.adapters.dynamodb import Dynamo, dynamo
from cuatro.folding import MARKS, REMEMBER_S, ROUNDS, Folded, Plan, fold, mark_of
from tests.functional.recommendations.suite import Suite

NOW_S = 1_795_000_000


def added(p: bytes | None, parts: Sequence[int]) -> bytes:
    """A row that is a sum."""
    return str(int(p or b"0") + sum(parts)).encode()


@pytest.fixture
def store(suite: Suite) -> Iterator[Dynamo]:
    return dynamo()


def put(store: Dynamo, parts: dict[bytes, int], now_s: int = NOW_S, key: str = "s") -> Folded:
    return fold({key: parts}, Plan("shelves", "shelf", added, lambda _row: now_s + 3600, now_s), store)


def total(suite: Suite, key: str = "s") -> int:
    return int(suite.items("shelves")[key]["p"])


def test_a_part_is_known_again_for_a_quarter_of_an_hour(suite: Suite, store: Dynamo) -> None:
    part = {mark_of("u-1", 1): 5}
    assert put(store, part).written == 1
    assert put(store, part, NOW_S + REMEMBER_S).written == 0
    assert put(store, {mark_of("u-2", 1): 2}, NOW_S + REMEMBER_S + 1).written == 1  # forgets what is older
    assert put(store, part, NOW_S + REMEMBER_S + 1).written == 1
    assert total(suite) == 12
    assert suite.items("shelves")["s"]["x"] == NOW_S + REMEMBER_S + 1 + 3600


def test_known_and_new_parts_of_one_delivery_are_told_apart(suite: Suite, store: Dynamo) -> None:
    put(store, {mark_of("u-1", 1): 5})
    put(store, {mark_of("u-1", 1): 5, mark_of("u-1", 2): 3})
    assert total(suite) == 8


def test_the_memory_is_bounded_and_the_newest_stay(suite: Suite, store: Dynamo) -> None:
    batches = [{mark_of(batch, number): 1 for number in range(100)} for batch in range(15)]
    for second, batch in enumerate(batches):
        put(store, batch, NOW_S + second)
    item = suite.items("shelves")["s"]
    assert len(item["m"]) <= 8 * MARKS + 200
    for batch in batches[-(MARKS // 100) :]:
        assert put(store, batch, NOW_S + 20).written == 0
    assert total(suite) == 1500


def test_a_delivery_of_more_parts_than_are_remembered_is_known_again_whole(suite: Suite, store: Dynamo) -> None:
    many = {mark_of("u", number): 1 for number in range(MARKS + 500)}
    put(store, many)
    assert put(store, many).written == 0
    assert total(suite) == MARKS + 500


def test_somebody_who_writes_in_between_is_not_overwritten(suite: Suite, store: Dynamo) -> None:
    put(store, {mark_of(1): 1})

    def other() -> None:
        with suite.wire.undisturbed():
            put(store, {mark_of(2): 10})

    suite.wire.first("BatchExecuteStatement", other)
    assert put(store, {mark_of(3): 100}).failed == {}
    assert total(suite) == 111


def test_a_row_that_somebody_always_writes_first_is_given_back(
    suite: Suite, store: Dynamo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cuatro.folding.backoff", lambda attempt: None)
    numbers = iter(range(1000))

    def other() -> None:
        with suite.wire.undisturbed():
            put(store, {mark_of("other", next(numbers)): 1})

    suite.wire.first("BatchExecuteStatement", other, times=ROUNDS)
    assert put(store, {mark_of("mine"): 100}).failed == {"s": "too many concurrent writers"}
    assert total(suite) == ROUNDS


def test_a_row_that_cannot_be_read_fails_alone(suite: Suite, store: Dynamo) -> None:
    def one_unread(answer: dict[str, dict[str, object]]) -> dict[str, object]:
        return {**answer, "UnprocessedKeys": {"shelves": {"Keys": [{"shelf": {"S": "a"}}]}}}

    suite.wire.edit("BatchGetItem", one_unread, times=4)  # type: ignore[arg-type]
    plan = Plan("shelves", "shelf", added, lambda _row: NOW_S + 3600, NOW_S)
    folded = fold({"a": {mark_of(1): 1}, "b": {mark_of(1): 2}}, plan, store)
    assert (folded.written, list(folded.failed)) == (1, ["a"])
    assert total(suite, "b") == 2


def test_nothing_to_write_asks_nobody(suite: Suite, store: Dynamo) -> None:
    suite.wire.calls.clear()
    assert put(store, {}) == Folded()
    assert not suite.wire.calls


def test_marks_tell_deliveries_apart() -> None:
    assert mark_of("ab", "c") != mark_of("a", "bc")
    assert mark_of("u", 1) != mark_of("u", 11)
    assert mark_of("u", 1, b"x") == mark_of("u", "1", b"x")
