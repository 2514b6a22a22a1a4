"""Days of the lake, in S3 or in a directory -> decisions and labels, each once, and how many could not be read."""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import NamedTuple, TypeVar

from cuatro.errors import Rejected
from functions.fraud import lake
from functions.fraud.features import FEATURE_SET, FEATURES
from models.container.lake import File, files, memory, unreadable

log = logging.getLogger(__name__)

T = TypeVar("T", lake.DecisionRecorded, lake.LabelRecorded)

BYTES_A_DECISION = 3_000
"""As an object and as a row of the training set."""


class Recorded(NamedTuple):
    """decisions: the first one of each transaction. labels: all, by transaction, in order of time."""

    decisions: list[lake.DecisionRecorded]
    labels: dict[str, list[lake.LabelRecorded]]
    left_out: dict[str, int]


def recorded(where: str, first: date, last: date) -> Recorded:
    """What arrived on the days first..last; where: s3://bucket/prefix or a directory that holds decisions/ and labels/.

    Rows whose features were made by other code cannot be compared with this code's: they are left out. Raises
    ValueError when more than one line of a hundred cannot be read and when there are more decisions than fit into this
    machine's memory, FileNotFoundError for a directory that is not there.
    """
    most = memory() // BYTES_A_DECISION
    left_out = {"unreadable": 0, "duplicates": 0, "other_features": 0}
    decisions: dict[str, lake.DecisionRecorded] = {}
    for each in _lines(files(where, "decisions", first, last), lake.decode_decision, left_out):
        before = decisions.get(each.transaction_id)
        left_out["duplicates"] += before is not None
        if before is None or each.decided_at < before.decided_at:
            decisions[each.transaction_id] = each
        if len(decisions) > most:
            raise ValueError(
                f"more than {most:,} decisions from {first} to {last}, which is what the memory of this machine takes: "
                "fewer days (--train-days), or a larger instance (Retraining.instance_type in cdk/retraining.py)"
            )
    kept = [each for each in decisions.values() if _comparable(each)]
    left_out["other_features"] = len(decisions) - len(kept)
    labels: dict[str, list[lake.LabelRecorded]] = {}
    for label in _lines(files(where, "labels", first, last), lake.decode_label, left_out):
        labels.setdefault(label.transaction_id, []).append(label)
    for several in labels.values():
        several.sort(key=lambda label: label.time)
    return Recorded(kept, labels, left_out)


def _comparable(decision: lake.DecisionRecorded) -> bool:
    return decision.feature_set == FEATURE_SET and len(decision.features) == 4 * len(FEATURES)


def _lines(found: Iterable[File], decode: Callable[[bytes], T], left_out: dict[str, int]) -> Iterator[T]:
    read, wrong = 0, 0
    for name, content in found:
        for number, line in enumerate(content.split(b"\n"), 1):
            if not line.strip():
                continue
            read += 1
            try:
                yield decode(line)
            except Rejected as rejected:
                wrong += 1
                log.warning("%s, line %d: %s", name, number, rejected.reason)
    left_out["unreadable"] += wrong
    unreadable(wrong, read)
