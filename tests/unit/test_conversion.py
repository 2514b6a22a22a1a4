"""JSON records become rows of the table's types as the OpenX deserialiser reads them; what does not fit is named."""

import io
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from local.emulator.conversion import convert
from local.emulator.hive import arrow_type, fitted

moment = datetime  # Parquet's timestamps have no zone
COLUMNS = [{"Name": "event_id", "Type": "string"}, {"Name": "value", "Type": "double"}]


def converted(columns: list[dict[str, str]], *records: Any, **settings: Any) -> list[dict[str, Any]]:
    """Rows of the object that these documents make; every one must be in it."""
    data, failures = convert(settings, columns, [json.dumps(record).encode() for record in records])
    assert data
    assert not failures
    return parquet.read_table(io.BytesIO(data)).to_pylist()


@pytest.mark.parametrize(
    ("kind", "given", "read"),
    [
        ("string", "é 'x'", "é 'x'"),
        ("string", {"a": [1, True, None]}, '{"a":[1,true,null]}'),
        ("boolean", "True", True),
        ("tinyint", -128, -128),
        ("int", "17", 17),
        ("bigint", 9007199254740993, 9007199254740993),
        ("bigint", 3.0, 3),
        ("double", "1e3", 1000.0),
        ("double", 5, 5.0),
        ("decimal(6,2)", 12.345, Decimal("12.34")),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("timestamp", "2024-02-29T01:02:03.25Z", moment(2024, 2, 29, 1, 2, 3, 250000)),
        ("timestamp", "2024-2-9 01:02:03", moment(2024, 2, 9, 1, 2, 3)),
        ("timestamp", 1700000000, moment(2023, 11, 14, 22, 13, 20)),
        ("timestamp", 1700000000123, moment(2023, 11, 14, 22, 13, 20, 123000)),
        ("timestamp", "1700000000.5", moment(2023, 11, 14, 22, 13, 20, 500000)),
        ("array<int>", [1, "2", None], [1, 2, None]),
        ("map<string, string>", {"country": "DE", "page": 3}, [("country", "DE"), ("page", "3")]),
        ("struct<a:int,b:array<struct<c:string>>>", {"A": 1, "b": [{"c": "x"}]}, {"a": 1, "b": [{"c": "x"}]}),
        ("struct<a:int>", {}, {"a": None}),
        ("string", None, None),
    ],
)
def test_a_value_is_read_as_the_column_says(kind: str, given: Any, read: Any) -> None:
    ((row),) = converted([{"Name": "c", "Type": kind}], {"c": given, "more": 1})
    assert row == {"c": read}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("boolean", 1), ("tinyint", 128), ("int", 1.5), ("int", True), ("bigint", "x"), ("bigint", 1 << 63),
        ("double", "nan"), ("double", [1]), ("decimal(4,2)", 123.4), ("date", "29.02.2024"), ("date", 3),
        ("timestamp", "2024-02-29T01:02:03+02:00"), ("timestamp", "2024-02-30 01:02:03"), ("array<int>", "1"),
        ("map<string,int>", {"a": "b"}), ("struct<a:int>", [1]), ("string", "\ud800"),
        ("map<string,string>", {"\ud800": ""}),
        ("double", 10**400), ("timestamp", 10**30), ("timestamp", "2300-01-01 00:00:00"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused(kind: str, value: Any) -> None:
    good, bad = json.dumps({"c": None}).encode(), json.dumps({"c": value}).encode()
    data, failures = convert({}, [{"Name": "c", "Type": kind}], [good, bad, good])
    assert [(failure.index, failure.code) for failure in failures] == [(1, "DataFormatConversion.MalformedData")]
    assert data
    assert parquet.read_table(io.BytesIO(data)).num_rows == 2


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b"", "MalformedData"), (b" \n", "MalformedData"), (b"7", "MalformedData"),
        (b'[{"value": 1}]', "MalformedData"), (b'{"value": 1', "ParserError"), (b'{"value": 1} x', "ParserError"),
        (b"\xff\xfe", "ParserError"),
        (b'{"value": 1}{"value": "no"}', "MalformedData"), (b"[" * 200_000, "ParserError"),
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(record: bytes, code: str) -> None:
    data, (failure,) = convert({}, COLUMNS, [record])
    assert data is None
    assert failure.code == f"DataFormatConversion.{code}"
    assert failure.message


def test_several_documents_of_one_record_are_rows() -> None:
    data, failures = convert(
        {}, COLUMNS, [b'{"event_id": "1"}\n{"event_id": "2"} {"event_id": "3"}\n', b'{"Value": 4}']
    )
    assert data
    assert not failures
    rows = parquet.read_table(io.BytesIO(data)).to_pylist()
    assert rows == [{"event_id": each, "value": None} for each in "123"] + [{"event_id": None, "value": 4.0}]


def test_the_settings_of_the_deserialiser_hold() -> None:
    def openx(**settings: Any) -> dict[str, Any]:
        return {"InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": settings}}}

    columns = [{"Name": "a_b", "Type": "int"}]
    assert converted(columns, {"A.B": 1}, **openx(ConvertDotsInJsonKeysToUnderscores=True)) == [{"a_b": 1}]
    assert converted(columns, {"A_B": 1}, **openx(CaseInsensitive=False)) == [{"a_b": None}]
    assert converted(columns, {"ts": 2}, **openx(ColumnToJsonKeyMappings={"a_b": "ts"})) == [{"a_b": 2}]


def test_times_and_compression_are_as_hive_reads_them() -> None:
    columns = [{"Name": "t", "Type": "timestamp"}]
    for compression in ("SNAPPY", "GZIP", "UNCOMPRESSED"):
        serializer = {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": compression}}}}
        data, _ = convert(serializer, columns, [b'{"t": 1}'])
        assert data
        column = parquet.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(0)
        assert (column.physical_type, column.compression) == ("INT96", compression)


def test_a_type_that_cannot_be_written_fails_every_record() -> None:
    data, failures = convert({}, [{"Name": "c", "Type": "uniontype<int,string>"}], [b"{}", b"{}"])
    assert data is None
    assert [failure.code for failure in failures] == ["DataFormatConversion.InvalidSchema"] * 2


KINDS = ["string", "boolean", "int", "double", "decimal(8,3)", "date", "timestamp", "array<double>", "map<string,int>",
         "struct<a:timestamp,b:map<string,array<string>>>"]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(KINDS), JSON)
def test_any_json_is_either_written_or_refused(kind: str, value: Any) -> None:
    record = json.dumps({"c": value}).encode()
    data, failures = convert({}, [{"Name": "c", "Type": kind}], [record])
    assert (data is None) == bool(failures)
    if data:
        (row,) = parquet.read_table(io.BytesIO(data)).to_pylist()
        assert (row["c"] is None) == (fitted(arrow_type(kind), value) is None)


def test_types_are_those_of_the_catalogue() -> None:
    assert arrow_type("Map<String, Array<Decimal(10,2)>>") == pa.map_(pa.string(), pa.list_(pa.decimal128(10, 2)))
    assert arrow_type("varchar(20)") == pa.string()
