"""What AWS does to `classify`, and what is left behind: every good post once, whatever Firehose repeats."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies

from cuatro.adapters import backends
from cuatro.errors import Refused, Unavailable
from tests.functional.aws_in_memory import wired
from tests.functional.sentiment.suite import Suite, post, results, scored_of

READ, WRITE, RAW = "BatchGetItem", "BatchExecuteStatement", "PutRecordBatch"
Metrics = Callable[[], Counter[str]]


def firehose(suite: Suite, records: list[dict[str, Any]], attempts: int = 20) -> list[dict[str, Any]]:
    """Tries until it has an answer."""
    for _ in range(attempts):
        try:
            return suite.transform(records)
        except Unavailable:
            continue
    raise AssertionError("it never ended")


@pytest.mark.parametrize("operation", [READ, WRITE, RAW])
def test_a_service_that_is_away_for_a_moment_is_asked_again(suite: Suite, operation: str) -> None:
    suite.wire.refuse(operation, "ThrottlingException", times=2)
    assert results(suite.classify(post(1))) == ["Ok"]
    assert len(suite.rows()) == len(suite.raw()) == 1


@pytest.mark.parametrize("operation", [READ, WRITE, RAW])
def test_while_a_service_is_down_firehose_waits(suite: Suite, metrics: Metrics, operation: str) -> None:
    records = suite.records_of(post(1), post(2, "awful, all of it, and I will not come back"))
    suite.wire.down(operation)
    with pytest.raises(Unavailable):
        suite.transform(records)
    suite.wire.repair()
    assert results(suite.transform(records)) == ["Ok", "Ok"]
    assert len(suite.rows()) == 2
    assert metrics()["PostsClassified"] == 2, "once each"
    assert {each["id"] for each in suite.raw()} == {"p-1", "p-2"}


def test_a_crash_between_the_row_and_the_answer_loses_nothing(suite: Suite) -> None:
    records = suite.records_of(post(1))

    def crash() -> None:
        raise KeyboardInterrupt

    suite.wire.first(RAW, crash)
    with pytest.raises(KeyboardInterrupt):
        suite.transform(records)
    assert list(suite.rows()) == ["northwind#web#p-1"]
    assert results(suite.transform(records)) == ["Ok"]
    assert len(suite.raw()) == 1


def test_when_the_answer_of_a_write_is_lost_it_is_no_conflict(suite: Suite, metrics: Metrics) -> None:
    suite.wire.lose_answer(WRITE, times=2)
    (line,) = scored_of(suite.classify(post(1)))
    assert not line["repost"], "the words are its own"
    assert len(suite.rows()) == 1
    assert metrics()["Duplicates"] == 0


@pytest.mark.parametrize("times", [2, 6])
def test_a_row_that_stays_throttled_waits_and_the_others_are_done(suite: Suite, times: int) -> None:
    records = suite.records_of(*[post(number, f"{number} awful things about it, to be read") for number in range(3)])
    suite.wire.throttle("northwind#web#p-1", times=times)
    if times == 6:
        with pytest.raises(Unavailable, match="Throttling"):
            suite.transform(records)
        assert sorted(suite.rows()) == ["northwind#web#p-0", "northwind#web#p-2"]
    assert results(suite.transform(records)) == ["Ok"] * 3
    assert len(suite.rows()) == 3


def test_words_that_stay_throttled_are_no_row_without_them(suite: Suite) -> None:
    records = suite.records_of(post(1))
    suite.transform(suite.records_of(post(1)))
    (words,) = [key for key in suite.items("posts") if key.startswith("text#")]
    records = suite.records_of(post(2, brand="southwind"))
    suite.wire.throttle(words.replace("northwind", "southwind"), times=4)
    with pytest.raises(Unavailable):
        suite.transform(records)
    assert "southwind#web#p-2" not in suite.rows()
    assert results(firehose(suite, records)) == ["Ok"]


def test_rows_that_cannot_be_read_wait(suite: Suite) -> None:
    def unprocessed(answer: dict[str, Any]) -> dict[str, Any]:
        keys = [{"post": {"S": "northwind#web#p-1"}}]
        return {**answer, "UnprocessedKeys": {"posts": {"ConsistentRead": True, "Keys": keys}}}

    records = suite.records_of(post(1))
    suite.wire.edit(READ, unprocessed, times=4)
    with pytest.raises(Unavailable):
        suite.transform(records)
    assert results(suite.transform(records)) == ["Ok"]


def test_what_the_raw_lake_takes_half_of_is_sent_again(suite: Suite) -> None:
    def second_failed(answer: dict[str, Any]) -> dict[str, Any]:
        if len(answer["RequestResponses"]) > 1:
            answer["RequestResponses"][1] = {"ErrorCode": "ServiceUnavailableException"}
        return answer

    suite.wire.edit(RAW, second_failed)
    assert results(suite.classify(post(1), post(2, "awful, all of it, and I will not come back"))) == ["Ok", "Ok"]
    assert {each["id"] for each in suite.raw()} == {"p-1", "p-2"}


def test_two_of_firehoses_calls_at_once_make_one_row(suite: Suite) -> None:
    other: list[str] = []
    suite.wire.first(WRITE, lambda: other.extend(results(suite.classify(post(1)))))
    mine = results(suite.classify(post(1)))
    assert sorted([*mine, *other]) == ["Dropped", "Ok"]
    assert len(suite.rows()) == 1


def test_a_model_that_is_away_leaves_nothing_behind(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_backend: object, _texts: object) -> None:
        raise Unavailable("the endpoint does not answer")

    records = suite.records_of(post(1))
    monkeypatch.setattr(backends.OnnxBackend, "classify", away)
    with pytest.raises(Unavailable):
        suite.transform(records)
    assert suite.items("posts") == {}
    monkeypatch.undo()


def test_a_missing_grant_is_an_error_of_the_function(suite: Suite) -> None:
    suite.wire.refuse(READ, "AccessDeniedException")
    with pytest.raises(Refused, match="AccessDenied"):
        suite.classify(post(1))


def test_rejected_records_that_cannot_be_kept_stop_the_batch(suite: Suite) -> None:
    records = suite.records_of(post(1), b"no post")
    suite.wire.down("PutObject")
    with pytest.raises(Unavailable):
        suite.transform(records)
    suite.wire.repair()
    assert results(firehose(suite, records)) == ["Ok", "Dropped"]
    assert results(suite.transform(records)) == ["Ok", "Dropped"]
    assert len(suite.rejected()) == 1, "again in the same place"


@pytest.mark.usefixtures("environment")
@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # one example takes too long to be made smaller
    suppress_health_check=list(HealthCheck),
)
@given(seed=strategies.integers(0, 2**32))
def test_whatever_happens_each_post_is_delivered_once(seed: int) -> None:
    """Pages overlap and come in any order; batches are tried again after faults and after answers that got lost."""
    chance = random.Random(seed)
    texts = [f"text number {number % 7} of Northwind Coffee, of some length" for number in range(12)]
    with wired() as wire:
        suite = Suite(wire)
        delivered: list[dict[str, Any]] = []
        for _ in range(4):
            page = chance.choices(range(12), k=chance.randrange(1, 8))
            records = suite.records_of(*[post(number, texts[number]) for number in page])
            for _ in range(chance.randrange(3)):
                suite.wire.lose_answer(chance.choice([READ, WRITE, RAW]), times=chance.randrange(4))
                suite.wire.throttle(f"northwind#web#p-{chance.randrange(12)}", times=chance.randrange(6))
                suite.wire.refuse(chance.choice([WRITE, RAW]), "ThrottlingException", times=chance.randrange(5))
            answer = firehose(suite, records)
            suite.wire.repair()
            if chance.random() < 0.3:  # Firehose never got it
                answer = firehose(suite, chance.sample(records, len(records)))
            delivered += scored_of(answer)
        seen = Counter(each["id"] for each in delivered)
        assert set(seen.values()) == {1}
        rows = suite.rows()
        assert {f"northwind#web#{each}" for each in seen} == set(rows)
        originals = Counter(row.fingerprint for row in rows.values() if not row.repost)
        assert originals == Counter({row.fingerprint: 1 for row in rows.values()}), "one of each text counts"
        assert {each["id"] for each in suite.raw()} == set(seen)
