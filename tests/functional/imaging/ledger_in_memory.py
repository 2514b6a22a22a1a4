"""The ledger's table, bucket and queue in memory; moto's transactions have no conditions, the ones here do."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.exceptions import TransactionCanceledException
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends

from cuatro.adapters.attributes import decoded_image
from cuatro.adapters.auditing import Audit
from tests.functional.aws_in_memory import Wire
from tests.functional.stage import REGION, Context, client

TABLE, BUCKET = "ledger", "ledger-anchors"
ENVIRONMENT = {"LEDGER_TABLE": TABLE, "LEDGER_BUCKET": BUCKET, "ANCHOR_EVERY": "5"}
_WORDS = {"chain": "S", "seq": "N", "object": "S", "actor": "S"}


@contextmanager
def transactions() -> Iterator[None]:
    """ExecuteTransaction of INSERTs as DynamoDB has it: all or none, and never over what is there."""
    with mock.patch.object(DynamoDBBackend, "execute_transaction", _execute):
        yield


def _execute(backend: DynamoDBBackend, statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    items = []
    for each in statements:
        names = each["Statement"].split("{")[1].replace(": ?", "").rstrip("}").replace("'", "").split(", ")
        items.append(dict(zip(names, each["Parameters"], strict=True)))
    taken = [backend.get_item(TABLE, {name: item[name] for name in ("chain", "seq")}) is not None for item in items]
    if any(taken):
        raise TransactionCanceledException([("DuplicateItem" if each else None, "", None) for each in taken])
    for item in items:
        backend.put_item(TABLE, item)
    return [{} for _ in items]


class Ledger:
    """The audit function, and what it reads and writes."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        client("dynamodb").create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "chain", "KeyType": "HASH"}, {"AttributeName": "seq", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in _WORDS.items()],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": f"by_{name}",
                    "KeySchema": [
                        {"AttributeName": name, "KeyType": "HASH"}, {"AttributeName": "seq", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
                for name in ("object", "actor")
            ],
            BillingMode="PAY_PER_REQUEST",
        )  # fmt: skip
        client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}, ObjectLockEnabledForBucket=True
        )
        self.queue = client("sqs").create_queue(QueueName="audit.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        self.audit = Audit(self.queue)

    def record(self, object_: str, **given: Any) -> None:
        """What a function says."""
        words: dict[str, Any] = {"actor": "reviewer:one", "outcome": "success", "purpose": "review", **given}
        self.audit.record(words.pop("action", "view"), object_, **words)

    def messages(self) -> list[dict[str, Any]]:
        """Records of the queue as Lambda gets them, taken off it, ten at a time."""
        records: list[dict[str, Any]] = []
        while batch := client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", []):
            for each in batch:
                records.append({"messageId": each["MessageId"], "body": each["Body"]})
                client("sqs").delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
        return records

    @staticmethod
    def handle(records: Sequence[dict[str, Any]] | None) -> dict[str, Any]:
        """One call of the function; None: the clock's."""
        from functions.imaging.audit.handler import handler  # noqa: PLC0415 - reads the test's environment

        event = {"source": "aws.events"} if records is None else {"Records": list(records)}
        return handler(event, Context())

    def deliver(self) -> None:
        """Everything in the queue, ten messages a call."""
        records = self.messages()
        for start in range(0, len(records), 10):
            self.handle(records[start : start + 10])

    # What is left behind

    def rows(self, chain: str = "ledger") -> list[dict[str, Any]]:
        """In their order."""
        items = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[TABLE].all_items()
        plain = [decoded_image(item.to_json()["Attributes"]) for item in items]
        return sorted((item for item in plain if item["chain"] == chain), key=lambda item: item["seq"])

    def anchored(self) -> dict[str, list[dict[str, Any]]]:
        """Lines of each anchor, by its key."""
        found = client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {
            each["Key"]: [
                json.loads(line)
                for line in client("s3").get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read().splitlines()
            ]
            for each in found
        }
