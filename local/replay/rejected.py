"""Rejected records in S3 -> (the user's edit) -> their stream again; what was sent moves under replayed/.

A function keeps one object a batch, <pipeline>/YYYY/MM/DD/<shard>-<sequence number>.jsonl, one refused record a line.
A record is known by its object and sequence number: sent once, it is no longer in its object, so that a second run
passes over it. Sending comes before moving: a run that is cut off between the two sends again, which the stream's
function takes for the duplicate that it is.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

REPLAYED = "replayed/"
# Whose records stay in order, by pipeline.
KEYED_BY = {"fraud": "card_id", "recommendations": "user_id"}
MAX_PARTITION_KEY = 256


class EditedFileError(ValueError):
    """The file given back by the user cannot be read; the message names the line and what is wrong with it."""


@dataclass(frozen=True)
class Rejection:
    """One record that a function refused. `data` is the record as it came; `line` is its line in the object."""

    object_key: str
    sequence_number: str
    partition_key: str
    code: str
    field: str
    reason: str
    data: bytes


def rejections(s3: Any, bucket: str, pipeline: str, code: str = "", limit: int = 0) -> Iterator[Rejection]:
    """Rejected records not yet replayed, oldest object first; code "" = all, limit 0 = no limit."""
    count = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{pipeline}/"):
        for entry in page.get("Contents", []):
            for found in _lines(s3, bucket, entry["Key"]):
                if code and found.code != code:
                    continue
                yield found
                count += 1
                if count == limit:
                    return


def write(path: Path, found: Iterable[Rejection]) -> int:
    """Write records for editing, one JSON a line; `record` is the part to edit (`data`, base64, where not text)."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for rejection in found:
            row = {
                "reason": rejection.reason,
                "field": rejection.field,
                "code": rejection.code,
                "object": rejection.object_key,
                "sequence_number": rejection.sequence_number,
                **_editable(rejection.data),
            }
            file.write(json.dumps(row) + "\n")
            count += 1
    return count


def read_edited(path: Path) -> list[tuple[str, str, bytes]]:
    """(object, sequence number, record as it shall be sent) of each line of an edited file."""
    edited = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            edited.append((row["object"], row["sequence_number"], _bytes(row)))
        except (ValueError, KeyError, TypeError) as error:
            raise EditedFileError(f"{path}, line {number}: {_told(error)}") from error
    return edited


def with_edits(s3: Any, bucket: str, edited: list[tuple[str, str, bytes]]) -> tuple[list[Rejection], int]:
    """The edited records that are still waiting, and how many are not (sent by an earlier run)."""
    waiting: dict[tuple[str, str], Rejection] = {}
    for key in dict.fromkeys(key for key, _, _ in edited):
        waiting |= {(key, found.sequence_number): found for found in _lines(s3, bucket, key)}
    chosen = [
        replace(found, data=data, partition_key=_partition_key(key, data) or found.partition_key)
        for key, sequence_number, data in edited
        if (found := waiting.get((key, sequence_number)))
    ]
    return chosen, len(edited) - len(chosen)


def settle(s3: Any, bucket: str, sent: Iterable[Rejection]) -> None:
    """Move sent records from their objects to replayed/<object>; an object that is left empty goes."""
    gone: dict[str, set[str]] = {}
    for rejection in sent:
        gone.setdefault(rejection.object_key, set()).add(rejection.sequence_number)
    for key, numbers in gone.items():
        lines = _text(s3, bucket, key).splitlines()
        moved = [line for line in lines if json.loads(line)["sequence_number"] in numbers]
        kept = [line for line in lines if json.loads(line)["sequence_number"] not in numbers]
        before = _text(s3, bucket, REPLAYED + key).splitlines()
        _put(s3, bucket, REPLAYED + key, list(dict.fromkeys(before + moved)))
        if kept:
            _put(s3, bucket, key, kept)
        else:
            s3.delete_object(Bucket=bucket, Key=key)


def _lines(s3: Any, bucket: str, key: str) -> Iterator[Rejection]:
    for line in _text(s3, bucket, key).splitlines():
        row = json.loads(line)
        yield Rejection(
            object_key=key,
            sequence_number=row["sequence_number"],
            partition_key=row["partition_key"],
            code=row["code"],
            field=row.get("field") or "",
            reason=row["reason"],
            data=base64.b64decode(row["data"]),
        )


def _text(s3: Any, bucket: str, key: str) -> str:
    """The object's text; "" if there is none."""
    try:
        text: str = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    except s3.exceptions.NoSuchKey:
        return ""
    return text


def _put(s3: Any, bucket: str, key: str, lines: list[str]) -> None:
    body = "".join(line + "\n" for line in lines).encode()
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/x-ndjson")


def _editable(data: bytes) -> dict[str, Any]:
    """A JSON object as such, other text as text, and what is neither in base64."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"data": base64.b64encode(data).decode()}
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return {"record": text}
    return {"record": record if isinstance(record, dict) else text}


def _bytes(row: dict[str, Any]) -> bytes:
    if "record" not in row:
        return base64.b64decode(row["data"], validate=True)
    record = row["record"]
    return record.encode() if isinstance(record, str) else json.dumps(record, separators=(",", ":")).encode()


def _partition_key(object_key: str, data: bytes) -> str:
    """Of an edited record: what its pipeline keeps in order, as the edit may have changed it."""
    try:
        named = json.loads(data)[KEYED_BY[object_key.partition("/")[0]]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return named[:MAX_PARTITION_KEY] if isinstance(named, str) else ""


def _told(error: Exception) -> str:
    return f"has no {error}" if isinstance(error, KeyError) else f"is not what --out wrote ({error})"
