"""Columns of a result -> the types and the text that Athena answers with, and the file of them."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

_TYPES = {
    "HUGEINT": "bigint", "UBIGINT": "bigint", "UINTEGER": "bigint", "UHUGEINT": "bigint", "BLOB": "varbinary",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone", "STRUCT": "row", "TIMESTAMP_NS": "timestamp",
    "\"NULL\"": "varchar", "NULL": "varchar",
}  # fmt: skip

Row = list[str | None]


def type_name(name: str) -> str:
    """Athena's name of DuckDB's type: `DECIMAL(4,2)` -> `decimal`, `VARCHAR[]` -> `array`."""
    if name.endswith("]"):
        return "array"
    plain = name.partition("(")[0].strip()
    return _TYPES.get(plain, plain.lower())


def rows(table: pa.Table) -> list[Row]:
    """Every value as text; None is NULL."""
    columns = [[text(column.type, value) for value in _values(column)] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):  # nanoseconds are none of Python's
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    found: list[Any] = column.to_pylist()
    return found


def text(kind: pa.DataType, value: Any) -> str | None:
    """A value as Athena writes it."""
    if value is None:
        return None
    if pa.types.is_map(kind):
        pairs = (f"{_inner(kind.key_type, key)}={_inner(kind.item_type, each)}" for key, each in value)
        return "{{{}}}".format(", ".join(pairs))
    if pa.types.is_struct(kind):
        pairs = (f"{field.name}={_inner(field.type, value[field.name])}" for field in kind)
        return "{{{}}}".format(", ".join(pairs))
    if pa.types.is_list(kind):
        return "[{}]".format(", ".join(_inner(kind.value_type, each) for each in value))
    return next((write(value) for held, write in _WRITERS if isinstance(value, held)), None) or str(value)


def _inner(kind: pa.DataType, value: Any) -> str:
    found = text(kind, value)
    return "null" if found is None else found


def _moment(value: datetime) -> str:
    zone = " UTC" if value.tzinfo else ""
    return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}{zone}"


def _real(value: float) -> str:
    """As Java writes doubles."""
    if not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, *rest = (str(digit) for digit in digits)
    return f"{'-' if sign else ''}{first}.{''.join(rest) or '0'}E{len(digits) + int(exponent) - 1}"


_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    (float, _real),
    (datetime, _moment),
    (bytes, lambda value: value.hex(" ")),
)


def as_csv(columns: Sequence[str], found: Iterable[Row]) -> bytes:
    """The file of a result: every value in quotes, NULL as nothing."""
    lines = (",".join("" if each is None else _in_quotes(each) for each in row) for row in (columns, *found))
    return "".join(f"{line}\n" for line in lines).encode()


def _in_quotes(value: str) -> str:
    return '"{}"'.format(value.replace('"', '""'))
