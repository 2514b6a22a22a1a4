"""Objects of the lake's latest days -> lines of JSON, or columns of Parquet; several are fetched at once."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, TypeVar

import msgspec
from pyarrow import ArrowException, parquet

T = TypeVar("T")

_PARALLEL = 8
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"


@dataclass
class Lake:
    """damaged: objects or lines that could not be read so far."""

    s3: Any
    bucket: str
    damaged: int = 0

    def lines(self, kind: str, since: datetime, decode: Callable[[bytes], T]) -> Iterator[T]:
        """Of recommendations/<kind>/ since the day of `since`; what decode refuses is counted."""
        for body in self._bodies(kind, since):
            yield from self._decoded(_unpacked(body), decode)

    def rows(self, kind: str, since: datetime, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The same for Parquet, or JSON lines where the delivery writes these; a missing column is None."""
        for body in self._bodies(kind, since):
            if not body.startswith(_PARQUET):
                for line in self._decoded(_unpacked(body), msgspec.json.decode):
                    yield {name: line.get(name) for name in columns}
                continue
            try:
                file = parquet.ParquetFile(BytesIO(body))
                there = [name for name in columns if name in file.schema_arrow.names]
                for batch in file.iter_batches(columns=there):
                    yield from ({**dict.fromkeys(columns), **row} for row in batch.to_pylist())
            except (ArrowException, OSError):
                self.damaged += 1

    def _bodies(self, kind: str, since: datetime) -> Iterator[bytes]:
        keys = [key for key in self._keys(f"recommendations/{kind}/") if _day(key) >= f"{since:%Y-%m-%d}"]
        with ThreadPoolExecutor(_PARALLEL) as threads:
            for start in range(0, len(keys), 4 * _PARALLEL):  # so many bodies are in memory at once
                yield from threads.map(self._body, keys[start : start + 4 * _PARALLEL])

    def _keys(self, prefix: str) -> Iterator[str]:
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            yield from (each["Key"] for each in page.get("Contents", []) if each["Size"])

    def _body(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def _decoded(self, body: bytes, decode: Callable[[bytes], T]) -> Iterator[T]:
        for line in body.splitlines():
            try:
                yield decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                self.damaged += 1


def days_ago(days: float) -> datetime:
    """The moment so many days ago."""
    return datetime.now(UTC) - timedelta(days=days)


def _day(key: str) -> str:
    """`2026-11-23` of .../dt=2026-11-23/...; a key without a day is of every day."""
    _, found, rest = key.partition("dt=")
    return rest[:10] if found else "9999"


def _unpacked(body: bytes) -> bytes:
    """Firehose gzips each delivery; what it took from a former one may come before it as a stream of its own."""
    plain = b""
    while body.startswith(_GZIP):
        stream = zlib.decompressobj(31)
        try:
            plain += stream.decompress(body)
        except zlib.error:
            return plain  # the lines before the damage; the last of them is counted as damaged when it is cut
        body = stream.unused_data
    return plain + body
