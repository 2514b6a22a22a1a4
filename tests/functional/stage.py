"""One pipeline in one process: tables, streams and buckets in memory; events go in as Lambda would deliver them."""

import base64
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.events.models import events_backends

from cuatro.adapters.attributes import decoded_image
from tests.functional.aws_in_memory import Wire

REGION = "eu-west-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION,
}  # fmt: skip
SHARD = "shardId-000000000000"

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@cache
def client(service: str) -> Any:
    """A boto3 client for the tests' own calls; making one takes longer than a test."""
    return boto3.client(service)


class Context:
    """What Powertools reads of Lambda's context."""

    function_name = "test"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:test"
    aws_request_id = "request-1"


class Stage:
    """What every pipeline has. tables: key attribute by name; deliveries: prefix in the bucket `lake` by name."""

    def __init__(self, wire: Wire, tables: Mapping[str, str], stream: str, deliveries: Mapping[str, str]) -> None:
        self.wire, self._tables, self._stream = wire, tables, stream
        self._sequence = 0
        for name, key in tables.items():
            client("dynamodb").create_table(
                TableName=name,
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
                StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
            )
        bus = client("events").create_event_bus(Name="suite")["EventBusArn"]
        client("events").create_archive(ArchiveName="all", EventSourceArn=bus)
        self.kinesis = client("kinesis")
        self.kinesis.create_stream(StreamName=stream, ShardCount=1)
        self.s3 = client("s3")
        for bucket in ("rejected", "lake"):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        role = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/firehose"
        for name, prefix in deliveries.items():
            destination = {"RoleARN": role, "BucketARN": "arn:aws:s3:::lake", "Prefix": prefix}
            client("firehose").create_delivery_stream(
                DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination
            )
        self._delivered = dict.fromkeys(tables, 0)

    # What comes in

    def records(self, bodies: Iterable[dict[str, Any] | bytes], partition_key: str) -> list[dict[str, Any]]:
        """Kinesis records as Lambda gets them."""
        records = []
        for body in bodies:
            self._sequence += 1
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            records.append(
                {
                    "kinesis": {
                        "data": base64.b64encode(data).decode(),
                        "sequenceNumber": str(10**20 + self._sequence),
                        "partitionKey": partition_key,
                        "approximateArrivalTimestamp": time.time(),
                    },
                    "eventID": f"{SHARD}:{10**20 + self._sequence}",
                }
            )
        return records

    def request(
        self,
        handler: Handler,
        route: tuple[str, str],
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Sequence[str]] | None = None,
    ) -> tuple[int, Any]:
        """One request as API Gateway passes it on; body as JSON unless it is bytes. Status and body (None: empty).

        route: method and resource. The answer's headers are in `headers` afterwards.
        """
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = handler(
            {
                "requestContext": {"resourcePath": route[1], "httpMethod": route[0], "requestId": "request-1"},
                "headers": {"Content-Type": "application/json", **(headers or {})},
                "multiValueQueryStringParameters": {name: list(given) for name, given in query.items()}
                if query
                else None,
                "pathParameters": dict(path) if path else None,
                "stageVariables": None,
                "body": base64.b64encode(data).decode(),
                "isBase64Encoded": True,
            },
            Context(),
        )
        self.headers = answer["headers"]
        return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None

    def consume(self, table: str, attribute: str | None, handler: Handler) -> dict[str, Any]:
        """One delivery of what a table's stream holds since the last good one; attribute: the mapping's filter."""
        shard = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[table].stream_shard
        end = len(shard.items)
        records = [each.to_json() for each in shard.items[self._delivered[table] : end]]
        if attribute:
            records = [each for each in records if attribute in each["dynamodb"].get("NewImage", {})]
        answer = handler({"Records": records}, Context())
        if not answer["batchItemFailures"]:
            self._delivered[table] = end
        return answer

    # What is left behind

    def items(self, table: str) -> dict[str, dict[str, Any]]:
        """All items by key, in plain values."""
        items = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[table].all_items()
        plain = [decoded_image(item.to_json()["Attributes"]) for item in items]
        return {item[self._tables[table]]: item for item in plain}

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Details of what is on the bus."""
        (archive,) = events_backends[DEFAULT_ACCOUNT_ID][REGION].archives.values()
        return [event["detail"] for event in archive.events if event["detail-type"] == kind]

    def rejected(self) -> list[dict[str, Any]]:
        """Lines of all objects in the bucket of rejected records."""
        return self.lines("rejected", "")

    def lines(self, bucket: str, prefix: str) -> list[dict[str, Any]]:
        """JSON lines of all objects below a prefix, in the order of their delivery."""
        listing = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        listing.sort(key=lambda each: each["LastModified"])
        bodies = [self.s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listing]
        return [json.loads(line) for body in bodies for line in body.splitlines()]

    def streamed(self) -> list[bytes]:
        """Data of the records that were put on the stream."""
        iterator = self.kinesis.get_shard_iterator(
            StreamName=self._stream, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return [record["Data"] for record in self.kinesis.get_records(ShardIterator=iterator)["Records"]]
