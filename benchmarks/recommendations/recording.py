"""One Kinesis batch of interactions through `record`, AWS stubbed -> CPU and AWS calls an interaction.

Beside it what everybody writes first: for each record an UpdateItem that appends to the user's list.
"""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import boto3

from benchmarks.aws import stubbed
from benchmarks.environment import Context
from benchmarks.measure import Contestant, interleaved
from benchmarks.recommendations.workload import Workload, body, interaction

NAIVE, OURS = "naive", "record"
BATCH = 100
_FAST_TIMES = 5


def measure(workload: Workload, rounds: int) -> dict[str, Any]:
    """CPU nanoseconds a batch and calls by operation: the newest interactions of those whose profiles are there."""
    own = workload.rows[workload.rows.user_id.isin(workload.users)].tail(BATCH)
    # Ids that no profile knows: these are new.
    bodies = [
        json.dumps({**json.loads(body(interaction(row))), "event_id": f"new-{row.event_id}"}).encode()
        for row in own.itertuples()
    ]
    event = {"Records": [_record(number, each) for number, each in enumerate(bodies)]}
    aws = workload.aws()
    with stubbed(aws):
        from functions.recommendations.record.handler import handler  # noqa: PLC0415 - it reads the environment

        contestants = [
            Contestant(NAIVE, _naive(event)),
            Contestant(OURS, lambda: handler(event, Context()), _FAST_TIMES),
        ]
        calls = {}
        for contestant in contestants:
            before = aws.calls.copy()
            contestant.run()
            calls[contestant.name] = aws.calls - before
        spent = interleaved(contestants, rounds, lambda: aws.spent_ns)
    return {"records": BATCH, "users": int(own.user_id.nunique()), "ns": spent, "calls": calls}


def _naive(event: dict[str, Any]) -> Callable[[], None]:
    histories = boto3.resource("dynamodb").Table("histories")

    def run() -> None:
        for record in event["Records"]:
            told = json.loads(base64.b64decode(record["kinesis"]["data"]))
            histories.update_item(
                Key={"user_id": told["user_id"]},
                UpdateExpression="SET #i = list_append(if_not_exists(#i, :none), :new)",
                ExpressionAttributeNames={"#i": "items"},
                ExpressionAttributeValues={":new": [told["item_id"]], ":none": []},
            )

    return run


def _record(number: int, data: bytes) -> dict[str, Any]:
    sequence = f"49546986683135544286507457936321625675700192471156785{number:03d}"
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "u",
            "sequenceNumber": sequence,
            "data": base64.b64encode(data).decode(),
            "approximateArrivalTimestamp": time.time(),
        },
        "eventSource": "aws:kinesis",
        "eventID": f"shardId-000000000006:{sequence}",
        "eventName": "aws:kinesis:record",
    }
