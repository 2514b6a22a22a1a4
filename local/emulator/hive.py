"""Type of a Glue column, JSON value -> the value as Arrow takes it; MismatchError where AWS says that it does not fit.

The types are Hive's, in the spelling of the Data Catalog: `map<string,array<int>>`. The readings of JSON are those of
the OpenX deserialiser, which AWS offers for record format conversion: numbers and truth values may stand in strings,
anything may be a string, timestamps come as text in UTC or as seconds or milliseconds since 1970.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

_SIMPLE: dict[str, pa.DataType] = {
    "string": pa.string(),
    "varchar": pa.string(),
    "char": pa.string(),
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("ns"),
}
_DECIMAL = re.compile(r"decimal(?:\((\d+)(?:,(\d+))?\))?")
# yyyy-MM-dd'T'HH:mm:ss[.S]Z or yyyy-[M]M-[d]d HH:mm:ss[.S], up to nine digits of a second.
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z| (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?)"
)
# Later than any time in seconds that is meant: what is greater is in milliseconds.
_MILLISECONDS_FROM = 1e11
_NS = 1_000_000_000


class MismatchError(ValueError):
    """A value is none of the column's type."""


def arrow_type(text: str) -> pa.DataType:
    """The Arrow type of a column's type. Raises ValueError for a type that there is none for."""
    name = re.sub(r"\s", "", text).lower()
    inner = name[name.find("<") + 1 : -1]
    if name.startswith("array<") and name.endswith(">"):
        return pa.list_(arrow_type(inner))
    if name.startswith("map<") and name.endswith(">"):
        key, value = _parts(inner)
        return pa.map_(arrow_type(key), arrow_type(value))
    if name.startswith("struct<") and name.endswith(">"):
        return pa.struct([(part.partition(":")[0], arrow_type(part.partition(":")[2])) for part in _parts(inner)])
    if decimal := _DECIMAL.fullmatch(name):
        return pa.decimal128(int(decimal[1] or 10), int(decimal[2] or 0))
    simple = _SIMPLE.get(re.sub(r"\(\d+\)$", "", name))
    if simple is None:
        raise ValueError(f"{text} is no type that can be written")
    return simple


def _parts(text: str) -> Iterator[str]:
    """What the commas outside of brackets part."""
    depth = start = 0
    for at, character in enumerate(text):
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]


def fitted(kind: pa.DataType, value: Any) -> Any:
    """A value that `json.loads` made, as `pyarrow.array(..., type=kind)` takes it. Raises MismatchError."""
    if value is None:
        return None
    for applies, fit in _FITS:
        if applies(kind):
            return fit(kind, value)
    raise MismatchError(f"{kind} is no type that can be written")


def _text(_: pa.DataType, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    text.encode()  # half a pair of surrogates is no text
    return text


def _truth(_: pa.DataType, value: Any) -> bool:
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise MismatchError(f"{value!r} is neither true nor false")
    return value


def _integer(kind: pa.DataType, value: Any) -> int:
    number = _number(value)
    if number != int(number) or not -(1 << (kind.bit_width - 1)) <= number < 1 << (kind.bit_width - 1):
        raise MismatchError(f"{value!r} is no {kind}")
    return int(value) if isinstance(value, int | str) else int(number)


def _real(_: pa.DataType, value: Any) -> float:
    return float(_number(value))


def _decimal(kind: pa.DataType, value: Any) -> Decimal:
    number = Decimal(str(_number(value))).quantize(Decimal(1).scaleb(-kind.scale))
    if len(number.as_tuple().digits) > kind.precision:
        raise MismatchError(f"{value!r} is no {kind}")
    return number


def _number(value: Any) -> int | float:
    """A number, or a string that is one. Infinite ones and those that are none are not taken."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise MismatchError(f"{value!r} is no number")
    number = value if not isinstance(value, str) else (int(value) if re.fullmatch(r"-?\d+", value) else float(value))
    if number - number != 0:
        raise MismatchError(f"{value!r} is no number")
    return number


def _day(_: pa.DataType, value: Any) -> date:
    if not isinstance(value, str):
        raise MismatchError(f"{value!r} is no date")
    return date.fromisoformat(value)


def _nanoseconds(_: pa.DataType, value: Any) -> int:
    if not isinstance(value, str) or re.fullmatch(r"-?\d+(\.\d+)?", value):
        number = Decimal(str(_number(value)))
        return _in_64_bits(int(number * (_NS // 1000 if abs(number) >= _MILLISECONDS_FROM else _NS)))
    found = _TIMESTAMP.fullmatch(value)
    if not found:
        raise MismatchError(f"{value!r} is no timestamp")
    parts = [part for part in found.groups()[:6] + found.groups()[7:10] if part is not None]
    moment = datetime(*(int(part) for part in parts), tzinfo=UTC)  # type: ignore[misc, arg-type]
    return _in_64_bits(int(moment.timestamp()) * _NS + int((found[7] or found[11] or "0").ljust(9, "0")))


def _in_64_bits(nanoseconds: int) -> int:
    if abs(nanoseconds) >= 1 << 63:
        raise MismatchError("a timestamp lies between the years 1677 and 2262")
    return nanoseconds


def _list(kind: pa.DataType, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise MismatchError(f"{value!r} is no array")
    return [fitted(kind.value_type, each) for each in value]


def _map(kind: pa.DataType, value: Any) -> list[tuple[Any, Any]]:
    if not isinstance(value, dict):
        raise MismatchError(f"{value!r} is no object")
    return [(fitted(kind.key_type, key), fitted(kind.item_type, each)) for key, each in value.items()]


def _struct(kind: pa.DataType, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MismatchError(f"{value!r} is no object")
    given = {key.lower(): each for key, each in value.items()}
    return {field.name: fitted(field.type, given.get(field.name)) for field in kind}


_FITS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType, Any], Any]], ...] = (
    (pa.types.is_string, _text),
    (pa.types.is_boolean, _truth),
    (pa.types.is_integer, _integer),
    (pa.types.is_floating, _real),
    (pa.types.is_decimal, _decimal),
    (pa.types.is_date, _day),
    (pa.types.is_timestamp, _nanoseconds),
    (pa.types.is_map, _map),
    (pa.types.is_list, _list),
    (pa.types.is_struct, _struct),
)
