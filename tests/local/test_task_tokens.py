"""A state waits for its token's answer as on AWS: once, in time, by whoever may; a stopped execution waits no more."""

import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.platform.account import ACCOUNT, REGION
from local.platform.client import Connection
from tests.local.conftest import Function, name, role
from tests.waiting import eventually

ASK = """
import json
def handler(event, context):
    print("ASKED", json.dumps(event))
    if event.get("fails"):
        raise LookupError("nobody to ask")
    return {"ignored": True}
"""
CAUGHT = {
    "Caught": {"Type": "Pass", "Parameters": {"caught.$": "$.failed.Error", "why.$": "$.failed.Cause"}, "End": True}
}


@pytest.fixture(scope="module")
def asked(function: Callable[..., Function]) -> Function:
    return function(ASK)


class Waiting:
    """An execution that asks and waits, with the token that the function was given."""

    def __init__(
        self, here: Connection, asked: Function, *, grant: str = "", fails: bool = False, **state: Any
    ) -> None:
        self.client, self.asked, self.mark = here.client("stepfunctions"), asked, name("mark")
        payload = {"token.$": "$$.Task.Token", "study.$": "$.study", "fails": fails}
        waits = {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {"FunctionName": asked.arn, "Payload": payload}, "ResultPath": "$.review",
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failed", "Next": "Caught"}], "End": True,
        }  # fmt: skip
        definition = {"StartAt": "Ask", "States": {"Ask": {**waits, **state}, **CAUGHT}}
        granted = {"Action": "lambda:InvokeFunction", "Resource": grant or asked.arn}
        self.machine = self.client.create_state_machine(
            name=name("machine"), definition=json.dumps(definition), roleArn=role(here, "states", **granted)
        )["stateMachineArn"]
        self.execution = self.start()

    def start(self, called: str = "", study: str = "") -> str:
        arn: str = self.client.start_execution(
            stateMachineArn=self.machine, name=called or self.mark, input=json.dumps({"study": study or self.mark})
        )["executionArn"]
        return arn

    def calls(self) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.asked.lines("ASKED")]
        return [event for event in found if event["study"] == self.mark]

    @property
    def token(self) -> str:
        return str(eventually(lambda: self.calls() or None, "the function's call")[0]["token"])

    def described(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.describe_execution(executionArn=self.execution)
        return found

    def ended(self) -> dict[str, Any]:
        found = eventually(lambda: d if (d := self.described())["status"] != "RUNNING" else None, "the end")
        return {"status": found["status"], **json.loads(found.get("output") or "{}")}

    def refused(self, call: str, **arguments: Any) -> str:
        with pytest.raises(ClientError) as raised:
            getattr(self.client, call)(**{"taskToken": self.token} | arguments)
        return str(raised.value.response["Error"]["Code"])


def test_the_answer_is_the_states_result_and_counts_once(here: Connection, asked: Function) -> None:
    waiting = Waiting(here, asked)
    assert waiting.refused("send_task_success", output="{no json") == "InvalidOutput"
    assert waiting.described()["status"] == "RUNNING"
    waiting.client.send_task_success(taskToken=waiting.token, output=json.dumps({"outcome": "normal"}))
    assert waiting.refused("send_task_success", output="{}") == "TaskTimedOut"
    ended = waiting.ended()
    assert (ended["status"], ended["review"]) == ("SUCCEEDED", {"outcome": "normal"})
    assert waiting.refused("send_task_success", output="{}") == "TaskTimedOut"
    assert waiting.refused("send_task_heartbeat") == "TaskTimedOut"
    assert waiting.refused("send_task_failure", taskToken="no-token") == "InvalidToken"
    assert len(waiting.calls()) == 1


def test_a_failure_that_is_sent_is_the_states_error(here: Connection, asked: Function) -> None:
    waiting = Waiting(here, asked)
    waiting.client.send_task_failure(taskToken=waiting.token, error="Expired", cause="nobody read it")
    assert waiting.ended() == {"status": "SUCCEEDED", "caught": "Expired", "why": "nobody read it"}


def test_a_function_that_cannot_ask_fails_the_state(here: Connection, asked: Function) -> None:
    retry = [{"ErrorEquals": ["LookupError"], "IntervalSeconds": 1, "MaxAttempts": 1, "BackoffRate": 1.0}]
    waiting = Waiting(here, asked, fails=True, Retry=retry)
    ended = waiting.ended()
    assert (ended["caught"], json.loads(ended["why"])["errorMessage"]) == ("LookupError", "nobody to ask")
    assert len({call["token"] for call in waiting.calls()}) == len(waiting.calls()) == 2
    assert waiting.refused("send_task_success", output="{}") == "TaskTimedOut"


def test_the_machines_role_must_be_allowed_to_call(here: Connection, asked: Function) -> None:
    ended = Waiting(here, asked, grant=f"{asked.arn}-other").ended()
    assert ended["caught"] == "Lambda.AWSLambdaException"
    assert "is not authorized to perform: lambda:InvokeFunction" in ended["why"]


def test_who_waits_too_long_is_told_so(here: Connection, asked: Function) -> None:
    waiting = Waiting(here, asked, TimeoutSeconds=2)
    assert waiting.token
    assert waiting.ended()["caught"] == "States.Timeout"
    assert waiting.refused("send_task_success", output="{}") == "TaskTimedOut"


def test_heartbeats_keep_a_task_alive(here: Connection, asked: Function) -> None:
    waiting = Waiting(here, asked, HeartbeatSeconds=4)
    began, token = time.monotonic(), waiting.token
    while time.monotonic() - began < 6:
        waiting.client.send_task_heartbeat(taskToken=token)
        time.sleep(0.3)
    assert waiting.described()["status"] == "RUNNING"
    assert waiting.ended()["caught"] == "States.HeartbeatTimeout"


def test_a_stopped_execution_waits_no_more_and_catches_nothing(here: Connection, asked: Function) -> None:
    waiting = Waiting(here, asked)
    assert waiting.token
    waiting.client.stop_execution(executionArn=waiting.execution, error="Erased", cause="the patient was erased")
    assert waiting.refused("send_task_success", output="{}") == "TaskTimedOut"
    time.sleep(1.5)  # what would be caught, or fail, would be by now
    described = waiting.described()
    assert (described["status"], described["error"]) == ("ABORTED", "Erased")


def test_one_name_is_one_execution(here: Connection, asked: Function) -> None:
    waiting = Waiting(here, asked)
    assert waiting.start(waiting.mark) == waiting.execution
    with pytest.raises(waiting.client.exceptions.ExecutionAlreadyExists):
        waiting.start(waiting.mark, study="another")
    waiting.client.send_task_success(taskToken=waiting.token, output="{}")
    waiting.ended()
    with pytest.raises(waiting.client.exceptions.ExecutionAlreadyExists):
        waiting.start(waiting.mark)
    assert len(waiting.calls()) == 1


def test_answering_needs_a_grant_on_the_machine(here: Connection, asked: Function) -> None:
    waiting = Waiting(here, asked)
    iam, sts = here.client("iam"), here.client("sts")

    def answer_with_grant_on(resource: str) -> None:
        this, trust = name("role"), {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
        document = json.dumps({"Statement": [{**trust, "Action": "sts:AssumeRole"}]})
        arn = iam.create_role(RoleName=this, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        granted = {"Effect": "Allow", "Action": "states:SendTaskSuccess", "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [granted]})
        iam.put_role_policy(RoleName=this, PolicyName="this", PolicyDocument=document)
        keys = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], REGION)
        session.client("stepfunctions", endpoint_url=here.endpoint).send_task_success(
            taskToken=waiting.token, output='{"outcome": "normal"}'
        )

    with pytest.raises(ClientError, match="AccessDenied"):
        answer_with_grant_on(f"{waiting.machine}-other")
    answer_with_grant_on(waiting.machine)
    assert waiting.ended()["review"] == {"outcome": "normal"}


def test_a_map_reads_every_item_and_a_choice_sends_the_whole_on(
    here: Connection, function: Callable[..., Function], asked: Function
) -> None:
    read = function("def handler(event, context):\n    return {**event, 'state': 'read', 'p': event['at'] / 4}")
    item = {"StartAt": "Read", "States": {"Read": {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "OutputPath": "$.Payload", "End": True,
        "Parameters": {"FunctionName": read.arn, "Payload.$": "$"}}}}  # fmt: skip
    definition = {"StartAt": "Items", "States": {
        "Items": {"Type": "Map", "ItemsPath": "$.instances", "MaxConcurrency": 2, "ItemProcessor": item,
                  "ItemSelector": {"study.$": "$.study", "instance.$": "$$.Map.Item.Value",
                                   "at.$": "$$.Map.Item.Index"},
                  "ResultPath": "$.items", "Next": "Route"},
        "Route": {"Type": "Choice", "Default": "Report", "Choices": [
            {"Variable": "$.items[3].p", "NumericGreaterThan": 0.5, "Next": "Review"}]},
        "Review": {"Type": "Pass", "Result": "review", "ResultPath": "$.route", "End": True},
        "Report": {"Type": "Pass", "Result": "report", "ResultPath": "$.route", "End": True},
    }}  # fmt: skip
    client = here.client("stepfunctions")
    allowed = role(here, "states", Action="lambda:InvokeFunction", Resource=read.arn)
    machine = client.create_state_machine(name=name("map"), definition=json.dumps(definition), roleArn=allowed)
    given = json.dumps({"study": "s", "instances": ["a", "b", "c", "d"]})
    execution = client.start_execution(stateMachineArn=machine["stateMachineArn"], input=given)["executionArn"]
    ended = eventually(
        lambda: d if (d := client.describe_execution(executionArn=execution))["status"] != "RUNNING" else None,
        "the end",
    )
    output = json.loads(ended["output"])
    assert [(each["instance"], each["study"], each["p"]) for each in output["items"]] == [
        ("a", "s", 0.0), ("b", "s", 0.25), ("c", "s", 0.5), ("d", "s", 0.75)]  # fmt: skip
    assert output["route"] == "review"
