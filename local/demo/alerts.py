"""The alerts topic -> a temporary queue -> alerts, as a subscriber gets them; queue and subscription go at the end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.platform.client import Connection

QUEUE_PREFIX = "cuatro-demo-"


class AlertQueue:
    """Receives the alerts of one run, whose `field` begins with it; those of others are dropped."""

    def __init__(self, sqs: Any, url: str, run: str, field: str) -> None:
        self._sqs, self._url, self._run, self._field = sqs, url, run, field

    def receive(self, wait_s: int = 0) -> list[dict[str, Any]]:
        """Up to ten alerts' messages, waiting up to `wait_s` seconds for the first."""
        messages = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_s).get(
            "Messages", []
        )
        if messages:
            handles = [{"Id": str(at), "ReceiptHandle": m["ReceiptHandle"]} for at, m in enumerate(messages)]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=handles)
        alerts = [json.loads(message["Body"]) for message in messages]
        return [alert for alert in alerts if alert[self._field].startswith(self._run)]


@contextmanager
def alert_queue(
    connection: Connection, topic_arn: str, run: str, field: str = "transaction_id"
) -> Iterator[AlertQueue]:
    """Subscribe for the time of the block, which may end in any way, Ctrl-C included."""
    sqs, sns = connection.client("sqs"), connection.client("sns")
    url = sqs.create_queue(QueueName=f"{QUEUE_PREFIX}{run}", Attributes={"MessageRetentionPeriod": "3600"})["QueueUrl"]
    subscription = None
    try:
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
                }
            ],
        }
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        subscription = sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"RawMessageDelivery": "true"},
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        yield AlertQueue(sqs, url, run, field)
    finally:
        if subscription:
            sns.unsubscribe(SubscriptionArn=subscription)
        sqs.delete_queue(QueueUrl=url)
