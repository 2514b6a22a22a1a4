"""Batch call -> the IAM action that AWS checks for it: SNS and SQS know no permission for batches of their own."""

from collections.abc import Callable

_SINGLE = {
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}

# (service, method, path, headers, body, query parameters) -> "sns:Publish", or None for what IAM does not know
Extract = Callable[..., str | None]


def as_aws_checks(extract: Extract) -> Extract:
    """`extract` with the actions of AWS."""

    def extracted(*request: object) -> str | None:
        action = extract(*request)
        return None if action is None else _SINGLE.get(action, action)

    return extracted
