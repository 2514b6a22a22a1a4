"""Days of the lake, in S3 or in a directory -> decisions and labels, each once, and how many could not be read."""

import gzip
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from cuatro.errors import Rejected
from functions.fraud import lake
from functions.fraud.features import FEATURE_SET, FEATURES

log = logging.getLogger(__name__)

T = TypeVar("T", lake.DecisionRecorded, lake.LabelRecorded)
File = tuple[str, bytes]

PARALLEL = 16
BYTES_A_DECISION = 3_000
"""As an object and as a row of the training set."""
MAX_UNREADABLE = 0.01
_GZIP = b"\x1f\x8b"


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
    most = _memory() // BYTES_A_DECISION
    source = _s3 if where.startswith("s3://") else _local
    days = [first + timedelta(days=day) for day in range((last - first).days + 1)]
    left_out = {"unreadable": 0, "duplicates": 0, "other_features": 0}
    decisions: dict[str, lake.DecisionRecorded] = {}
    for each in _lines(source(where, "decisions", days), lake.decode_decision, left_out):
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
    for label in _lines(source(where, "labels", days), lake.decode_label, left_out):
        labels.setdefault(label.transaction_id, []).append(label)
    for several in labels.values():
        several.sort(key=lambda label: label.time)
    return Recorded(kept, labels, left_out)


def _memory() -> int:
    """Bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _comparable(decision: lake.DecisionRecorded) -> bool:
    return decision.feature_set == FEATURE_SET and len(decision.features) == 4 * len(FEATURES)


def _lines(files: Iterable[File], decode: Callable[[bytes], T], left_out: dict[str, int]) -> Iterator[T]:
    read, unreadable = 0, 0
    for name, content in files:
        # Firehose names a file .gz or not as it likes; its first bytes tell.
        plain = gzip.decompress(content) if content.startswith(_GZIP) else content
        for number, line in enumerate(plain.split(b"\n"), 1):
            if not line.strip():
                continue
            read += 1
            try:
                yield decode(line)
            except Rejected as rejected:
                unreadable += 1
                log.warning("%s, line %d: %s", name, number, rejected.reason)
    left_out["unreadable"] += unreadable
    if unreadable > MAX_UNREADABLE * read:
        raise ValueError(f"{unreadable} of {read} lines cannot be read (see the log): what wrote them?")


def _local(where: str, kind: str, days: Iterable[date]) -> Iterator[File]:
    if not Path(where).is_dir():
        raise FileNotFoundError(f"there is no directory {where}")
    for day in days:
        for path in sorted((Path(where) / kind / f"dt={day}").rglob("*")):
            if path.is_file():
                yield str(path), path.read_bytes()


def _s3(where: str, kind: str, days: Iterable[date]) -> Iterator[File]:
    import boto3  # noqa: PLC0415 - a directory needs no AWS

    parts = urlsplit(where)
    bucket, prefix = parts.netloc, parts.path.strip("/")
    client: Any = boto3.client("s3")

    def keys(day: date) -> list[str]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/{kind}/dt={day}/")
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    def content(key: str) -> File:
        return f"s3://{bucket}/{key}", client.get_object(Bucket=bucket, Key=key)["Body"].read()

    with ThreadPoolExecutor(PARALLEL) as threads:
        for found in threads.map(keys, days):
            yield from threads.map(content, found)
