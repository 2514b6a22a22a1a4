"""Studies whose reading failed, or that lost it -> their next revision, asked for of the function that begins them.

A reading is lost when its execution is no longer there: it was stopped, or the local platform ended while it waited.
"""

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from cuatro.audit import audit_event, encode
from cuatro.times import text_of
from functions.imaging.studies import READING, REJECTED
from local.platform.client import Connection

FAILED, REVIEW = "failed", "review"
_UNFINISHED = (FAILED, READING, REVIEW)
_GROUP = "ledger"


class Stuck(NamedTuple):
    """A study by its pseudonym, its state, and why it is read again: a code."""

    study: str
    state: str
    why: str


def stuck(connection: Connection, outputs: dict[str, str], code: str = "", limit: int = 0) -> list[Stuck]:
    """Studies to read again. code: instead of the failed ones, those of which an instance was rejected with it."""
    found = _refused(connection, outputs, code) if code else _failed(connection, outputs)
    return list(found)[: limit or None]


def _failed(connection: Connection, outputs: dict[str, str]) -> Iterator[Stuck]:
    words = {f":s{at}": {"S": state} for at, state in enumerate(_UNFINISHED)}
    for row in _rows(connection, outputs["StudiesTable"], f"s IN ({', '.join(words)})", words):
        study, state = row["study"]["S"], row["s"]["S"]
        if state == FAILED:
            outcome = json.loads(row.get("v", {}).get("S") or "{}")
            yield Stuck(study, state, str(outcome.get("error") or FAILED))
        elif row.get("e") and (ended := _ended(connection, row["e"]["S"])):
            yield Stuck(study, state, ended)


def _refused(connection: Connection, outputs: dict[str, str], code: str) -> Iterator[Stuck]:
    words = {":s": {"S": REJECTED}, ":why": {"S": code}}
    wanted = "s = :s AND why = :why AND attribute_exists(study) AND attribute_exists(rev)"
    rows = _rows(connection, outputs["InstancesTable"], wanted, words)
    yield from (Stuck(study, REJECTED, code) for study in dict.fromkeys(row["study"]["S"] for row in rows))


def _rows(connection: Connection, table: str, wanted: str, words: dict[str, Any]) -> Iterator[dict[str, Any]]:
    pages = connection.client("dynamodb").get_paginator("scan").paginate(
        TableName=table, FilterExpression=wanted, ExpressionAttributeValues=words
    )  # fmt: skip
    for page in pages:
        yield from page["Items"]


def _ended(connection: Connection, execution: str) -> str:
    """How an execution ended without its study's knowing, in lower case; empty while it runs, or after it is done."""
    client = connection.client("stepfunctions")
    try:
        status: str = client.describe_execution(executionArn=execution)["status"]
    except client.exceptions.ExecutionDoesNotExist:
        return "lost"
    return "" if status in {"RUNNING", "PENDING_REDRIVE", "SUCCEEDED"} else status.lower()


def read_again(connection: Connection, outputs: dict[str, str], study: str, actor: str) -> None:
    """Asks for the study's next revision; the ledger is told who did."""
    sqs, id = connection.client("sqs"), secrets.token_hex(16)  # noqa: A001 - the event's field
    event = audit_event(
        id, text_of(int(time.time() * 1000)), "replay", study, actor=actor, outcome="success", purpose="operations"
    )
    sqs.send_message(
        QueueUrl=outputs["AuditQueueUrl"], MessageBody=encode(event).decode(), MessageGroupId=_GROUP,
        MessageDeduplicationId=id,
    )  # fmt: skip
    sqs.send_message(QueueUrl=outputs["QuietQueueUrl"], MessageBody=json.dumps({"study": study, "again": True}))


def operator(connection: Connection) -> str:
    """Who runs the command, as the ledger names people: the last part of their ARN."""
    arn: str = connection.client("sts").get_caller_identity()["Arn"]
    return f"operator:{arn.rpartition('/')[2].rpartition(':')[2]}"
