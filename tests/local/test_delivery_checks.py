"""A delivery stream that AWS would not make is refused; with the exact grants it is made, by a stack too."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.account import ACCOUNT, REGION
from local.platform.client import Connection
from tests.local.conftest import name
from tests.local.lake import DAYS, Lake, Source, interaction


@pytest.fixture(scope="module")
def lake(here: Connection) -> Lake:
    return Lake(here)


@pytest.fixture
def source(here: Connection) -> Source:
    return Source(here)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ({"source": {"Action": ["kinesis:DescribeStream", "kinesis:GetRecords"]}}, "kinesis:GetShardIterator"),
        ({"read": "arn:aws:glue:*:*:table/*"}, "Access was denied when calling Glue"),
        ({"table": "missing"}, "table/database could not be found"),
        ({"settings": {"BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 60}}}, "SizeInMBs must be at least 64"),
        ({"settings": {"CompressionFormat": "GZIP"}}, "CompressionFormat must be UNCOMPRESSED"),
    ],
)
def test_a_stream_that_aws_would_not_make_is_refused(
    lake: Lake, source: Source, refused: dict[str, Any], message: str
) -> None:
    destination = lake.destination(
        refused.get("table") or lake.table(), read=refused.get("read", "*"), **refused.get("settings", {})
    )
    with pytest.raises(ClientError, match=message) as raised:
        source.delivery(destination, **refused.get("source", {}))
    assert raised.value.response["Error"]["Code"] == "InvalidArgumentException"


def test_a_stack_makes_table_and_stream_and_changes_them(lake: Lake, source: Source) -> None:
    """With the exact grants that AWS needs, in the order that CloudFormation keeps."""
    here, table, stack = lake.here, lake.table(**DAYS), name("stack")
    catalogue = f"arn:aws:glue:{REGION}:{ACCOUNT}"
    statements = [
        {"Effect": "Allow", "Resource": source.arn,
         "Action": ["kinesis:DescribeStream", "kinesis:GetShardIterator", "kinesis:GetRecords", "kinesis:ListShards"]},
        {"Effect": "Allow", "Action": ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"],
         "Resource": [f"{catalogue}:catalog", f"{catalogue}:database/{lake.database}",
                      f"{catalogue}:table/{lake.database}/{table}"]},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{lake.bucket}/{table}/*"},
    ]  # fmt: skip
    trust = {"Effect": "Allow", "Principal": {"Service": "firehose.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = {"Fn::GetAtt": ["Role", "Arn"]}
    destination = lake.destination(table) | {"RoleARN": arn}
    destination["DataFormatConversionConfiguration"]["SchemaConfiguration"]["RoleARN"] = arn
    policy = {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
    delivery = {
        "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": {"KinesisStreamARN": source.arn, "RoleARN": arn},
        "ExtendedS3DestinationConfiguration": destination,
    }
    resources: dict[str, Any] = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [trust]}}},
        "Policy": {"Type": "AWS::IAM::Policy", "Properties": {**policy, "Roles": [{"Ref": "Role"}]}},
        "Delivery": {
            "Type": "AWS::KinesisFirehose::DeliveryStream", "DependsOn": "Policy", "Properties": delivery,
        },
    }  # fmt: skip
    stacks, soon = here.client("cloudformation"), {"Delay": 1, "MaxAttempts": 30}

    def body() -> dict[str, Any]:
        return {"StackName": stack, "TemplateBody": json.dumps({"Resources": resources})}

    stacks.create_stack(**body(), Capabilities=["CAPABILITY_IAM"])
    stacks.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=soon)
    source.put(interaction(1))
    assert lake.events(f"{table}/", 1) == ["e1"]
    destination["Prefix"] = f"{table}/two/"
    stacks.update_stack(**body(), Capabilities=["CAPABILITY_IAM"])
    stacks.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig=soon)
    source.put(interaction(2))
    assert lake.events(f"{table}/two/", 1) == ["e2"]  # e1 is not delivered again
    stacks.delete_stack(StackName=stack)
    stacks.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=soon)
