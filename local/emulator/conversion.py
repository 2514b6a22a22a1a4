"""(conversion settings, Glue columns, JSON records) -> one Parquet object, and why the others are not in it.

Record format conversion as Firehose does it. MiniStack converts record by record, each into an object of its own.
"""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from local.emulator.hive import arrow_type, fitted

Description = dict[str, Any]

_PREFIX = "DataFormatConversion."
MALFORMED = (_PREFIX + "MalformedData", "Data does not match the schema.")
EMPTY = (_PREFIX + "MalformedData", "The record was empty or contained only whitespace.")
PRIMITIVE = (
    _PREFIX + "MalformedData",
    "The input JSON contained a primitive at the top level. The top level must be an object or array.",
)
NOT_JSON = (_PREFIX + "ParserError", "Encountered malformed JSON.")
SCHEMA = (_PREFIX + "InvalidSchema", "The schema is invalid.")


@dataclass(frozen=True)
class Failure:
    """A record that is not in the object: its place among the records, an error code of Firehose, what is wrong."""

    index: int
    code: str
    message: str


class UnfitError(Exception):
    """A record is not what the schema asks for. Its arguments are the code and the message."""


def convert(
    settings: Description, columns: Sequence[Description], records: Sequence[bytes]
) -> tuple[bytes | None, list[Failure]]:
    """One Parquet object of all records that fit, None if none does, and the others.

    `settings` is a DataFormatConversionConfiguration, `columns` a Glue table's ([{"Name", "Type"}]). A record holds
    one JSON object or several, one after the other: of one that does not fit, none is taken.
    """
    try:
        schema = pa.schema([(column["Name"], arrow_type(column.get("Type", "string"))) for column in columns])
    except ValueError as error:
        return None, [Failure(at, SCHEMA[0], f"{SCHEMA[1]} {error}") for at in range(len(records))]
    row_of = _rows(settings, schema)
    rows: list[list[Any]] = []
    failures: list[Failure] = []
    for at, data in enumerate(records):
        try:
            rows += [row_of(document) for document in list(_documents(data))]
        except UnfitError as error:
            failures.append(Failure(at, *error.args))
    return (_parquet(settings, schema, rows) if rows else None), failures


def _rows(settings: Description, schema: pa.Schema) -> Callable[[Description], list[Any]]:
    """How a document becomes a row, in the order of the schema."""
    openx = ((settings.get("InputFormatConfiguration") or {}).get("Deserializer") or {}).get("OpenXJsonSerDe") or {}
    any_case = str(openx.get("CaseInsensitive", True)).lower() != "false"
    dots = str(openx.get("ConvertDotsInJsonKeysToUnderscores", False)).lower() == "true"
    keys = openx.get("ColumnToJsonKeyMappings") or {}

    def name(key: str) -> str:
        key = key.replace(".", "_") if dots else key
        return key.lower() if any_case else key

    wanted = [(name(keys.get(field.name, field.name)), field) for field in schema]

    def row(document: Description) -> list[Any]:
        given = {name(key): value for key, value in document.items()}
        try:
            return [fitted(field.type, given.get(key)) for key, field in wanted]
        except (ValueError, ArithmeticError) as error:
            raise UnfitError(MALFORMED[0], f"{MALFORMED[1]} {error}") from None

    return row


def _documents(data: bytes) -> Iterator[Description]:
    """The JSON objects of a record: one, or several in a row."""
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        raise UnfitError(*NOT_JSON) from None
    if not text:
        raise UnfitError(*EMPTY)
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        try:
            document, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise UnfitError(*NOT_JSON) from None
        if not isinstance(document, dict):
            raise UnfitError(*(MALFORMED if isinstance(document, list) else PRIMITIVE))
        yield document
        while text[at : at + 1].isspace():
            at += 1


def _parquet(settings: Description, schema: pa.Schema, rows: Sequence[Sequence[Any]]) -> bytes:
    serializer = ((settings.get("OutputFormatConfiguration") or {}).get("Serializer") or {}).get("ParquetSerDe") or {}
    compression = {"GZIP": "gzip", "UNCOMPRESSED": "none"}.get(serializer.get("Compression", "SNAPPY"), "snappy")
    columns = [pa.array(column, type=field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)]
    written = io.BytesIO()
    # Firehose writes times as Hive does, in 96 bits.
    parquet.write_table(
        pa.Table.from_arrays(columns, schema=schema),
        written,
        compression=compression,
        use_deprecated_int96_timestamps=True,
    )
    return written.getvalue()
