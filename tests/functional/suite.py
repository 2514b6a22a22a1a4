"""The fraud pipeline in one process: events go in as Lambda would deliver them, tests look at what is left behind."""

import base64
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.events.models import events_backends
from moto.sns.models import sns_backends

from cuatro.adapters.attributes import decoded_image
from functions.fraud.history import History
from tests.functional.aws_in_memory import Wire

REGION = "eu-west-1"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION,
    "CARDS_TABLE": "cards", "TERMINALS_TABLE": "terminals", "DECISIONS_TABLE": "decisions", "LABELS_TABLE": "labels",
    "REJECTED_BUCKET": "rejected", "STREAM_NAME": "transactions", "BUS_NAME": "suite", "MAX_AGE_DAYS": "60",
    "ALERTS_TOPIC_ARN": f"arn:aws:sns:{REGION}:{DEFAULT_ACCOUNT_ID}:alerts", "SHADOW_MODEL_URI": "",
    "DECISIONS_DELIVERY": "decisions-to-lake", "LABELS_DELIVERY": "labels-to-lake",
    "POWERTOOLS_SERVICE_NAME": "fraud", "POWERTOOLS_METRICS_NAMESPACE": "Cuatro",
}  # fmt: skip
SHARD = "shardId-000000000000"
TABLES = {"cards": "card_id", "terminals": "terminal_id", "decisions": "transaction_id", "labels": "transaction_id"}


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


def transaction(number: int, **changes: Any) -> dict[str, Any]:
    """A good transaction; number makes its id, and its time (a second apart, the last minutes)."""
    when = datetime.fromtimestamp(int(time.time()) - 1000 + number, UTC)
    return {
        "version": 1,
        "transaction_id": f"t-{number}",
        "card_id": "c-1",
        "terminal_id": "s-1",
        "amount": 1250,
        "currency": "EUR",
        "time": when.isoformat(),
        **changes,
    }


class Suite:
    """Tables, stream, bus, topic and bucket in memory, and the functions."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._sequence = 0
        dynamodb, events = client("dynamodb"), client("events")
        for name, key in TABLES.items():
            dynamodb.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
                StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
            )
        bus = events.create_event_bus(Name="suite")["EventBusArn"]
        events.create_archive(ArchiveName="all", EventSourceArn=bus)
        client("sns").create_topic(Name="alerts")
        self.kinesis = client("kinesis")
        self.kinesis.create_stream(StreamName="transactions", ShardCount=1)
        self.s3 = client("s3")
        self.s3.create_bucket(Bucket="rejected", CreateBucketConfiguration={"LocationConstraint": REGION})
        self.s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
        for name in ("decisions", "labels"):
            role = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/firehose"
            destination = {"RoleARN": role, "BucketARN": "arn:aws:s3:::lake", "Prefix": f"fraud/{name}/"}
            firehose = client("firehose")
            firehose.create_delivery_stream(
                DeliveryStreamName=f"{name}-to-lake", ExtendedS3DestinationConfiguration=destination
            )
        self._delivered = dict.fromkeys(TABLES, 0)
        wire.calls.clear()

    # What comes in

    def records(self, bodies: Iterable[dict[str, Any] | bytes]) -> list[dict[str, Any]]:
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
                        "partitionKey": "c-1",
                        "approximateArrivalTimestamp": time.time(),
                    },
                    "eventID": f"{SHARD}:{10**20 + self._sequence}",
                }
            )
        return records

    def score(self, *bodies: dict[str, Any] | bytes) -> dict[str, Any]:
        """One delivery."""
        return self.deliver(self.records(bodies))

    @staticmethod
    def deliver(records: list[dict[str, Any]]) -> dict[str, Any]:
        """One delivery of these records."""
        from functions.fraud.score.handler import handler  # noqa: PLC0415 - reads the test's environment

        return handler({"Records": records}, Context())

    def act(self) -> dict[str, Any]:
        """One delivery of what the cards' stream holds since the last one that succeeded."""
        from functions.fraud.act.handler import handler  # noqa: PLC0415

        return self._consume("cards", "d", handler)

    def learn(self) -> dict[str, Any]:
        """The same for the labels' stream."""
        from functions.fraud.learn.handler import handler  # noqa: PLC0415

        return self._consume("labels", "fraud", handler)

    def call(
        self, method: str, resource: str, body: Any = None, headers: dict[str, str] | None = None, **path: str
    ) -> tuple[int, dict[str, Any]]:
        """One request to the API as API Gateway passes it on; body as JSON unless it is bytes. Status and body."""
        from functions.fraud.api.handler import handler  # noqa: PLC0415

        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = handler(
            {
                "requestContext": {"resourcePath": resource, "httpMethod": method, "requestId": "request-1"},
                "headers": {"Content-Type": "application/json", **(headers or {})},
                "multiValueQueryStringParameters": None,
                "pathParameters": path or None,
                "stageVariables": None,
                "body": base64.b64encode(data).decode(),
                "isBase64Encoded": True,
            },
            Context(),
        )
        self.headers = answer["headers"]
        return answer["statusCode"], json.loads(answer["body"])

    def _consume(self, table: str, attribute: str, handler: Any) -> dict[str, Any]:
        shard = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[table].stream_shard
        end = len(shard.items)
        records = [each.to_json() for each in shard.items[self._delivered[table] : end]]
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
        return {item[TABLES[table]]: item for item in plain}

    def history(self, table: str, key: str) -> History:
        """The state of a card or terminal."""
        return History.unpack(self.items(table)[key]["s"])

    def events(self, kind: str = "TransactionScored") -> list[dict[str, Any]]:
        """Details of what is on the bus."""
        (archive,) = events_backends[DEFAULT_ACCOUNT_ID][REGION].archives.values()
        return [event["detail"] for event in archive.events if event["detail-type"] == kind]

    def alerts(self) -> list[dict[str, Any]]:
        """Bodies of the published alerts."""
        topic = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics[ENVIRONMENT["ALERTS_TOPIC_ARN"]]
        return [json.loads(sent[1]) for sent in topic.sent_notifications]

    def rejected(self) -> list[dict[str, Any]]:
        """Lines of all objects in the bucket of rejected records."""
        return self._lines("rejected", "")

    def lake(self, kind: str = "decisions") -> list[dict[str, Any]]:
        """Lines of the lake, in the order of their delivery."""
        return self._lines("lake", f"fraud/{kind}/")

    def _lines(self, bucket: str, prefix: str) -> list[dict[str, Any]]:
        listing = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        listing.sort(key=lambda each: each["LastModified"])
        bodies = [self.s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listing]
        return [json.loads(line) for body in bodies for line in body.splitlines()]

    def streamed(self) -> list[bytes]:
        """Data of the records that were put on the stream."""
        iterator = self.kinesis.get_shard_iterator(
            StreamName="transactions", ShardId=SHARD, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return [record["Data"] for record in self.kinesis.get_records(ShardIterator=iterator)["Records"]]
