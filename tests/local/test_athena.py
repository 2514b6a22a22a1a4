"""Athena's SQL over the lake: Trino's words, the catalogue's columns and partitions, the workgroup's limits."""

# ruff: noqa: S608 - the tables are the tests' own
import csv
import gzip
import io
import json
import re

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from pyarrow import parquet

from local.platform.client import Connection
from tests.local.lake import DAYS, JSON_LINES, LISTS, Athena, Lake, Source, interaction


@pytest.fixture(scope="module")
def athena(here: Connection) -> Athena:
    return Athena(Lake(here))


@pytest.fixture(scope="module")
def interactions(athena: Athena) -> str:
    """Three days of 3, 4 and 5 interactions."""
    table = athena.lake.table(**DAYS)
    for count in (3, 4, 5):
        rows = [interaction(number) | {"context": [("page", f"p{number}")]} for number in range(count)]
        schema = pa.schema([("event_id", pa.string()), ("user_id", pa.string()), ("value", pa.float64()),
                            ("context", pa.map_(pa.string(), pa.string()))])  # fmt: skip
        file = io.BytesIO()
        parquet.write_table(pa.Table.from_pylist(rows, schema=schema), file)
        athena.lake.put(f"{table}/dt=2024-05-0{count}/x.parquet", file.getvalue())
    return table


@pytest.fixture(scope="module")
def lists(athena: Athena) -> str:
    """Lines of JSON, zipped, as the functions' deliveries write them."""
    table = athena.lake.table(JSON_LINES, LISTS, **DAYS)
    items = [{"item": "a", "score": 2.5, "more": 1}, {"item": "é", "score": 1}]
    lines = [
        {"list_id": "l1", "items": items, "at": "2024-05-01 10:00:00", "unknown": {}},
        {"list_id": "l2", "items": []},
    ]
    data = "".join(json.dumps(line) + "\n" for line in lines)
    athena.lake.put(f"{table}/dt=2024-05-01/x.gz", gzip.compress(data.encode()))
    athena.lake.put(f"{table}/dt=2024-05-02/x.json", '{"list_id": "l3"}\n')
    return table


def test_a_day_of_the_lake_is_counted(athena: Athena, interactions: str) -> None:
    assert athena.rows(f"SELECT count(*) FROM {interactions} WHERE dt = '2024-05-04'") == [("4",)]
    assert athena.rows(f"SELECT count(*) FROM {athena.lake.database}.{interactions}") == [("12",)]
    assert athena.rows(f"SELECT dt, count(*) AS n FROM {interactions} GROUP BY dt ORDER BY n DESC") == [
        ("2024-05-05", "5"), ("2024-05-04", "4"), ("2024-05-03", "3"),
    ]  # fmt: skip
    assert athena.rows(f"SELECT count(*) FROM {interactions} WHERE dt = '2023-01-01'") == [("0",)]


def test_what_was_delivered_is_found(athena: Athena, here: Connection) -> None:
    lake, source = athena.lake, Source(here)
    table = lake.table(**DAYS)
    assert athena.rows(f"SELECT count(*), max(event_id) FROM {table}") == [("0", None)]
    source.delivery(lake.destination(table))
    source.put(*(interaction(number) for number in range(50)), b"bad")
    lake.events(f"{table}/", 50)
    query = (
        f"SELECT count(*), count(DISTINCT user_id), sum(value), max(context['page']) FROM {table} WHERE dt >= '2024'"
    )
    assert athena.rows(query) == [("50", "3", "1225.0", "home")]


def test_only_partitions_that_are_asked_for_are_read(athena: Athena, interactions: str) -> None:
    def scanned(where: str) -> int:
        query = f"SELECT count(*) FROM {interactions} AS i {where}"
        return int(athena.execution(query)["Statistics"]["DataScannedInBytes"])

    objects = athena.lake.objects(f"{interactions}/")
    sizes = {day: len(objects[f"{interactions}/dt=2024-05-{day}/x.parquet"]) for day in ("03", "04", "05")}
    assert scanned("") == sum(sizes.values())
    assert scanned("WHERE dt = '2024-05-04' AND user_id <> 'x'") == sizes["04"]
    assert scanned("WHERE i.dt BETWEEN '2024-05-04' AND '2024-05-09'") == sizes["04"] + sizes["05"]
    assert scanned("WHERE date(dt) < date_add('day', 1, date '2024-05-03') AND value >= 0") == sizes["03"]
    assert scanned("WHERE dt = '2024-05-04' OR user_id = 'u1'") == sum(sizes.values())
    assert scanned("WHERE dt = '2024-06-04'") == 0


def test_outer_joins_keep_their_rows(athena: Athena, interactions: str, lists: str) -> None:
    query = (
        f"SELECT count(*) FROM {interactions} i LEFT JOIN {lists} l ON i.dt = l.dt WHERE i.dt = '2024-05-03' "
        "AND l.dt IS NULL"
    )
    assert athena.rows(query) == [("3",)]


def test_trinos_words_are_understood(athena: Athena, interactions: str, lists: str) -> None:
    database = athena.lake.database
    assert athena.rows(
        f"WITH t AS (SELECT * FROM {interactions} WHERE dt = '2024-05-03'), {interactions} AS (SELECT 1 AS one) "
        f"SELECT user_id, approx_distinct(event_id), max(element_at(context, 'none')), 7 / 2, "
        f"date_diff('day', from_iso8601_timestamp('2024-01-01T00:00:00+02:00'), timestamp '2024-01-03 00:00:00 UTC') "
        f"FROM t WHERE NOT EXISTS (SELECT 1 FROM {interactions} WHERE one = 2) GROUP BY 1 ORDER BY 1 LIMIT 1"
    ) == [("u0", "1", None, "3", "2")]
    assert athena.rows(
        f'SELECT l.list_id, i.item, i.score FROM "{database}"."{lists}" AS l CROSS JOIN UNNEST(items) AS i(item, score)'
        " ORDER BY score"
    ) == [("l1", "é", "1.0"), ("l1", "a", "2.5")]
    assert athena.rows(
        f"SELECT {lists}.list_id, cardinality(items) FROM AwsDataCatalog.{database}.{lists.upper()} "
        f"WHERE {database}.{lists}.dt = '2024-05-01' ORDER BY list_id DESC"
    ) == [("l2", "0"), ("l1", "2")]


def test_values_types_and_files_are_athenas(athena: Athena, lists: str) -> None:
    execution = athena.execution(
        "SELECT list_id, items, at, 1e20, true, map(ARRAY['a'], ARRAY[1]) AS m, date '2024-02-29' AS d, 'say \"hi\"' "
        f"FROM {lists} WHERE list_id <> 'l2' ORDER BY list_id"
    )
    answer = athena.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]
    columns = [(column["Name"], column["Type"]) for column in answer["ResultSetMetadata"]["ColumnInfo"]]
    assert columns == [
        ("list_id", "varchar"), ("items", "array"), ("at", "timestamp"), ("_col3", "double"), ("_col4", "boolean"),
        ("m", "map"), ("d", "date"), ("_col7", "varchar"),
    ]  # fmt: skip
    first = ["l1", "[{item=a, score=2.5}, {item=é, score=1.0}]", "2024-05-01 10:00:00.000", "1.0E20", "true", "{a=1}",
             "2024-02-29", 'say "hi"']  # fmt: skip
    assert [datum.get("VarCharValue") for datum in answer["Rows"][1]["Data"]] == first
    where = execution["ResultConfiguration"]["OutputLocation"]
    assert where == f"s3://{athena.lake.bucket}/results/{execution['QueryExecutionId']}.csv"
    (data,) = athena.lake.objects(where.partition(f"{athena.lake.bucket}/")[2]).values()
    names, *rows = csv.reader(io.StringIO(data.decode()))
    assert names == [column for column, _ in columns]
    assert rows == [first, ["l3", "", "", "1.0E20", "true", "{a=1}", "2024-02-29", 'say "hi"']]


def test_parameters_are_values_and_nothing_else(athena: Athena, interactions: str) -> None:
    query = f"SELECT count(*) FROM {interactions} WHERE user_id = ? AND value < ?"
    assert athena.rows(query, ExecutionParameters=["'u0'", "3"]) == [("3",)]
    for wrong in (["'u0'"], ["'u0' OR true", "3"], ["(SELECT 1)", "3"]):
        with pytest.raises(ClientError, match="INVALID_PARAMETER_USAGE"):
            athena.execution(query, ExecutionParameters=wrong)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT * FROM nowhere", "TABLE_NOT_FOUND"),
        ("SELECT nothing FROM {}", "nothing"),
        ("SELEC 1", "SYNTAX_ERROR|NOT_SUPPORTED"),
        ("SELECT (1", "SYNTAX_ERROR"),
        ("INSERT INTO {} VALUES ('x')", "NOT_SUPPORTED"),
        ("SELECT 1; SELECT 2", "SYNTAX_ERROR"),
        ("SHOW TABLES", "NOT_SUPPORTED: SHOW"),
        ("SELECT * FROM read_text('/etc/hostname')", "."),
        ("SELECT 1 / 0", "."),
    ],
)
def test_a_wrong_query_fails_with_the_reason(athena: Athena, interactions: str, query: str, reason: str) -> None:
    assert re.search(reason, athena.reason(query.format(interactions)))
