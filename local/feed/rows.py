"""A file in JSON Lines, CSV (by commas or tabs) or Parquet -> numbered rows; what cannot be read says why."""

import csv
import io
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

Format = Literal["jsonl", "csv", "parquet"]
SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".inter": "csv",
    ".item": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_PARQUET_ROWS = 2000
# The cells of a CSV's first line -> the names of its columns, if that line is no header but a row.
Headless = Callable[[Sequence[str]], Sequence[str] | None]


class UnreadableError(Exception):
    """The whole file cannot be read; the message is for a person."""


@dataclass(frozen=True)
class Row:
    """Line `number` of the file (the header of a CSV is line 1). `fields` is None if the line is not an object."""

    number: int
    raw: bytes
    fields: dict[str, Any] | None
    problem: str | None = None


def rows(path: str, kind: Format | None = None, headless: Headless = lambda _: None) -> Iterator[Row]:
    """Every row of the file; "-" reads standard input (JSON Lines or CSV). Raises UnreadableError."""
    if path == "-":
        yield from _text(sys.stdin.buffer, kind, headless)
        return
    file = Path(path)
    kind = kind or SUFFIXES.get(file.suffix.lower())
    try:
        if kind == "parquet":
            yield from _parquet(file)
            return
        with file.open("rb") as stream:
            yield from _text(stream, kind, headless)
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror or error}") from error


def _text(stream: BinaryIO, kind: Format | None, headless: Headless) -> Iterator[Row]:
    if kind == "parquet":
        raise UnreadableError("Parquet cannot be read from standard input: give the file's name")
    lines = iter(stream)
    first = next(lines, b"")
    everything = itertools.chain([first], lines)
    if kind is None:
        kind = "jsonl" if first.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in b"{[" else "csv"
    if kind == "jsonl":
        yield from _jsonl(everything)
        return
    separator = "\t" if b"\t" in first else ","
    cells = next(csv.reader([first.decode("utf-8-sig", errors="replace")], delimiter=separator), [])
    yield from _csv(everything, separator, headless(cells))


def _jsonl(lines: Iterator[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        raw = line.strip(b"\xef\xbb\xbf \t\r\n")
        if not raw:
            continue
        try:
            fields = json.loads(raw)
        except ValueError as error:
            yield Row(number, raw, None, f"not JSON: {error}")
            continue
        if isinstance(fields, dict):
            yield Row(number, raw, fields)
        else:
            yield Row(number, raw, None, f"a JSON {type(fields).__name__}, not an object")


def _csv(lines: Iterator[bytes], separator: str, names: Sequence[str] | None) -> Iterator[Row]:
    text = (line.decode("utf-8-sig" if not at else "utf-8", errors="replace") for at, line in enumerate(lines))
    reader = csv.DictReader(text, restkey="", delimiter=separator, fieldnames=names)
    if reader.fieldnames:  # RecBole names types too: user_id:token
        reader.fieldnames = [name.partition(":")[0].strip() for name in reader.fieldnames]
    for fields in reader:
        raw = _line(fields)
        short = [name for name, value in fields.items() if value is None]
        problem = None
        if "" in fields:
            problem = f"more values than the header's {len(reader.fieldnames or ())} columns"
        elif short:
            problem = f"no value for {', '.join(short)}"
        kept = {name: value for name, value in fields.items() if name and value not in {None, ""}}
        yield Row(reader.line_num, raw, kept, problem)


def _line(fields: dict[str, Any]) -> bytes:
    """The CSV values as one line again: what is shown and sent of a row that is no transaction."""
    out = io.StringIO()
    csv.writer(out).writerow(fields.values())
    return out.getvalue().strip().encode()


def _parquet(file: Path) -> Iterator[Row]:
    import pyarrow as pa  # noqa: PLC0415 - 0.3 s that the other formats need not wait for
    import pyarrow.parquet as pq  # noqa: PLC0415

    number = 0
    try:
        for batch in pq.ParquetFile(file).iter_batches(_PARQUET_ROWS):
            for fields in batch.to_pylist():
                number += 1
                yield Row(number, b"", {name: value for name, value in fields.items() if value is not None})
    except pa.ArrowInvalid as error:
        raise UnreadableError(f"{file}: not a Parquet file ({error})") from error
