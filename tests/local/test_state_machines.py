"""State machines, rules and topics call functions as on AWS: with their input, their errors and their aliases."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from local.platform.client import Connection
from tests.local.conftest import Function, name, role
from tests.waiting import eventually

STEP = """
import json

class Unavailable(Exception):
    pass

calls = 0

def handler(event, context):
    global calls
    calls += 1
    print("CALLED", json.dumps(event))
    if event.get("action") == "fail":
        raise ValueError("it is bad")
    if event.get("action") == "recover" and calls % 3:
        raise Unavailable("not yet")
    return {"verdict": event.get("verdict"), "wait_s": 0, "calls": calls, "seen": event}
"""


@pytest.fixture(scope="module")
def step(function: Callable[..., Function]) -> Function:
    return function(STEP)


def invoke(step: Function, payload: dict[str, Any], **state: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": step.arn, "Payload": payload},
        **state,
    }


def machine(here: Connection, definition: dict[str, Any], **statement: Any) -> str:
    arn: str = here.client("stepfunctions").create_state_machine(
        name=name("machine"), definition=json.dumps(definition), roleArn=role(here, "states", **statement)
    )["stateMachineArn"]
    return arn


def run(here: Connection, definition: dict[str, Any], given: dict[str, Any], **statement: Any) -> dict[str, Any]:
    client = here.client("stepfunctions")
    execution = client.start_execution(stateMachineArn=machine(here, definition, **statement), input=json.dumps(given))[
        "executionArn"
    ]

    def ended() -> dict[str, Any] | None:
        described = client.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    return eventually(ended, "the end of the execution", 30)


def rollout(step: Function) -> dict[str, Any]:
    """Begin -> wait so long as it said -> check -> by its verdict; whatever fails goes to RollBack."""
    catch = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "RollBack"}]
    begin = {"action": "begin", "verdict.$": "$.verdict", "package.$": "$.package"}
    return {
        "StartAt": "Begin",
        "States": {
            "Begin": invoke(step, begin, ResultPath="$.begun", ResultSelector={"wait_s.$": "$.Payload.wait_s"},
                            Catch=catch, Next="Wait"),
            "Wait": {"Type": "Wait", "SecondsPath": "$.begun.wait_s", "Next": "Check"},
            "Check": invoke(step, {"action.$": "$.check", "verdict.$": "$.verdict"}, OutputPath="$.Payload",
                            Catch=catch, Next="Verdict"),
            "Verdict": {"Type": "Choice", "Default": "Bad", "Choices": [
                {"Variable": "$.verdict", "StringEquals": "good", "Next": "Done"},
                {"And": [{"Variable": "$.verdict", "IsPresent": True},
                         {"Variable": "$.verdict", "StringEquals": "wait"}], "Next": "Pause"},
            ]},
            "Pause": {"Type": "Wait", "Seconds": 1, "Next": "Done"},
            "Done": {"Type": "Succeed"},
            "RollBack": invoke(step, {"action": "roll_back", "reason.$": "$.error.Cause"}, ResultPath=None,
                               Next="Failed"),
            "Failed": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"},
            "Bad": {"Type": "Fail", "Error": "Bad", "Cause": "the check said so"},
        },
    }  # fmt: skip


@pytest.mark.parametrize(("verdict", "status"), [("good", "SUCCEEDED"), ("wait", "SUCCEEDED"), ("bad", "FAILED")])
def test_choices_waits_and_the_functions_answer(here: Connection, step: Function, verdict: str, status: str) -> None:
    began = time.monotonic()
    ended = run(here, rollout(step), {"verdict": verdict, "package": "p", "check": "check"})
    assert ended["status"] == status, ended
    if verdict == "wait":
        assert time.monotonic() - began >= 1
    if status == "SUCCEEDED":
        assert json.loads(ended["output"])["seen"] == {"action": "check", "verdict": verdict}
    else:
        assert (ended["error"], ended["cause"]) == ("Bad", "the check said so")


def test_a_failing_step_is_caught_with_its_type_and_message(here: Connection, step: Function) -> None:
    ended = run(here, rollout(step), {"verdict": "good", "package": "p", "check": "fail"})
    assert (ended["status"], ended["error"]) == ("FAILED", "ValueError")
    assert json.loads(ended["cause"])["errorMessage"] == "it is bad"
    told = json.loads(step.lines("CALLED")[-1])
    assert told["action"] == "roll_back"
    assert json.loads(told["reason"])["errorType"] == "ValueError"


def test_a_step_is_retried_by_the_name_of_its_error(here: Connection, function: Callable[..., Function]) -> None:
    step = function(STEP)
    retry = [{"ErrorEquals": ["Unavailable"], "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 1.0}]
    definition = {
        "StartAt": "Try",
        "States": {"Try": invoke(step, {"action": "recover"}, Retry=retry, OutputPath="$.Payload.calls", End=True)},
    }
    ended = run(here, definition, {})
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == len(step.lines("CALLED")) == 3


def test_a_machine_needs_its_roles_grant(here: Connection, step: Function) -> None:
    definition = {"StartAt": "Try", "States": {"Try": invoke(step, {}, End=True)}}
    ended = run(here, definition, {}, Action="lambda:InvokeFunction", Resource=f"{step.arn}-other")
    assert ended["status"] == "FAILED"
    assert "is not authorized to perform: lambda:InvokeFunction" in ended["cause"]
    assert run(here, definition, {}, Action="lambda:InvokeFunction", Resource=step.arn)["status"] == "SUCCEEDED"


def test_a_state_hands_on_no_more_than_aws_carries(here: Connection, function: Callable[..., Function]) -> None:
    large = function("def handler(event, context):\n    return 'x' * event['bytes']")
    alone = {"StartAt": "Large", "States": {"Large": invoke(large, {"bytes.$": "$.bytes"}, End=True)}}
    items = invoke(large, {"bytes.$": "$"}, OutputPath="$.Payload", End=True)
    both = {"StartAt": "Both", "States": {"Both": {
        "Type": "Map", "ItemsPath": "$.bytes", "ItemProcessor": {"StartAt": "Each", "States": {"Each": items}},
        "End": True}}}  # fmt: skip
    for definition, fits, too_large in ((alone, 200_000, 270_000), (both, [120_000] * 2, [140_000] * 2)):
        assert run(here, definition, {"bytes": fits})["status"] == "SUCCEEDED"
        assert run(here, definition, {"bytes": too_large})["error"] == "States.DataLimitExceeded"


def test_a_rule_starts_a_machine_with_the_input_that_it_makes(here: Connection, step: Function) -> None:
    definition = {"StartAt": "Try", "States": {"Try": invoke(step, {"given.$": "$"}, End=True)}}
    arn, events, rule, source = machine(here, definition), here.client("events"), name("rule"), name("source")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))
    made = {
        "InputPathsMap": {"package": "$.detail.ModelPackageArn"},
        "InputTemplate": '{"model_package_arn": <package>, "by": "rule"}',
    }
    events.put_targets(
        Rule=rule, Targets=[{"Id": "m", "Arn": arn, "RoleArn": role(here, "events"), "InputTransformer": made}]
    )
    events.put_events(
        Entries=[{"Source": source, "DetailType": "x", "Detail": json.dumps({"ModelPackageArn": "arn:package"})}]
    )
    executions = here.client("stepfunctions")
    (execution,) = eventually(
        lambda: executions.list_executions(stateMachineArn=arn)["executions"] or None, "the execution"
    )
    given = executions.describe_execution(executionArn=execution["executionArn"])["input"]
    assert json.loads(given) == {"model_package_arn": "arn:package", "by": "rule"}


def test_a_topic_and_a_rule_of_a_stack_call_an_alias(here: Connection, function: Callable[..., Function]) -> None:
    made, source = function(STEP), name("source")
    version = made.publish()
    alias = here.client("lambda").create_alias(FunctionName=made.name, Name="live", FunctionVersion=version)["AliasArn"]
    template = {
        "Resources": {
            "Rule": {"Type": "AWS::Events::Rule", "Properties": {
                "EventPattern": {"source": [source]},
                "Targets": [{"Id": "t", "Arn": alias, "Input": json.dumps({"reason": "rule"})}],
            }},
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Subscription": {"Type": "AWS::SNS::Subscription", "Properties": {
                "Protocol": "lambda", "TopicArn": {"Ref": "Topic"}, "Endpoint": alias,
            }},
            "ByRule": {"Type": "AWS::Lambda::Permission", "Properties": {
                "Action": "lambda:InvokeFunction", "FunctionName": alias, "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
            }},
            "ByTopic": {"Type": "AWS::Lambda::Permission", "Properties": {
                "Action": "lambda:InvokeFunction", "FunctionName": alias, "Principal": "sns.amazonaws.com",
                "SourceArn": {"Ref": "Topic"},
            }},
        },
        "Outputs": {"Topic": {"Value": {"Ref": "Topic"}}},
    }  # fmt: skip
    stack = name("stack")
    here.client("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(template))
    here.client("cloudformation").get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    here.client("sns").publish(TopicArn=here.outputs(stack)["Topic"], Subject="s", Message="retrain")
    here.client("events").put_events(Entries=[{"Source": source, "DetailType": "x", "Detail": "{}"}])

    def calls() -> list[Any]:
        return [json.loads(line) for line in made.lines("CALLED")]

    (message,) = eventually(lambda: [call for call in calls() if "Records" in call] or None, "the topic's call")
    assert message["Records"][0]["Sns"]["Message"] == "retrain"
    eventually(lambda: {"reason": "rule"} in calls(), "the rule's call")
    dimensions = [{"Name": "FunctionName", "Value": made.name}, {"Name": "Resource", "Value": f"{made.name}:live"}]
    found = here.client("cloudwatch").list_metrics(Namespace="AWS/Lambda", Dimensions=dimensions)["Metrics"]
    assert "Invocations" in {metric["MetricName"] for metric in found}


def test_a_schedule_calls_an_alias_with_its_input(scheduled: Function) -> None:
    eventually(lambda: {"reason": "schedule"} in map(json.loads, scheduled.lines("CALLED")), "the schedule's call", 90)
