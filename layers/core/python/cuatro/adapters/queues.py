"""Messages -> SQS, now or some time later."""

from typing import Any

import msgspec

from cuatro.adapters.aws import called

MAX_DELAY_S = 900


def send(queue_url: str, message: Any, delay_s: float = 0) -> None:
    """message: as JSON. delay_s: seconds until it is seen, at most MAX_DELAY_S. Raises Unavailable or Refused."""
    body = msgspec.json.encode(message).decode()
    delay = max(0, min(MAX_DELAY_S, round(delay_s + 0.4999)))  # SQS counts whole seconds: rather too late
    called("sqs", "send_message", QueueUrl=queue_url, MessageBody=body, DelaySeconds=delay)
