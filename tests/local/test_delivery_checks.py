"""A delivery stream that AWS would not make is refused; with the exact grants it is made, by a stack too."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.account import ACCOUNT, REGION
from local.platform.client import Connection
from tests.local.conftest import name
from tests.local.lake import DAYS, Lake, Source, interaction
from tests.local.transforms import partitioned, processor, stream


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


_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f:live"
_BY_QUERY = "!{partitionKeyFromQuery:brand}/"


def _query(text: str) -> dict[str, Any]:
    return processor("MetadataExtraction", JsonParsingEngine="JQ-1.6", MetadataExtractionQuery=text)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (partitioned(prefix="p"), "no function processes"),
        (partitioned(processor("Lambda", LambdaArn="f"), prefix="p"), "not the ARN of a Lambda function"),
        (partitioned(processor("Lambda", LambdaArn=_ARN, BufferSizeInMBs="6"), prefix="p"), "between 0.2 and 3"),
        (partitioned(processor("Lambda", LambdaArn=_ARN, NumberOfRetries="301"), prefix="p"), "NumberOfRetries"),
        (partitioned(processor("Decompression"), prefix="p"), "Processor type Decompression is not known"),
        (partitioned(_query("{brand: .brand | ascii_downcase}"), place=_BY_QUERY, prefix="p"), "beyond the jq"),
        (partitioned(_query("{other: .brand}"), place=_BY_QUERY, prefix="p"), "does not make .* brand"),
        (partitioned(_query("{brand: .brand}"), place="", prefix="p"), "must contain partition keys"),
        (
            partitioned(_query("{brand: .brand}"), place=_BY_QUERY, prefix="p", BufferingHints={"SizeInMBs": 5}),
            "at least 64 when dynamic",
        ),
        (
            partitioned(
                _query("{brand: .brand}"), place=_BY_QUERY, prefix="p",
                DynamicPartitioningConfiguration={"Enabled": False},
            ),
            "must be enabled",
        ),
        (partitioned(_query("{brand: .brand}"), place=_BY_QUERY, prefix="p", ErrorOutputPrefix=_BY_QUERY), "cannot"),
        (partitioned(_query("{brand: .brand}"), place=_BY_QUERY, prefix="p", ErrorOutputPrefix=""), "must be given"),
    ],
)  # fmt: skip
def test_a_stream_that_cannot_process_its_records_is_refused(
    lake: Lake, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as raised:
        stream(lake, settings)
    assert raised.value.response["Error"]["Code"] == "InvalidArgumentException"


def test_the_same_streams_are_made_when_nothing_is_wrong(lake: Lake) -> None:
    stream(lake, partitioned(processor("Lambda", LambdaArn=_ARN, BufferSizeInMBs="0.2"), prefix="p"))
    stream(lake, partitioned(_query("{brand: .brand}"), place=_BY_QUERY, prefix="p"))
