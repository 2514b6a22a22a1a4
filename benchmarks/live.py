"""Running local platform -> events a second from the stream to their effect, and the latency of single ones.

Transactions here; interactions, lists and posts in the `live` modules of the other pipelines. A platform of its own on
a free port, in .build/benchmarks, beside one that may run; deployed by the CDK CLI, ended afterwards.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.imaging import live as imaging
from benchmarks.measure import A_SECOND, paced, quantiles
from benchmarks.recommendations import live as recommendations
from benchmarks.sentiment import live as sentiment
from benchmarks.workload import Workload
from local.demo.decisions import Decisions
from local.platform.client import Connection, connect
from local.platform.deployment import deploy
from local.platform.errors import PlatformError
from local.platform.process import forget, start, stop
from local.replay.stream import put

WARM, SUSTAINED, SINGLE = 300, 3000, 200
PATIENCE_S = 180
POLL_S = 0.1

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Target:
    """The deployed pipeline."""

    connection: Connection
    stream: str
    table: str


def measure(workload: Workload, state: Path, tell: Tell) -> dict[str, Any]:
    """Figures, or {"skipped": why} when no platform can be started or deployed to here."""
    try:
        with _platform(state, tell) as connection:
            measured = _transactions_through(connection, workload, tell)
            measured["recommendations"] = recommendations.measure(connection, tell)
            measured["sentiment"] = sentiment.measure(connection, tell)
            return {**measured, "imaging": imaging.measure(connection, state, tell)}
    except (PlatformError, TimeoutError) as error:
        advice = getattr(error, "advice", "")
        return {"skipped": f"{error} {advice}".strip()}


def _transactions_through(connection: Connection, workload: Workload, tell: Tell) -> dict[str, Any]:
    outputs = connection.outputs()
    target = Target(connection, outputs["StreamName"], outputs["DecisionsTable"])
    fresh = _transactions(workload)
    tell("warming")
    _send(target, _records(itertools.islice(fresh, WARM)))
    tell("sustained")
    sustained = _sustained(target, list(itertools.islice(fresh, SUSTAINED)))
    tell("single events")
    return {"sustained": sustained, "single": _single(target, list(itertools.islice(fresh, SINGLE)))}


@contextmanager
def _platform(state: Path, tell: Tell) -> Iterator[Connection]:
    forget(state)  # what an earlier run left is decided already
    platform = start(state, 0)
    try:
        deploy(platform, lambda doing, _share: tell(doing))
        yield connect("local", state)
    finally:
        stop(state)


def _transactions(workload: Workload) -> Iterator[dict[str, Any]]:
    """The batch's transactions again and again, each time with new ids and other amounts, spread over 5,000 cards."""
    for number in itertools.count():
        one = workload.transactions[number % workload.records]
        card, terminal = f"c{number * 7919 % 5000}", f"t{number * 104729 % 5000}"
        amount = 100 + number * 37 % 9000
        yield {**one, "transaction_id": f"b-{number}", "card_id": card, "terminal_id": terminal, "amount": amount}


def _records(transactions: Iterable[dict[str, Any]]) -> list[tuple[str, bytes]]:
    """Dated now."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return [(one["card_id"], json.dumps({**one, "time": now}).encode()) for one in transactions]


def _send(target: Target, records: list[tuple[str, bytes]]) -> None:
    """Put the records and wait for their decision items. Raises TimeoutError."""
    decisions = Decisions(target.connection.client("dynamodb"), target.table)
    decisions.expect(json.loads(data)["transaction_id"] for _, data in records)
    put(target.connection.client("kinesis"), target.stream, records)
    _await(decisions)


def _await(decisions: Decisions) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while decisions.pending:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(decisions.pending)} transactions without a decision after {PATIENCE_S} s.")
        if not decisions.poll():
            time.sleep(POLL_S)


def _sustained(target: Target, transactions: list[dict[str, Any]]) -> dict[str, float]:
    """All at once: transactions a second until the last decision, and until the last decision item with its effects."""
    begin, start_at = time.time(), time.perf_counter()
    _send(target, _records(transactions))
    acted = time.perf_counter() - start_at
    decided = (
        max(moment for moment, _ in _items(target, {one["transaction_id"] for one in transactions}).values()) - begin
    )
    return {
        "transactions": len(transactions),
        "decided_a_second": len(transactions) / decided,
        "acted_a_second": len(transactions) / acted,
    }


def _single(target: Target, transactions: list[dict[str, Any]]) -> dict[str, float]:
    """One by one at a steady pace: milliseconds from the event's own time to the time of its decision."""
    kinesis = target.connection.client("kinesis")
    decisions = Decisions(target.connection.client("dynamodb"), target.table)
    sent = {}
    for one in paced(transactions):
        decisions.expect([one["transaction_id"]])
        sent[one["transaction_id"]] = time.time()
        put(kinesis, target.stream, _records([one]))
    _await(decisions)
    took = [1000 * (moment - sent[key]) for key, (moment, _) in _items(target, set(sent)).items()]
    return {"transactions": len(took), "a_second": A_SECOND, **quantiles(took)}


def _items(target: Target, wanted: set[str]) -> dict[str, tuple[float, float]]:
    """(unix seconds of the decision, its latency_ms) by transaction id."""
    pages = (
        target.connection.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=target.table, ProjectionExpression="transaction_id, decided_at, latency_ms")
    )
    return {
        item["transaction_id"]["S"]: (
            datetime.fromisoformat(item["decided_at"]["S"]).timestamp(),
            float(item["latency_ms"]["N"]),
        )
        for page in pages
        for item in page["Items"]
        if item["transaction_id"]["S"] in wanted
    }
