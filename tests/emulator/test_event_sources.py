"""Event source mappings keep Lambda's promises: partial failures, bisection, retries, failure destination, filter."""

import io
import json
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.emulator.deployed import Queue, name
from tests.emulator.suite import Suite
from tests.waiting import eventually

HANDLER = '''
import base64, json

tried = set()

def handler(event, context):
    """Takes records one by one; stops at "poison" always and at "once..." the first time."""
    for record in event["Records"]:
        if "kinesis" in record:
            data, number = base64.b64decode(record["kinesis"]["data"]).decode(), record["kinesis"]["sequenceNumber"]
        else:
            data, number = record["dynamodb"]["NewImage"]["id"]["S"], record["dynamodb"]["SequenceNumber"]
        if data == "poison" or data.startswith("once") and data not in tried:
            tried.add(data)
            return {"batchItemFailures": [{"itemIdentifier": number}]}
        if data == "raise":
            raise ValueError(data)
        print("TAKEN", data)
    return {"batchItemFailures": []}
'''


@dataclass
class Reader:
    """A function that reads `stream` and `table`; what it cannot take goes to `failures`."""

    suite: Suite
    function: str
    stream: str
    table: str
    failures: Queue

    def taken(self) -> Counter[str]:
        events = self.suite.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{self.function}")["events"]
        lines = [line for event in events for line in event["message"].splitlines() if line.startswith("TAKEN ")]
        return Counter(line.removeprefix("TAKEN ") for line in lines)

    def put(self, *texts: str) -> None:
        records = [{"PartitionKey": "one", "Data": text.encode()} for text in texts]
        self.suite.client("kinesis").put_records(StreamName=self.stream, Records=records)


@pytest.fixture(scope="module")
def reader(suite: Suite) -> Iterator[Reader]:
    this, iam, functions = name("reader"), suite.client("iam"), suite.client("lambda")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=this, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", HANDLER)
    runtime = f"python3.{sys.version_info.minor}"
    functions.create_function(FunctionName=this, Runtime=runtime, Handler="index.handler", Role=role["Role"]["Arn"],
                              Code={"ZipFile": archive.getvalue()})  # fmt: skip
    kinesis, dynamodb = suite.client("kinesis"), suite.client("dynamodb")
    kinesis.create_stream(StreamName=this, ShardCount=2)
    table = dynamodb.create_table(
        TableName=this,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    failures = suite.queue("reader")
    stream = kinesis.describe_stream_summary(StreamName=this)["StreamDescriptionSummary"]["StreamARN"]
    rules = {
        "FunctionName": this, "BatchSize": 10, "StartingPosition": "TRIM_HORIZON", "MaximumRetryAttempts": 2,
        "BisectBatchOnFunctionError": True, "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": {"OnFailure": {"Destination": failures.arn}},
    }  # fmt: skip
    only = {"Filters": [{"Pattern": json.dumps({"dynamodb": {"NewImage": {"wanted": {"S": ["yes"]}}}})}]}
    mappings = [
        functions.create_event_source_mapping(EventSourceArn=stream, **rules),
        functions.create_event_source_mapping(
            EventSourceArn=table["TableDescription"]["LatestStreamArn"], FilterCriteria=only, **rules
        ),
    ]
    yield Reader(suite, this, this, this, failures)
    for mapping in mappings:
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    kinesis.delete_stream(StreamName=this)
    dynamodb.delete_table(TableName=this)
    functions.delete_function(FunctionName=this)


def failed(reader: Reader, source: str) -> list[Any]:
    return [message[source] for message in reader.failures.messages() if source in message]


def test_a_poison_record_of_a_stream_is_the_only_one_left_out(reader: Reader) -> None:
    reader.put("a", "b", "once-1", "c", "poison", "d", "e")
    batch = eventually(lambda: next(iter(failed(reader, "KinesisBatchInfo")), None), "the poison in the failures queue")
    taken = eventually(lambda: found if (found := reader.taken())["e"] else None, "the last record")
    assert {key: taken[key] for key in ("a", "b", "once-1", "c", "d", "e")} == dict.fromkeys(
        ("a", "b", "once-1", "c", "d", "e"), 1
    )
    assert (batch["batchSize"], batch["startSequenceNumber"]) == (1, batch["endSequenceNumber"])
    again = reader.suite.client("kinesis").get_shard_iterator(
        StreamName=reader.stream, ShardId=batch["shardId"], ShardIteratorType="AT_SEQUENCE_NUMBER",
        StartingSequenceNumber=batch["startSequenceNumber"],
    )  # fmt: skip
    records = reader.suite.client("kinesis").get_records(ShardIterator=again["ShardIterator"], Limit=1)["Records"]
    assert records[0]["Data"] == b"poison"


def test_a_function_that_raises_loses_only_the_record_that_makes_it_raise(reader: Reader) -> None:
    reader.put("f", "raise", "g")
    taken = eventually(lambda: found if (found := reader.taken())["g"] else None, "the record after it")
    assert taken["f"] >= 1
    eventually(lambda: len(failed(reader, "KinesisBatchInfo")) >= 2, "the record in the failures queue")


def test_changes_of_a_table_are_filtered_and_retried(reader: Reader) -> None:
    for key, wanted in (("A", "yes"), ("B", "no"), ("once-2", "yes"), ("poison", "yes"), ("C", "yes")):
        item = {"id": {"S": key}, "wanted": {"S": wanted}}
        reader.suite.client("dynamodb").put_item(TableName=reader.table, Item=item)
    batch = eventually(lambda: next(iter(failed(reader, "DDBStreamBatchInfo")), None), "the poison's failure")
    taken = eventually(lambda: found if (found := reader.taken())["C"] else None, "the last change")
    assert [taken[key] for key in ("A", "B", "once-2", "C")] == [1, 0, 1, 1]
    assert batch["batchSize"] == 1
