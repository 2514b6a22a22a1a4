"""Kinesis batch -> Powertools batch processor -> for each record: pydantic, client calls, ONNX, log line, metrics.

The usual good practice: typed and validated input, partial failures, structured logs, metrics, conditional writes,
boto3 clients and a one-threaded ONNX session, made once. Features come from the project's own History and Frame.
"""

import json
import os
from datetime import datetime
from typing import Annotated, Any, Literal

import boto3
import numpy as np
import onnxruntime
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import AwareDatetime, BaseModel, Field

from functions.fraud.features import Frame
from functions.fraud.history import History, tag_of

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]


class Transaction(BaseModel):
    """One card payment, version 1."""

    version: Literal[1]
    transaction_id: Name
    card_id: Name
    terminal_id: Name
    merchant_id: Name | None = None
    amount: int = Field(gt=0, le=1_000_000_000)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    time: AwareDatetime
    correlation_id: Name | None = None


logger = Logger(service="fraud")
metrics = Metrics(namespace="Cuatro", service="fraud")
processor = BatchProcessor(event_type=EventType.KinesisDataStreams)
dynamodb = boto3.client("dynamodb")
sns = boto3.client("sns")

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL_URI"], options, providers=["CPUExecutionProvider"])
model_input = session.get_inputs()[0].name
probabilities = session.get_outputs()[-1].name

REVIEW_AT, DECLINE_AT = float(os.environ["REVIEW_AT"]), float(os.environ["DECLINE_AT"])


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Decide a batch; a record that fails is reported and retried."""
    return process_partial_response(event=event, record_handler=decide, processor=processor, context=context)


def decide(record: KinesisStreamRecord) -> None:
    """Read both states, score, write both states and the decision, tell about anything but approve."""
    transaction = Transaction.model_validate_json(record.kinesis.data_as_bytes())
    time, tag = int(transaction.time.timestamp()), tag_of(transaction.transaction_id)
    card, card_version = read(os.environ["CARDS_TABLE"], {"card_id": {"S": transaction.card_id}})
    terminal, terminal_version = read(os.environ["TERMINALS_TABLE"], {"terminal_id": {"S": transaction.terminal_id}})

    frame = Frame()
    frame.append(time, transaction.amount, card, terminal)
    score = score_of(frame.matrix())
    outcome = "decline" if score >= DECLINE_AT else "review" if score >= REVIEW_AT else "approve"

    card.add(tag, time, transaction.amount)
    terminal.add(tag, time, transaction.amount)
    write(os.environ["CARDS_TABLE"], {"card_id": {"S": transaction.card_id}}, card, card_version)
    write(os.environ["TERMINALS_TABLE"], {"terminal_id": {"S": transaction.terminal_id}}, terminal, terminal_version)
    keep(transaction, score, outcome)
    if outcome != "approve":
        message = {**transaction.model_dump(mode="json"), "score": score, "outcome": outcome}
        sns.publish(TopicArn=os.environ["ALERTS_TOPIC_ARN"], Subject=f"Payment: {outcome}", Message=json.dumps(message))
    logger.info("decided", extra={"transaction_id": transaction.transaction_id, "score": score, "outcome": outcome})
    metrics.add_metric(name="TransactionsScored", unit=MetricUnit.Count, value=1)
    latency = datetime.now(transaction.time.tzinfo) - transaction.time
    metrics.add_metric(name="EventToDecision", unit=MetricUnit.Milliseconds, value=latency.total_seconds() * 1000)


def score_of(matrix: np.ndarray) -> float:
    """[1, features] -> probability of fraud."""
    return float(np.ravel(session.run([probabilities], {model_input: matrix})[0])[-1])


def read(table: str, key: dict[str, Any]) -> tuple[History, int]:
    """The state under the key and its version; a new one has version 0."""
    item = dynamodb.get_item(TableName=table, Key=key).get("Item")
    return (History.unpack(item["s"]["B"]), int(item["v"]["N"])) if item else (History(), 0)


def write(table: str, key: dict[str, Any], history: History, version: int) -> None:
    """Replace the state if nobody else did since it was read. Raises ConditionalCheckFailedException."""
    dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET s = :s, v = :next, x = :x",
        ConditionExpression="attribute_not_exists(v) OR v = :v",
        ExpressionAttributeValues={
            ":s": {"B": history.pack()},
            ":v": {"N": str(version)},
            ":next": {"N": str(version + 1)},
            ":x": {"N": str(history.expires_at)},
        },
    )


def keep(transaction: Transaction, score: float, outcome: str) -> None:
    """Store the decision once."""
    dynamodb.put_item(
        TableName=os.environ["DECISIONS_TABLE"],
        Item={
            "transaction_id": {"S": transaction.transaction_id},
            "card_id": {"S": transaction.card_id},
            "terminal_id": {"S": transaction.terminal_id},
            "amount": {"N": str(transaction.amount)},
            "currency": {"S": transaction.currency},
            "time": {"S": transaction.time.isoformat()},
            "score": {"N": f"{score:.6f}"},
            "outcome": {"S": outcome},
        },
        ConditionExpression="attribute_not_exists(transaction_id)",
    )
