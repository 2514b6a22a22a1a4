"""Firehose batch of new posts through `classify`, AWS stubbed -> CPU and AWS calls a post, ours and the naive way."""

from typing import Any

from benchmarks.aws import CannedAws, stubbed
from benchmarks.environment import Context
from benchmarks.measure import Contestant, interleaved
from benchmarks.sentiment.workload import BATCH, event

NAIVE, OURS = "naive", "classify"


def measure(rounds: int) -> dict[str, Any]:
    """CPU nanoseconds a batch, and calls by operation."""
    given = event()
    aws = CannedAws({"posts": ("post", {})})
    with stubbed(aws):
        from benchmarks.sentiment import naive  # noqa: PLC0415 - both read the environment when imported
        from functions.sentiment.classify.handler import handler  # noqa: PLC0415

        contestants = [
            Contestant(name, lambda run=run: _answered(run(given, Context())))  # type: ignore[misc]
            for name, run in ((NAIVE, naive.handler), (OURS, handler))
        ]
        calls = {}
        for contestant in contestants:
            before = aws.calls.copy()
            contestant.run()
            calls[contestant.name] = aws.calls - before
        spent = interleaved(contestants, rounds, lambda: aws.spent_ns)
    return {"records": BATCH, "ns": spent, "calls": calls}


def _answered(answer: dict[str, Any]) -> None:
    results = {each["result"] for each in answer["records"]}
    if results != {"Ok"}:
        raise RuntimeError(f"the handler answered {results}")
