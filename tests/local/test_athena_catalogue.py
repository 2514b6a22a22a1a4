"""Athena reads what the catalogue says: its columns, its partitions; and no more than the workgroup allows."""

# ruff: noqa: S608 - the tables are the tests' own
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from pyarrow import parquet

from local.platform.account import ACCOUNT, REGION
from local.platform.client import Connection
from tests.local.conftest import Function, name, role
from tests.local.lake import DAYS, JSON_LINES, LISTS, Athena, Lake


@pytest.fixture(scope="module")
def athena(here: Connection) -> Athena:
    return Athena(Lake(here))


def written(rows: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


def test_columns_are_those_of_the_catalogue(athena: Athena) -> None:
    """A file that lacks one, one that has it with another type and more than the catalogue knows."""
    table = athena.lake.table(**DAYS)
    athena.lake.put(f"{table}/dt=2024-05-01/a", written([{"event_id": "a", "other": 1}]))
    athena.lake.put(f"{table}/dt=2024-05-01/b", written([{"event_id": "b", "value": 3}]))
    assert athena.rows(f"SELECT * FROM {table} ORDER BY 1") == [
        ("a", None, None, None, "2024-05-01"), ("b", None, "3.0", None, "2024-05-01"),
    ]  # fmt: skip
    assert "other" in athena.reason(f"SELECT other FROM {table}")


def test_partitions_that_are_not_projected_must_be_registered(athena: Athena, here: Connection) -> None:
    table = athena.lake.table(JSON_LINES, LISTS)
    athena.lake.put(f"{table}/dt=one/x", '{"list_id": "1"}\n')
    athena.lake.put(f"{table}/dt=two/x", '{"list_id": "2"}\n')
    assert athena.rows(f"SELECT list_id FROM {table}") == []
    storage = {"Location": f"s3://{athena.lake.bucket}/{table}/dt=one/", "Columns": LISTS, **JSON_LINES}
    here.client("glue").create_partition(
        DatabaseName=athena.lake.database, TableName=table,
        PartitionInput={"Values": ["one"], "StorageDescriptor": storage},
    )  # fmt: skip
    assert athena.rows(f"SELECT list_id, dt FROM {table}") == [("1", "one")]


def test_a_query_that_reads_too_much_is_cancelled(athena: Athena, here: Connection) -> None:
    table = athena.lake.table(JSON_LINES, LISTS, **DAYS)
    athena.lake.put(f"{table}/dt=2024-05-01/x", (json.dumps({"list_id": "x" * 9_000_000}) + "\n"))
    athena.lake.put(f"{table}/dt=2024-05-02/x", (json.dumps({"list_id": "x" * 2_000_000}) + "\n"))
    assert athena.rows(f"SELECT length(list_id) FROM {table} WHERE dt = '2024-05-01'") == [("9000000",)]
    status = athena.execution(f"SELECT count(*) FROM {table}")["Status"]
    assert (status["State"], status["StateChangeReason"]) == ("CANCELLED", "Bytes scanned limit was exceeded")


def test_rows_that_do_not_fit_the_table_fail_the_query(athena: Athena) -> None:
    table = athena.lake.table(JSON_LINES, LISTS, **DAYS)
    athena.lake.put(f"{table}/dt=2024-05-01/x", '{"list_id": "1"}\n{"list_id": \n')
    assert athena.reason(f"SELECT count(list_id) FROM {table}")


def test_workgroups_hold(athena: Athena, here: Connection) -> None:
    elsewhere = {"OutputLocation": f"s3://{athena.lake.bucket}/elsewhere"}
    execution = athena.execution("SELECT 1", ResultConfiguration=elsewhere)
    assert "/results/" in execution["ResultConfiguration"]["OutputLocation"]
    other = Athena(athena.lake)
    other.client.update_work_group(WorkGroup=other.group, State="DISABLED")
    with pytest.raises(ClientError, match="disabled"):
        other.execution("SELECT 1")
    other.group = "none"
    with pytest.raises(ClientError, match="not found"):
        other.execution("SELECT 1")


def test_a_stack_makes_the_catalogue_and_the_workgroup(here: Connection) -> None:
    lake, stack = Lake(here), name("stack")
    group, database = name("group"), name("db").replace("-", "_")
    storage = JSON_LINES | {"Columns": LISTS, "Location": f"s3://{lake.bucket}/lists/"}
    table = {"Name": "lists", "TableType": "EXTERNAL_TABLE", "Parameters": DAYS, "StorageDescriptor": storage,
             "PartitionKeys": [{"Name": "dt", "Type": "string"}]}  # fmt: skip
    results = {"ResultConfiguration": {"OutputLocation": f"s3://{lake.bucket}/results/"}}
    catalogue = {"CatalogId": {"Ref": "AWS::AccountId"}}
    resources = {
        "Database": {"Type": "AWS::Glue::Database", "Properties": catalogue | {"DatabaseInput": {"Name": database}}},
        "Table": {"Type": "AWS::Glue::Table",
                  "Properties": catalogue | {"DatabaseName": {"Ref": "Database"}, "TableInput": table}},
        "Group": {"Type": "AWS::Athena::WorkGroup", "Properties": {"Name": group, "WorkGroupConfiguration": results}},
    }  # fmt: skip
    stacks = here.client("cloudformation")
    stacks.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))
    stacks.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    lake.put("lists/dt=2024-05-01/x", '{"list_id": "1"}\n')
    athena = Athena(lake)
    athena.group, lake.database = group, database
    assert athena.rows("SELECT list_id FROM lists WHERE dt > '2024-04-01'") == [("1",)]


def test_a_function_may_query_what_its_role_may_read(
    here: Connection, function: Callable[..., Function], athena: Athena
) -> None:
    lake, group = athena.lake, athena.group
    table = lake.table(JSON_LINES, LISTS, **DAYS)
    lake.put(f"{table}/dt=2024-05-01/x", '{"list_id": "1"}\n')
    code = (
        "import boto3, time\ndef handler(query, context):\n    athena = boto3.client('athena')\n"
        f"    one = athena.start_query_execution(QueryString=query, WorkGroup={group!r})['QueryExecutionId']\n"
        "    while True:\n        found = athena.get_query_execution(QueryExecutionId=one)['QueryExecution']\n"
        "        status = found['Status']\n"
        "        if status['State'] in ('SUCCEEDED', 'FAILED'):\n"
        "            return status.get('StateChangeReason') or status['State']\n        time.sleep(0.05)"
    )
    catalogue, bucket = f"arn:aws:glue:{REGION}:{ACCOUNT}", f"arn:aws:s3:::{lake.bucket}"
    needed = {
        "athena:*": ["*"],
        "glue:GetTable": [f"{catalogue}:{each}" for each in
                          ("catalog", f"database/{lake.database}", f"table/{lake.database}/{table}")],
        "s3:GetObject": [f"{bucket}/{table}/*"],
        "s3:PutObject": [f"{bucket}/results/*"],
    }  # fmt: skip
    query = f"SELECT list_id FROM {lake.database}.{table}"
    for missing in (None, "glue:GetTable", "s3:GetObject", "s3:PutObject"):
        statements = [
            {"Effect": "Allow", "Action": action, "Resource": resources}
            for action, resources in needed.items()
            if action != missing
        ]
        allowed = role(here, Action="logs:*")
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        here.client("iam").put_role_policy(
            RoleName=allowed.rpartition("/")[2], PolicyName="more", PolicyDocument=document
        )
        answer = function(code, Role=allowed).call(query)["Payload"]
        assert answer == "SUCCEEDED" if missing is None else f"{missing} on resource" in answer
