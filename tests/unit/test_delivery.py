"""Batches of a stream that fail in part, for ever or once: every record ends processed or discarded, in order."""

from collections.abc import Sequence

import pytest

from local.delivery import EXHAUSTED, TOO_OLD, Port, Record, Rules, deliver, failure_record, first_failure


class Shard:
    """A shard of numbered records and a function that fails on the ones in `poison`, `failures` times each."""

    def __init__(self, size: int, poison: dict[int, int], partial: bool = False, ages: dict[int, float] | None = None):
        self.records: list[Record] = [{"n": n} for n in range(size)]
        self.poison = dict(poison)
        self.partial = partial
        self.ages = ages or {}
        self.processed: list[int] = []
        self.discarded: list[tuple[list[int], str, int]] = []
        self.checkpoints: list[int] = []
        self.invocations: list[list[int]] = []

    def invoke(self, records: Sequence[Record]) -> int:
        numbers = [record["n"] for record in records]
        self.invocations.append(numbers)
        for index, number in enumerate(numbers):
            if self.poison.get(number):
                self.poison[number] -= 1
                done = index if self.partial else 0
                self.processed += numbers[:done]
                return done
        self.processed += numbers
        return len(numbers)

    def run(self, rules: Rules) -> None:
        deliver(
            self.records,
            rules,
            Port(
                invoke=self.invoke,
                checkpoint=lambda record: self.checkpoints.append(record["n"]),
                discard=lambda records, why, times: self.discarded.append(([r["n"] for r in records], why, times)),
                age_s=lambda record: self.ages.get(record["n"], 0),
                wait=lambda attempt: None,
            ),
        )


ALWAYS = 1_000


def test_a_batch_that_succeeds_is_invoked_once() -> None:
    shard = Shard(5, {})
    shard.run(Rules())
    assert shard.invocations == [[0, 1, 2, 3, 4]]
    assert shard.checkpoints == [4]


def test_a_passing_failure_is_tried_again_from_the_start() -> None:
    shard = Shard(3, {1: 2})
    shard.run(Rules(retries=5))
    assert shard.invocations == [[0, 1, 2]] * 3
    assert shard.discarded == []


def test_partial_failure_resumes_at_the_lowest_failed_record() -> None:
    shard = Shard(5, {3: 1}, partial=True)
    shard.run(Rules(retries=5, partial=True))
    assert shard.invocations == [[0, 1, 2, 3, 4], [3, 4]]
    assert shard.processed == [0, 1, 2, 3, 4]
    assert shard.checkpoints == [2, 4]


@pytest.mark.parametrize("partial", [False, True])
def test_bisection_leaves_only_the_poison_record_out(partial: bool) -> None:
    shard = Shard(100, {37: ALWAYS}, partial=partial)
    shard.run(Rules(retries=2, bisect=True, partial=partial))
    assert shard.processed == [n for n in range(100) if n != 37]
    assert shard.discarded == [([37], EXHAUSTED, 3)]
    assert shard.checkpoints == sorted(shard.checkpoints)
    assert shard.checkpoints[-1] == 99


def test_without_bisection_the_whole_batch_is_discarded() -> None:
    shard = Shard(4, {2: ALWAYS})
    shard.run(Rules(retries=1))
    assert shard.discarded == [([0, 1, 2, 3], EXHAUSTED, 2)]
    assert shard.checkpoints == [3]


def test_records_past_the_age_limit_are_discarded_and_the_rest_retried() -> None:
    shard = Shard(4, {2: 1}, ages={0: 90, 1: 70})
    shard.run(Rules(max_age_s=60))
    assert shard.discarded == [([0, 1], TOO_OLD, 1)]
    assert shard.processed == [2, 3]


def test_throttling_uses_up_no_retry() -> None:
    shard = Shard(2, {})
    answers = iter([None, None, None, 2])
    shard.invoke = lambda records: next(answers)  # type: ignore[method-assign, assignment, return-value]
    shard.run(Rules(retries=0))
    assert shard.discarded == []
    assert shard.checkpoints == [1]


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        (None, 3),
        ({}, 3),
        ({"batchItemFailures": []}, 3),
        ({"batchItemFailures": [{"itemIdentifier": "c"}, {"itemIdentifier": "b"}]}, 1),
        ({"batchItemFailures": [{"itemIdentifier": "unknown"}]}, 0),
        ({"batchItemFailures": [{}]}, 0),
    ],
)
def test_partial_responses_are_read_as_lambda_reads_them(answer: object, done: int) -> None:
    records = [{"s": "a"}, {"s": "b"}, {"s": "c"}]
    assert first_failure(records, answer, lambda record: record["s"]) == done


def test_rules_come_from_a_mapping_of_the_api_or_of_cloudformation() -> None:
    mapping = {
        "MaximumRetryAttempts": "3",
        "MaximumRecordAgeInSeconds": 60,
        "BisectBatchOnFunctionError": "true",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    assert Rules.of(mapping) == Rules(retries=3, max_age_s=60, bisect=True, partial=True)
    assert Rules.of({}) == Rules()


def test_failure_record_names_the_function_and_why() -> None:
    record = failure_record("arn:aws:lambda:eu-west-1:000000000000:function:score", EXHAUSTED, 3)
    assert record["requestContext"]["condition"] == EXHAUSTED
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["timestamp"].endswith("Z")
