"""A story -> the platform, in order of time: transactions through Kinesis, labels through the API once they are known.

The history goes in chunks as fast as the platform takes it. Before the next chunk, the chunk's decisions are awaited
and the labels known by then are posted, so that terminals are as risky as they would have been. The last transactions
come live, at a human pace: their latencies are those of an event that meets an idle platform, not of a queue.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.demo.decisions import MAX_KEYS, Decision, Decisions
from local.feed.api import Api
from local.feed.batch import batched
from local.feed.transactions import Feed, rfc3339
from local.platform.errors import PlatformError
from local.replay.stream import put

LEARNING_S, LABEL_POLL_S = 10.0, 0.05
CHUNKS, SMALLEST_CHUNK = 8, 50
POLL_S = 0.2  # each look costs the platform some CPU that the functions could use


@dataclass
class Progress:
    """Where the playback is; `decisions` by transaction id, `took` seconds for the history alone."""

    phase: str = "history"
    total: int = 0
    live: int = 0
    sent: int = 0
    labels: int = 0
    unlearned: int = 0
    at: datetime | None = None
    took: float = 0.0
    decisions: dict[str, Decision] = field(default_factory=dict)
    undecided: list[str] = field(default_factory=list)
    live_ids: set[str] = field(default_factory=set)


@dataclass
class Playback:
    """Plays to one deployed fraud stack. `tell` is called whenever something changed."""

    kinesis: Any
    stream: str
    decisions: Decisions
    api: Api
    tell: Callable[[Progress], None]
    patience_s: float = 30.0

    def play(self, feeds: Sequence[Feed], live: int, rate: float) -> Progress:
        """Send all, the last `live` at `rate` a second; returns when all good ones are decided or patience ends."""
        live = min(live, len(feeds) // 4)
        progress = Progress(total=len(feeds), live=live)
        history, rest = feeds[: len(feeds) - live], feeds[len(feeds) - live :]
        labels = sorted((item for item in feeds if item.known_at), key=_known)
        labels.reverse()  # the earliest is popped first
        start = time.perf_counter()
        for chunk in batched(history, max(SMALLEST_CHUNK, -(-len(history) // CHUNKS))):
            self._send(chunk, progress)
            self._await(progress)
            self._label(labels, progress)
        progress.took = time.perf_counter() - start
        progress.phase = "live"
        progress.live_ids = {item.transaction_id for item in rest}
        start = looked = time.perf_counter()
        for number, item in enumerate(rest):
            self._send([item], progress)
            if time.perf_counter() - looked > POLL_S:
                self._collect(progress)
                looked = time.perf_counter()
            time.sleep(max(0, start + (number + 1) / rate - time.perf_counter()))
        self._await(progress)
        self._label(labels, progress)
        progress.phase = "done"
        self.tell(progress)
        return progress

    def _send(self, chunk: Sequence[Feed], progress: Progress) -> None:
        sendable = [item for item in chunk if not item.too_large]
        put(self.kinesis, self.stream, [(item.key, item.payload) for item in sendable])
        self.decisions.expect(item.transaction_id for item in sendable if item.problem is None)
        progress.sent += len(chunk)
        progress.at = next((when for item in reversed(chunk) if (when := item.time)), progress.at)
        self.tell(progress)

    def _collect(self, progress: Progress) -> int:
        found = self.decisions.poll()
        progress.decisions.update((decision.transaction_id, decision) for decision in found)
        if found:
            self.tell(progress)
        return len(found)

    def _await(self, progress: Progress) -> None:
        """Until nothing is pending, or nothing has come for `patience_s`: then what is left counts as undecided.

        Failing functions still decide a little now and then: after four times the patience it is enough, too.
        """
        deadline = time.monotonic() + self.patience_s
        last = deadline + 3 * self.patience_s
        while self.decisions.pending:
            if came := self._collect(progress):
                deadline = min(last, time.monotonic() + self.patience_s)
            if time.monotonic() > deadline:
                if len(self.decisions.pending) > len(progress.decisions):
                    raise PlatformError(
                        f"{len(self.decisions.pending):,} of {progress.sent:,} transactions have no decision.",
                        "Look into the functions: `cuatro logs fraud`, `cuatro status`.",
                    )
                progress.undecided += self.decisions.pending
                self.decisions.pending.clear()
            elif came < MAX_KEYS:
                time.sleep(POLL_S)

    def _label(self, labels: list[Feed], progress: Progress) -> None:
        """Post what became known by the time of the newest transaction sent."""
        due = []
        while labels and progress.at and _known(labels[-1]) <= progress.at:
            item = labels.pop()
            if item.transaction_id in progress.decisions:
                due.append(_label_of(item))
        for batch in batched(due, MAX_KEYS):
            answer = self.api.post("/labels", {"labels": batch})
            if not answer.ok:
                raise PlatformError(
                    f"POST /labels answered {answer.status}: {answer.body}", "See `cuatro logs fraud api`."
                )
            progress.labels += len(batch)
            self.tell(progress)
            self._await_learning([entry["transaction_id"] for entry in batch], progress)

    def _await_learning(self, transaction_ids: list[str], progress: Progress) -> None:
        """Until the terminals know it, so that the same story ends the same. Not learned in time is told at the end."""
        deadline = time.monotonic() + (0 if progress.unlearned else LEARNING_S)
        while left := len(transaction_ids) - self.decisions.labelled(transaction_ids):
            if time.monotonic() > deadline:
                progress.unlearned += left
                break
            time.sleep(LABEL_POLL_S)


def _known(item: Feed) -> datetime:
    assert item.known_at is not None  # noqa: S101 - only labelled ones get here
    return item.known_at


def _label_of(item: Feed) -> dict[str, Any]:
    return {
        "version": 1,
        "transaction_id": item.transaction_id,
        "fraud": bool(item.fraud),
        "time": rfc3339(_known(item)),
        "source": "chargeback" if item.fraud else "analyst",
    }
