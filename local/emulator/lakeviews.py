"""Table of the Glue catalogue, copies of its objects -> a view of DuckDB with the catalogue's columns and partitions.

Whatever the files hold: a column that one lacks is NULL, one that the catalogue does not know is not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from local.emulator.hive import arrow_type
from local.emulator.partitions import Values

Description = dict[str, Any]

_READERS = {"parquet": "read_parquet({}, union_by_name = true", "json": "read_json({}, format = 'newline_delimited'"}


class QueryError(Exception):
    """The query fails; its text is Athena's reason."""


@dataclass(frozen=True)
class Source:
    """A table of the catalogue and the objects of it that there are."""

    columns: Sequence[Description]
    partition_keys: Sequence[Description]
    format: str
    objects: Sequence[tuple[str, Values]]


def view(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    source: Source,
    folder: Path,
    data: Sequence[tuple[str, bytes, Values]],
) -> None:
    """Makes the view `name` over copies of these objects, with the columns and types of the catalogue."""
    reader = _READERS.get(source.format)
    if reader is None:
        raise QueryError(f"NOT_SUPPORTED: tables of {source.format} are not read here, {' and '.join(_READERS)} are")
    columns = {each["Name"].lower(): duckdb_type(each) for each in source.columns}
    keys = {each["Name"].lower(): duckdb_type(each) for each in source.partition_keys}
    empty = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(column)}" for column, kind in columns.items())
    relation = f"SELECT {empty}, NULL::VARCHAR AS filename WHERE false"
    places = []
    folder.mkdir()
    for number, (key, content, values) in enumerate(data):
        path = folder / f"{number}{'.gz' if key.endswith('.gz') else ''}"
        path.write_bytes(content)
        places.append("({})".format(", ".join(literal(each) for each in (str(path), *values))))
    if places:
        files = "[{}]".format(", ".join(literal(str(path)) for path in sorted(folder.iterdir())))
        typed = ", ".join(f"{literal(column)}: {literal(kind)}" for column, kind in columns.items())
        more = f", columns = {{{typed}}}" if source.format == "json" else ""
        settings = f"{more}, hive_partitioning = false, filename = true)"
        relation += f" UNION ALL BY NAME SELECT * FROM {reader.format(files)}{settings}"  # noqa: S608
    else:
        places = ["({})".format(", ".join(["NULL"] * (len(keys) + 1)))]
    chosen = [f"CAST(f.{quoted(column)} AS {kind}) AS {quoted(column)}" for column, kind in columns.items()]
    chosen += [f"CAST(p.{quoted(key)} AS {kind}) AS {quoted(key)}" for key, kind in keys.items()]
    names = ", ".join(map(quoted, ["filename", *keys]))
    connection.execute(
        f"CREATE VIEW {quoted(name)} AS SELECT {', '.join(chosen)} FROM ({relation}) AS f "  # noqa: S608
        f"JOIN (VALUES {', '.join(places)}) AS p({names}) ON f.filename = p.filename"
    )


def duckdb_type(column: Description) -> str:
    """DuckDB's name of the type of a Glue column. Raises QueryError: there is none."""
    try:
        return _named(arrow_type(column.get("Type", "string")))
    except ValueError as error:
        raise QueryError(f"NOT_SUPPORTED: column {column['Name']}: {error}") from None


def _named(kind: pa.DataType) -> str:
    """DuckDB's name of a type."""
    if pa.types.is_map(kind):
        return f"MAP({_named(kind.key_type)}, {_named(kind.item_type)})"
    if pa.types.is_list(kind):
        return f"{_named(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return "STRUCT({})".format(", ".join(f"{quoted(field.name)} {_named(field.type)}" for field in kind))
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    names = {"string": "VARCHAR", "bool": "BOOLEAN", "int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER",
             "int64": "BIGINT", "float": "FLOAT", "double": "DOUBLE", "date32[day]": "DATE"}  # fmt: skip
    return names.get(str(kind), "TIMESTAMP")


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"{}"'.format(name.replace('"', '""'))


def literal(value: str) -> str:
    """A text in SQL."""
    return "'{}'".format(value.replace("'", "''"))
