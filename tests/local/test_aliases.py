"""An alias shares its calls out by its weights, whoever calls it."""

import json
import urllib.request
from collections import Counter
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from local.platform.account import REGION
from local.platform.client import Connection
from tests.local.conftest import Function, name, role
from tests.local.published import HANDLER, canary, layer, settings
from tests.waiting import eventually


def test_invoke_shares_calls_out_and_says_which_version_ran(function: Callable[..., Function]) -> None:
    made = function(HANDLER)
    one, two = made.publish(**settings("one")), made.publish(**settings("two"))
    canary(made, one, two, 0.5)
    answers = [made.call(qualifier="live") for _ in range(40)]
    ran = Counter(answer["ExecutedVersion"] for answer in answers)
    assert set(ran) == {one, two}
    for answer in answers:
        seen = answer["Payload"]
        assert seen["version"] == seen["variable"] == answer["ExecutedVersion"]
        assert seen["step"] == {one: "one", two: "two"}[answer["ExecutedVersion"]]
        assert seen["arn"] == f"{made.arn}:live"
    canary(made, one, two, 0.0)
    assert {made.call(qualifier="live")["ExecutedVersion"] for _ in range(20)} == {one}
    canary(made, one, two, 1.0)
    assert {made.call(qualifier="live")["ExecutedVersion"] for _ in range(20)} == {two}


def test_get_function_of_an_alias_describes_its_own_version(function: Callable[..., Function]) -> None:
    made = function(HANDLER)
    one, two = made.publish(**settings("one")), made.publish(**settings("two"))
    canary(made, one, two, 1.0)
    client = made.here.client("lambda")
    assert client.get_function(FunctionName=made.name, Qualifier="live")["Configuration"]["Version"] == one
    assert client.get_function_configuration(FunctionName=made.name, Qualifier="live")["Version"] == one


def test_records_flow_while_versions_change(here: Connection, function: Callable[..., Function]) -> None:
    made = function(HANDLER)
    with_layer = {"LAYER": "/opt/model/name.txt"}
    stable = made.publish(Layers=[layer(here, "m0")], **settings("s0", **with_layer))
    canary(made, stable)
    kinesis, this = here.client("kinesis"), name("stream")
    kinesis.create_stream(StreamName=this, ShardCount=2)
    source = kinesis.describe_stream_summary(StreamName=this)["StreamDescriptionSummary"]["StreamARN"]
    here.client("lambda").create_event_source_mapping(
        FunctionName=f"{made.arn}:live", EventSourceArn=source, StartingPosition="TRIM_HORIZON", BatchSize=5,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )  # fmt: skip
    sent: list[str] = []

    def send() -> None:
        batch = [f"r{len(sent) + at}" for at in range(20)]
        kinesis.put_records(StreamName=this, Records=[{"Data": each.encode(), "PartitionKey": each} for each in batch])
        sent.extend(batch)

    def took() -> list[list[str]] | None:
        found = [line.split() for line in made.lines("TOOK ")]
        return found if {line[-1] for line in found} >= set(sent) else None

    for change in (1, 2):
        send()
        version = made.publish(Layers=[layer(here, f"m{change}")], **settings(f"s{change}", **with_layer))
        send()
        for weight in (0.5, 1.0):
            canary(made, stable, version, weight)
            send()
        lines = eventually(took, "every record")
        canary(made, version)
        stable = version
    assert Counter(line[-1] for line in lines) == dict.fromkeys(sent, 1)  # none lost, none failed and taken again
    assert {(line[0], line[1]) for line in lines} == {("1", "m0"), ("2", "m1"), ("3", "m2")}
    assert not made.lines("[ERROR]")


def test_an_api_calls_the_alias(here: Connection, function: Callable[..., Function]) -> None:
    made = function(
        "import json\ndef handler(event, context):\n"
        "    return {'statusCode': 200, 'body': json.dumps([context.function_version, context.invoked_function_arn])}"
    )
    one = made.publish()
    two = made.publish(**settings("two"))
    canary(made, one, two, 0.5)
    gateway, functions = here.client("apigateway"), here.client("lambda")
    functions.add_permission(
        FunctionName=made.name, Qualifier="live", StatementId="api", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )  # fmt: skip
    api = gateway.create_rest_api(name=name("api"))
    where = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    gateway.put_method(**where, authorizationType="NONE")
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{made.arn}:live/invocations"
    gateway.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api["id"], stageName="t")
    host = here.client("lambda").meta.endpoint_url.rpartition(":")[2]

    def get() -> list[str]:
        with urllib.request.urlopen(f"http://127.0.0.1:{host}/restapis/{api['id']}/t/_user_request_/") as answer:
            return list(json.load(answer))

    answers = [get() for _ in range(40)]
    assert {version for version, _ in answers} == {one, two}
    assert {arn for _, arn in answers} == {f"{made.arn}:live"}


def test_calling_by_an_alias_needs_a_grant_on_the_alias(here: Connection, function: Callable[..., Function]) -> None:
    callee = function(HANDLER)
    version = callee.publish()
    canary(callee, version)
    code = (
        "import boto3\ndef handler(event, context):\n"
        "    return boto3.client('lambda').invoke(FunctionName=event['name'], Qualifier='live')['ExecutedVersion']"
    )
    allowed = function(code, Role=role(here, Action="lambda:InvokeFunction", Resource=f"{callee.arn}:live"))
    assert allowed.call({"name": callee.name})["Payload"] == version
    refused = function(code, Role=role(here, Action="lambda:InvokeFunction", Resource=f"{callee.arn}:other"))
    assert "AccessDenied" in refused.call({"name": callee.name})["Payload"]["errorMessage"]


def test_weights_that_aws_does_not_take_are_refused(function: Callable[..., Function]) -> None:
    made = function(HANDLER)
    one, two = made.publish(), made.publish(**settings("two"))
    other_role = made.publish(Role=role(made.here))
    for stable, other, weight in (
        (one, one, 0.5), (one, two, 1.5), ("$LATEST", two, 0.1), (one, "$LATEST", 0.1), (one, other_role, 0.1),
    ):  # fmt: skip
        with pytest.raises(ClientError, match="InvalidParameterValue"):
            canary(made, stable, other, weight)
    for stable, other in ((one, "77"), ("77", "")):
        with pytest.raises(made.here.client("lambda").exceptions.ResourceNotFoundException):
            canary(made, stable, other, 0.1)
    canary(made, one, two, 0.1)


def test_an_unknown_version_of_an_alias_is_said(function: Callable[..., Function]) -> None:
    made = function(HANDLER)
    with pytest.raises(ClientError, match="Function not found"):
        made.call(qualifier="live")
