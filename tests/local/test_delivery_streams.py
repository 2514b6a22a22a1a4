"""Records that go to Firehose lie in S3 where its prefix says, compressed if asked, lines of JSON as they were sent."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from local.platform.account import ACCOUNT
from local.platform.client import Connection
from local.platform.process import Platform
from tests.local.conftest import name, role
from tests.waiting import eventually


@pytest.fixture(scope="module")
def bucket(here: Connection) -> str:
    """Open to TLS only, as the suite's buckets are."""
    this = name("lake")
    here.client("s3").create_bucket(Bucket=this)
    refused = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{this}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [refused]})
    here.client("s3").put_bucket_policy(Bucket=this, Policy=policy)
    return this


@pytest.fixture
def delivery(here: Connection, bucket: str) -> Callable[..., str]:
    def made(may: str = "*", **configuration: Any) -> str:
        this = name("delivery")
        here.client("firehose").create_delivery_stream(
            DeliveryStreamName=this, DeliveryStreamType="DirectPut",
            ExtendedS3DestinationConfiguration={
                "RoleARN": role(here, "firehose", Resource=may), "BucketARN": f"arn:aws:s3:::{bucket}",
                "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 1}, **configuration,
            },
        )  # fmt: skip
        return this

    return made


def objects(here: Connection, bucket: str, prefix: str) -> dict[str, bytes]:
    client = here.client("s3")
    found = client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {each["Key"]: client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in found}


@pytest.mark.parametrize("compression", ["UNCOMPRESSED", "GZIP"])
def test_a_batch_lies_at_its_day_as_lines_of_json(
    here: Connection, bucket: str, delivery: Callable[..., str], compression: str
) -> None:
    where = f"{compression.lower()}/"
    stream = delivery(
        Prefix=where + "dt=!{timestamp:yyyy-MM-dd}/",
        ErrorOutputPrefix=where + "errors/!{firehose:error-output-type}/!{timestamp:yyyy-MM-dd}/",
        CompressionFormat=compression,
    )
    lines = [json.dumps({"number": number}) + "\n" for number in range(20)]
    records = [{"Data": "".join(lines[at : at + 5]).encode()} for at in range(0, 20, 5)]
    before = datetime.now(UTC).date()
    answer = here.client("firehose").put_record_batch(DeliveryStreamName=stream, Records=records)
    assert answer["FailedPutCount"] == 0
    assert len(answer["RequestResponses"]) == 4
    found = eventually(lambda: objects(here, bucket, where), "the object")
    ((key, data),) = found.items()
    days = {f"{where}dt={day:%Y-%m-%d}/" for day in (before, datetime.now(UTC).date())}
    assert any(key.startswith(f"{day}{stream}-1-") for day in days)
    assert key.endswith(".gz") == (compression == "GZIP")
    text = gzip.decompress(data) if compression == "GZIP" else data
    assert text.decode() == "".join(lines)


def test_a_stream_made_by_cloudformation_delivers_too(here: Connection, bucket: str) -> None:
    configuration = {
        "RoleARN": role(here, "firehose"), "BucketARN": f"arn:aws:s3:::{bucket}", "CompressionFormat": "GZIP",
        "Prefix": "stack/dt=!{timestamp:yyyy-MM-dd}/", "ErrorOutputPrefix": "stack-errors/",
    }  # fmt: skip
    resource = {
        "Type": "AWS::KinesisFirehose::DeliveryStream",
        "Properties": {"DeliveryStreamType": "DirectPut", "ExtendedS3DestinationConfiguration": configuration},
    }
    template = {"Resources": {"Delivery": resource}, "Outputs": {"Name": {"Value": {"Ref": "Delivery"}}}}
    stack = name("stack")
    here.client("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(template))
    here.client("cloudformation").get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    stream = here.outputs(stack)["Name"]
    here.client("firehose").put_record(DeliveryStreamName=stream, Record={"Data": b'{"a": 1}\n'})
    ((_, data),) = eventually(lambda: objects(here, bucket, "stack/"), "the object").items()
    assert gzip.decompress(data) == b'{"a": 1}\n'


def test_nothing_is_delivered_that_the_streams_role_may_not_put(
    here: Connection, bare: Platform, bucket: str, delivery: Callable[..., str]
) -> None:
    good = delivery(f"arn:aws:s3:::{bucket}/may/*", Prefix="may/dt=!{timestamp:yyyy-MM-dd}/")
    bad = delivery(f"arn:aws:s3:::{bucket}/elsewhere/*", Prefix="maynot/dt=!{timestamp:yyyy-MM-dd}/")
    for stream in (bad, good):
        here.client("firehose").put_record(DeliveryStreamName=stream, Record={"Data": b"{}\n"})
    eventually(lambda: objects(here, bucket, "may/"), "the object")
    assert not objects(here, bucket, "maynot/")
    assert f"{bad}: its role may not put objects" in bare.log.read_text()


def test_a_function_may_put_with_a_grant_on_that_stream_only(
    here: Connection, delivery: Callable[..., str], function: Callable[..., Any]
) -> None:
    granted, other = delivery(Prefix="granted/"), delivery(Prefix="other/")
    code = (
        "import boto3\ndef handler(event, context):\n    boto3.client('firehose').put_record_batch("
        "DeliveryStreamName=event, Records=[{'Data': b'x\\n'}])"
    )
    arn = f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/{granted}"
    made = function(code, Role=role(here, Action="firehose:PutRecordBatch", Resource=arn))
    assert "FunctionError" not in made.call(granted)
    assert "AccessDenied" in made.call(other)["Payload"]["errorMessage"]
