"""Dead letters of a queue -> the queue, whole and in their order; each is gone from the one when the other has it."""

import json
from typing import Any

_BATCH = 10
_HOLD_S = 60


def dead_letters(sqs: Any, url: str) -> tuple[str, int]:
    """(URL of a queue's dead letters, how many there are about); ("", 0) for a queue without."""
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]).get("Attributes", {})
    if "RedrivePolicy" not in policy:
        return "", 0
    name = json.loads(policy["RedrivePolicy"])["deadLetterTargetArn"].rpartition(":")[2]
    dead: str = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    count = "ApproximateNumberOfMessages"
    return dead, int(sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=[count])["Attributes"][count])


def move(sqs: Any, dead: str, url: str, limit: int = 0) -> int:
    """Moves dead letters back; returns how many. limit 0: all. Cut off, a message may be in both: readers count once.

    Of a FIFO queue's message the group and its order stay; it is not taken for the one that failed.
    """
    moved = 0
    while not limit or moved < limit:
        most = min(_BATCH, limit - moved) if limit else _BATCH
        messages = sqs.receive_message(
            QueueUrl=dead, MaxNumberOfMessages=most, VisibilityTimeout=_HOLD_S, AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])  # fmt: skip
        if not messages:
            break
        for message in messages:
            sqs.send_message(QueueUrl=url, MessageBody=message["Body"], **_options(message))
            sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def _options(message: dict[str, Any]) -> dict[str, Any]:
    group = message.get("Attributes", {}).get("MessageGroupId")
    options: dict[str, Any] = {}
    if group:
        options = {"MessageGroupId": group, "MessageDeduplicationId": f"again-{message['MessageId']}"}
    if message.get("MessageAttributes"):
        options["MessageAttributes"] = message["MessageAttributes"]
    return options
