"""A function of ours stands behind a resource of a stack: it is asked to create, update and delete, and may refuse."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from local.platform.client import Connection
from tests.local.conftest import Function, name
from tests.waiting import eventually

# As the CDK's provider of Python resources does it: the answer goes to the address that CloudFormation gave. It also
# calls the platform, while the platform provisions.
ANSWERS = """
import json, urllib.request
import boto3

def handler(event, context):
    request, properties = event["RequestType"], event["ResourceProperties"]
    print("ASKED", request, json.dumps([properties.get("Text"), event.get("OldResourceProperties", {}).get("Text")]))
    boto3.client("lambda").get_function(FunctionName=context.function_name)
    if properties.get("Text") == "raise":
        raise ValueError("nothing answers")
    refused = properties.get("Text") == "refuse" and request != "Delete"
    answer = {
        "Status": "FAILED" if refused else "SUCCESS",
        "Reason": "refused by the function",
        "PhysicalResourceId": event.get("PhysicalResourceId") or "made-by-us",
        "StackId": event["StackId"], "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Text": "answer to " + properties.get("Text", "")},
    }
    body = json.dumps(answer).encode()
    where, headers = event["ResponseURL"], {"Content-Type": ""}
    urllib.request.urlopen(urllib.request.Request(where, data=body, method="PUT", headers=headers))
"""


@pytest.fixture(scope="module")
def provider(function: Callable[..., Function]) -> Function:
    return function(ANSWERS)


def template(provider: Function, text: str) -> str:
    resource = {
        "Type": "Custom::Ours",
        "Properties": {"ServiceToken": provider.arn, "Text": text, "ServiceTimeout": "20"},
    }
    outputs = {"Text": {"Value": {"Fn::GetAtt": ["Ours", "Text"]}}, "Id": {"Value": {"Ref": "Ours"}}}
    return json.dumps({"Resources": {"Ours": resource}, "Outputs": outputs})


def asked(provider: Function) -> list[tuple[str, Any]]:
    return [(line.split()[0], json.loads(line.split(maxsplit=1)[1])) for line in provider.lines("ASKED")]


def test_it_is_made_changed_and_removed_with_its_stack(here: Connection, provider: Function) -> None:
    stacks, this = here.client("cloudformation"), name("stack")
    soon = {"Delay": 1, "MaxAttempts": 30}
    stacks.create_stack(StackName=this, TemplateBody=template(provider, "one"))
    stacks.get_waiter("stack_create_complete").wait(StackName=this, WaiterConfig=soon)
    assert here.outputs(this) == {"Text": "answer to one", "Id": "made-by-us"}
    stacks.update_stack(StackName=this, TemplateBody=template(provider, "two"))
    stacks.get_waiter("stack_update_complete").wait(StackName=this, WaiterConfig=soon)
    assert here.outputs(this) == {"Text": "answer to two", "Id": "made-by-us"}
    stacks.delete_stack(StackName=this)
    stacks.get_waiter("stack_delete_complete").wait(StackName=this, WaiterConfig=soon)
    eventually(
        lambda: asked(provider) == [("Create", ["one", None]), ("Update", ["two", "one"]), ("Delete", ["two", None])],
        "the three requests",
    )


def test_a_refusal_rolls_the_stack_back_with_its_reason(here: Connection, provider: Function) -> None:
    stacks, this = here.client("cloudformation"), name("stack")
    stacks.create_stack(StackName=this, TemplateBody=template(provider, "refuse"))
    with pytest.raises(WaiterError):
        stacks.get_waiter("stack_create_complete").wait(StackName=this, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    events = stacks.describe_stack_events(StackName=this)["StackEvents"]
    assert any("refused by the function" in event.get("ResourceStatusReason", "") for event in events)


def test_a_refused_change_leaves_the_stack_as_it_was(here: Connection, provider: Function) -> None:
    stacks, this = here.client("cloudformation"), name("stack")
    soon = {"Delay": 1, "MaxAttempts": 30}
    stacks.create_stack(StackName=this, TemplateBody=template(provider, "good"))
    stacks.get_waiter("stack_create_complete").wait(StackName=this, WaiterConfig=soon)
    stacks.update_stack(StackName=this, TemplateBody=template(provider, "refuse"))
    with pytest.raises(WaiterError):
        stacks.get_waiter("stack_update_complete").wait(StackName=this, WaiterConfig=soon)
    eventually(
        lambda: stacks.describe_stacks(StackName=this)["Stacks"][0]["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE",
        "the roll-back",
    )
    assert here.outputs(this)["Text"] == "answer to good"
