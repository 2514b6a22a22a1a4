"""A pipeline's folder of the lake, in S3 or on disk, and days -> the files that arrived on them, unpacked."""

import gzip
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

File = tuple[str, bytes]

PARALLEL = 16
MAX_UNREADABLE = 0.01
_GZIP = b"\x1f\x8b"


def files(where: str, kind: str, first: date, last: date) -> Iterator[File]:
    """(name, content) of where/kind/dt=YYYY-MM-DD/ for the days first..last; where: s3://bucket/prefix or a directory.

    Gzipped content comes unpacked. Raises FileNotFoundError for a directory that is not there.
    """
    days = [first + timedelta(days=day) for day in range((last - first).days + 1)]
    for name, content in (_s3 if where.startswith("s3://") else _local)(where, kind, days):
        # Firehose names a file .gz or not as it likes; its first bytes tell.
        yield name, gzip.decompress(content) if content.startswith(_GZIP) else content


def parts(where: str, kind: str, split_by: str) -> list[str]:
    """Kinds below where/kind/<split_by>=.../, in order, as `files` takes them: a folder that is split above its days.

    Raises FileNotFoundError for a directory that is not there.
    """
    if not where.startswith("s3://"):
        if not Path(where).is_dir():
            raise FileNotFoundError(f"there is no directory {where}")
        return sorted(f"{kind}/{found.name}" for found in (Path(where) / kind).glob(f"{split_by}=*"))
    import boto3  # noqa: PLC0415 - a directory needs no AWS

    place = urlsplit(where)
    client: Any = boto3.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=place.netloc, Prefix=f"{place.path.strip('/')}/{kind}/{split_by}=", Delimiter="/"
    )
    found = [each["Prefix"].rstrip("/").rpartition("/")[2] for page in pages for each in page.get("CommonPrefixes", ())]
    return sorted(f"{kind}/{name}" for name in found)


def unreadable(count: int, of: int) -> None:
    """Raises ValueError when more than one line of a hundred cannot be read."""
    if count > MAX_UNREADABLE * of:
        raise ValueError(f"{count} of {of} lines cannot be read (see the log): what wrote them?")


def memory() -> int:
    """Bytes that this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def moment(text: str) -> datetime:
    """RFC 3339, UTC where it has no zone; empty or "now": now."""
    if not text or text == "now":
        return datetime.now(UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def text(when: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


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
