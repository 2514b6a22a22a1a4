"""Imaging's stack: the machine that reads, the senders' API, who looked, and what options add."""

import json
from typing import Any

import msgspec
import pytest

from cdk.options import chosen
from cdk.reading_definition import JOBS as STEPS
from functions.imaging.policy import Policy
from tests.stacks.definitions import joined
from tests.stacks.granting import granted, listed
from tests.stacks.imaging import AGENT, FEW, FLOW, FUNCTIONS, MANY, STACK, found, only
from tests.stacks.synthesis import DEFAULT, TARGET_NAMES, Assembly, assembly, references


@pytest.fixture(scope="module", params=TARGET_NAMES)
def suite(request: pytest.FixtureRequest) -> Assembly:
    return assembly(request.param)


def test_the_machine_may_call_its_steps_and_logs_no_data(suite: Assembly) -> None:
    machine = only(suite, "AWS::StepFunctions::StateMachine")
    told = json.loads(joined(machine.properties["DefinitionString"]))
    assert told["StartAt"] == "Read"
    called = set(called_by(told))
    role = machine.properties["RoleArn"]["Fn::GetAtt"][0]
    (invokes,) = (
        statement
        for policy in suite.resources("AWS::IAM::Policy", within=[STACK])
        if {"Ref": role} in policy.properties["Roles"]
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement["Action"] == "lambda:InvokeFunction"
    )
    assert set(map(joined, invokes["Resource"])) == called
    assert len(called) == len(STEPS)
    logging = machine.properties["LoggingConfiguration"]
    assert logging["IncludeExecutionData"] is False
    assert logging["Level"] == "ALL"


def called_by(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["FunctionName"]] if "FunctionName" in value else []
        return own + [each for part in value.values() for each in called_by(part)]
    return [each for part in value for each in called_by(part)] if isinstance(value, list) else []


def test_begin_alone_starts_it_erase_stops_it_and_reviewers_answer_it(suite: Assembly) -> None:
    may = {
        name: {action for action in granted(suite, STACK, name) if action.startswith("states:")} for name in FUNCTIONS
    }
    answers = {"states:SendTaskSuccess", "states:SendTaskFailure"}
    assert {name: actions for name, actions in may.items() if actions} == {
        "Begin": {"states:StartExecution"}, "Erase": {"states:DescribeExecution", "states:StopExecution"},
        "ReviewReviewers": answers,
        "ReviewRemind": answers,
    }  # fmt: skip


def test_the_functions_understand_the_policy(suite: Assembly) -> None:
    told = {
        each.properties["Environment"]["Variables"]["POLICY"]
        for each in found(suite, "AWS::Lambda::Function")
        if "POLICY" in each.properties["Environment"]["Variables"]
    }
    (policy,) = told
    assert set(msgspec.json.decode(policy)) == {field.name for field in msgspec.structs.fields(Policy)}
    assert Policy.from_json(policy).quiet_s == (2 if suite.path.name.startswith("local") else 60)


def test_bodies_are_bytes_and_refusals_say_what_to_do(suite: Assembly) -> None:
    (api,) = (each for each in found(suite, "AWS::ApiGateway::RestApi") if each.properties.get("BinaryMediaTypes"))
    assert api.properties["BinaryMediaTypes"] == ["*/*"]
    refusals = {
        each.properties["ResponseType"]: each.properties for each in found(suite, "AWS::ApiGateway::GatewayResponse")
    }
    assert {kind: each["StatusCode"] for kind, each in refusals.items()} == {
        "UNAUTHORIZED": "401", "ACCESS_DENIED": "401", "REQUEST_TOO_LARGE": "413",
    }  # fmt: skip
    assert "POST /uploads" in refusals["REQUEST_TOO_LARGE"]["ResponseTemplates"]["application/json"]
    for kind in ("UNAUTHORIZED", "ACCESS_DENIED"):
        assert refusals[kind]["ResponseParameters"] == {"gatewayresponse.header.WWW-Authenticate": "'Basic'"}
    for refusal in refusals.values():
        json.loads(refusal["ResponseTemplates"]["application/json"])


@pytest.mark.safeguard("164.312(b)")
def test_a_trail_tells_of_every_object_and_can_be_checked() -> None:
    suite = assembly(DEFAULT)
    trail = only(suite, "AWS::CloudTrail::Trail").properties
    assert trail["EnableLogFileValidation"] is True
    (selector,) = trail["EventSelectors"]
    assert (selector["ReadWriteType"], selector["IncludeManagementEvents"]) == ("All", False)
    watched = {
        references(value)[0].split("Bucket")[0] for each in selector["DataResources"] for value in each["Values"]
    }
    assert watched == {"Identified", "Deidentified", "Ledger"}
    assert not found(assembly("local"), "AWS::CloudTrail::Trail"), "the emulator has none; the ledger is there"


def test_unusual_access_and_failed_readings_ring(suite: Assembly) -> None:
    rung = {each.properties["MetricName"]: each for each in found(suite, "AWS::CloudWatch::Alarm")}
    assert {"Denied", "AuthorizeFailed", "Retrievals", "LedgerBroken", "ExecutionsFailed", "TasksOverdue"} <= set(rung)
    for name in ("Denied", "LedgerBroken", "ExecutionsFailed"):
        assert rung[name].properties["Threshold"] == 1
        assert "cuatro " in rung[name].properties["AlarmDescription"], "what to do"


def test_the_hospitals_files_come_by_datasync_when_asked_for() -> None:
    assert not [each for each in assembly(DEFAULT).resources() if each.type.startswith("AWS::DataSync::")]
    by_hand = assembly(DEFAULT, **FEW)
    assert [each.type for each in by_hand.resources() if each.type.startswith("AWS::DataSync::")] == [
        "AWS::DataSync::LocationS3"
    ]
    suite = assembly(DEFAULT, **MANY)
    source = only(suite, "AWS::DataSync::LocationNFS").properties
    assert (source["ServerHostname"], source["Subdirectory"]) == ("files.hospital.example", "/export/dicom")
    assert source["OnPremConfig"] == {"AgentArns": [AGENT]}
    task = only(suite, "AWS::DataSync::Task").properties
    assert task["Options"]["LogLevel"] == "OFF", "a file's name may hold a patient's"
    drop = only(suite, "AWS::DataSync::LocationS3").properties
    assert drop["Subdirectory"] == "/drop/hospital/"
    role = references(drop["S3Config"]["BucketAccessRoleArn"])[0]
    objects = {
        joined(resource).rpartition("}")[2]
        for policy in suite.resources("AWS::IAM::Policy", within=[STACK])
        if {"Ref": role} in policy.properties["Roles"]
        for statement in policy.properties["PolicyDocument"]["Statement"]
        for resource in listed(statement["Resource"])
    }
    assert objects == {"", "/drop/*"}, "the bucket, and nothing in it but the drop"


def test_a_gpu_reads_images_where_its_image_is_named() -> None:
    suite = assembly(DEFAULT, None, "realtime", "off", gpu_image="ecr:cuatro-imaging:7")
    instances = {
        config.stack: config.properties["ProductionVariants"][0]["InstanceType"]
        for config in suite.resources("AWS::SageMaker::EndpointConfig")
    }
    assert instances.pop(STACK) == "ml.g4dn.xlarge"
    assert set(instances.values()) == {"ml.c6i.large"}, "the other models are trees and small"
    model = only(suite, "AWS::SageMaker::Model").properties
    assert joined(model["PrimaryContainer"]["Image"]).endswith("/cuatro-imaging:7")
    role = next(each for each in found(suite, "AWS::IAM::Role") if each.id == references(model["ExecutionRoleArn"])[0])
    assert ":repository/cuatro-imaging" in json.dumps([joined(s["Resource"]) for s in pulled(role.properties)])


def pulled(role: dict[str, Any]) -> list[dict[str, Any]]:
    """Statements that let a role take an image from ECR."""
    return [
        statement
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "ecr:BatchGetImage" in statement["Action"]
    ]


def test_amazon_a2i_reviews_when_asked_for() -> None:
    suite = assembly(DEFAULT, **FEW)
    assert granted(suite, STACK, "ReviewAsk")["sagemaker:StartHumanLoop"] == {FLOW}
    assert "sagemaker:StartHumanLoop" not in granted(assembly(DEFAULT), STACK, "ReviewAsk")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"object-lock": "governance:soon"}, "is a number of days"),
        ({"object-lock": "compliance:0"}, "is a number of days"),
        ({"datasync": AGENT}, "need each other"),
        ({"datasync-source": "nfs://files/export"}, "needs -c datasync="),
        ({"datasync": AGENT, "datasync-source": "nfs:files"}, r"must be nfs://<host>/<path>"),
        ({"review": "a2i:"}, "must be one of own, a2i:<name>"),
        ({"gpu-image": "ecr:cuatro-imaging:7"}, "add -c serving=realtime"),
    ],
)
def test_a_choice_that_cannot_be_is_told(options: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        chosen(DEFAULT, **options)
