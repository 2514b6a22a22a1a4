"""Replay of studies: failed ones, and those whose execution is gone, are read again; dead letters find their queues."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from local.cli.replay_imaging import replay_imaging
from local.platform.client import Connection
from local.replay import messages, studies
from local.replay.studies import Stuck
from tests.unit.replaying import mocked

__all__ = ["mocked"]  # the fixture `aws`

A, B, C, D, E, F = (letter * 26 for letter in "abcdef")


@pytest.fixture
def outputs(aws: Connection) -> dict[str, str]:
    """Tables and queues of the pipeline, each queue with dead letters."""
    found = {}
    for table, key in (("Studies", "study"), ("Instances", "instance")):
        aws.client("dynamodb").create_table(
            TableName=table, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        )  # fmt: skip
        found[f"{table}Table"] = table
    sqs = aws.client("sqs")
    for name, fifo in (("Arrivals", ""), ("Quiet", ""), ("Audit", ".fifo")):
        attributes = {"FifoQueue": "true"} if fifo else {}
        dead = sqs.create_queue(QueueName=f"{name}-dead{fifo}", Attributes=attributes)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})}
        made = sqs.create_queue(QueueName=f"{name}{fifo}", Attributes={**attributes, **policy})
        found[f"{name}QueueUrl"] = made["QueueUrl"]
    return found


def execution(aws: Connection, name: str, ended: bool) -> str:
    client = aws.client("stepfunctions")
    machine = client.create_state_machine(
        name="reading", definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
        roleArn="arn:aws:iam::123456789012:role/r",
    )["stateMachineArn"]  # fmt: skip
    arn: str = client.start_execution(stateMachineArn=machine, name=name)["executionArn"]
    if ended:
        client.stop_execution(executionArn=arn)
    return arn


def put(aws: Connection, table: str, **values: Any) -> None:
    kinds = {str: "S", int: "N"}
    item = {name: {kinds[type(value)]: str(value)} for name, value in values.items()}
    aws.client("dynamodb").put_item(TableName=table, Item=item)


def bodies(aws: Connection, url: str) -> list[Any]:
    found = aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in found]


def ran(aws: Connection, outputs: dict[str, str], reason: str = "", dry_run: bool = False, limit: int = 0) -> str:
    console = Console(file=io.StringIO(), width=160)
    replay_imaging(console, aws, outputs, reason=reason, dry_run=dry_run, limit=limit)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def waiting(aws: Connection, outputs: dict[str, str]) -> dict[str, str]:
    put(aws, "Studies", study=A, s="failed", v=json.dumps({"error": "Refused"}))
    put(aws, "Studies", study=B, s="review", e=execution(aws, "b-1", ended=True))
    put(aws, "Studies", study=C, s="review", e=execution(aws, "c-1", ended=False))
    put(aws, "Studies", study=D, s="reading", e="arn:aws:states:us-east-1:123456789012:execution:reading:gone")
    put(aws, "Studies", study=E, s="read", e=execution(aws, "e-1", ended=True))
    put(aws, "Studies", study=F, s="arriving")
    return outputs


def test_failed_stopped_and_lost_readings_are_found_and_others_left(aws: Connection, waiting: dict[str, str]) -> None:
    found = sorted(studies.stuck(aws, waiting))
    assert found == [Stuck(A, "failed", "Refused"), Stuck(B, "review", "aborted"), Stuck(D, "reading", "lost")]
    assert len(studies.stuck(aws, waiting, limit=2)) == 2


def test_they_are_begun_again_and_the_ledger_knows_who_asked(aws: Connection, waiting: dict[str, str]) -> None:
    assert "3 studies are read again" in ran(aws, waiting)
    asked = bodies(aws, waiting["QuietQueueUrl"])
    assert sorted(each["study"] for each in asked) == [A, B, D]
    assert all(each["again"] is True for each in asked)
    told = bodies(aws, waiting["AuditQueueUrl"])
    assert {(each["action"], each["object"], each["outcome"]) for each in told} == {
        ("replay", study, "success") for study in (A, B, D)}  # fmt: skip
    assert all(each["actor"].startswith("operator:") for each in told)


def test_a_dry_run_shows_and_sends_nothing(aws: Connection, waiting: dict[str, str]) -> None:
    said = ran(aws, waiting, dry_run=True)
    assert A in said
    assert "aborted" in said
    assert bodies(aws, waiting["QuietQueueUrl"]) == bodies(aws, waiting["AuditQueueUrl"]) == []


def test_studies_with_an_image_that_was_rejected_with_a_code(aws: Connection, waiting: dict[str, str]) -> None:
    put(aws, "Instances", instance=A, study=E, s="rejected", why="multi_frame", rev=1)
    put(aws, "Instances", instance=B, study=E, s="rejected", why="multi_frame", rev=1)
    put(aws, "Instances", instance=C, study=F, s="rejected", why="no_pixels", rev=1)
    put(aws, "Instances", instance=D, s="rejected", why="multi_frame")  # refused on arrival: of no study
    assert studies.stuck(aws, waiting, "multi_frame") == [Stuck(E, "rejected", "multi_frame")]
    ran(aws, waiting, reason="multi_frame")
    assert [each["study"] for each in bodies(aws, waiting["QuietQueueUrl"])] == [E]


def test_dead_letters_return_to_their_queue_in_order(aws: Connection, outputs: dict[str, str]) -> None:
    sqs, url = aws.client("sqs"), outputs["AuditQueueUrl"]
    dead, none = messages.dead_letters(sqs, url)
    assert none == 0
    for number in range(12):
        sqs.send_message(
            QueueUrl=dead, MessageBody=str(number), MessageGroupId="ledger", MessageDeduplicationId=f"d{number}"
        )
    assert "12 entries of the ledger wait among the dead letters" in ran(aws, outputs, dry_run=True)
    assert "12 entries of the ledger sent again" in ran(aws, outputs)
    assert messages.dead_letters(sqs, url)[1] == 0
    found = []
    while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages"):
        for message in batch:
            assert message["Attributes"]["MessageGroupId"] == "ledger"
            found.append(int(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert found == list(range(12))


def test_a_queue_without_dead_letters_has_none(aws: Connection) -> None:
    sqs = aws.client("sqs")
    assert messages.dead_letters(sqs, sqs.create_queue(QueueName="alone")["QueueUrl"]) == ("", 0)


def test_nothing_waits(aws: Connection, outputs: dict[str, str]) -> None:
    said = ran(aws, outputs)
    assert "No study waits to be read again." in said
    assert "No arrived files wait among the dead letters." in said
