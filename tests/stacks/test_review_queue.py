"""The review queue as a construct: routes, exact grants, what wakes its functions; Amazon A2I where it is chosen."""

import importlib
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import aws_cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from cdk_nag import AwsSolutionsChecks

from cdk.config import TARGETS, Target
from cdk.constructs.alarms import alarm_topic
from cdk.constructs.data_key import DataKey
from cdk.constructs.failures import FailuresQueue
from cdk.constructs.findings import acknowledge
from cdk.constructs.review_queue import ROUTES, ReviewQueue
from cdk.constructs.secure_bucket import SecureBucket
from cdk.constructs.work_queue import WorkQueue
from tests.stacks.definitions import joined
from tests.stacks.synthesis import context

FLOW = "arn:aws:sagemaker:eu-west-1:123456789012:flow-definition/chest-radiographs"
Resources = dict[str, dict[str, Any]]


def template(target: Target, where: Path) -> Resources:
    """A stack of the queue and what it wants; a finding of cdk-nag in the queue raises."""
    app = aws_cdk.App(outdir=str(where), context=context(), builtin_cloud_formation_validation=False)
    stack = aws_cdk.Stack(app, "Stack")
    tell = alarm_topic(stack, "Tell", "Alarms")
    key = DataKey(stack, "Key", purpose="Of what is reviewed", target=target)
    bucket = SecureBucket(
        stack, "Pictures", encrypted_with=key, expire_days={}, lock=None, log_prefix="x/", target=target,
        access_logs=s3.Bucket.from_bucket_name(stack, "Logs", "logs"),
    )  # fmt: skip
    audit = WorkQueue(stack, "Audit", what="An entry", mend="Mend it.", timeout_s=60, fifo=True, tell=tell)
    queue = ReviewQueue(
        stack, "Review", target=target, tell=tell, key=key, deidentified=bucket, audit=audit,
        core=lambda_.LayerVersion.from_layer_version_arn(stack, "Core", "arn:aws:lambda:eu-west-1:1:layer:core:1"),
        failures=FailuresQueue(stack, "Failures", tell=tell).queue,
    )  # fmt: skip
    machine = sfn.StateMachine(
        stack, "Machine", definition_body=sfn.DefinitionBody.from_chainable(sfn.Pass(stack, "Wait"))
    )
    acknowledge(machine, "AwsSolutions-SF1", "Stands for a machine that waits, which is none of the queue's.")
    acknowledge(machine, "AwsSolutions-SF2", "Stands for a machine that waits, which is none of the queue's.")
    queue.allow_answers(machine, queue="imaging")
    aws_cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    found: Resources = json.loads((where / "Stack.template.json").read_text())["Resources"]
    return found


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    return template(TARGETS["prod"], tmp_path_factory.mktemp("review"))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """With reviewers of Amazon A2I."""
    return template(replace(TARGETS["dev"], review_flow=FLOW), tmp_path_factory.mktemp("elsewhere"))


def of(resources: Resources, kind: str) -> Resources:
    return {name: each for name, each in resources.items() if each["Type"] == kind and name.startswith("Review")}


def function(resources: Resources, job: str) -> tuple[str, dict[str, Any]]:
    (found,) = (
        (name, each)
        for name, each in of(resources, "AWS::Lambda::Function").items()
        if each["Properties"]["Handler"] == f"functions.review.{job}.handler.handler"
    )
    return found


def granted(resources: Resources, job: str) -> dict[str, set[str]]:
    """Action -> resources of the role of a job, without its log."""
    role = function(resources, job)[1]["Properties"]["Role"]["Fn::GetAtt"][0]
    found: dict[str, set[str]] = {}
    for policy in (each for each in resources.values() if each["Type"] == "AWS::IAM::Policy"):
        if {"Ref": role} in policy["Properties"]["Roles"]:
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                actions, on = statement["Action"], statement["Resource"]
                for action in [actions] if isinstance(actions, str) else actions:
                    found.setdefault(action, set()).update(map(joined, on if isinstance(on, list) else [on]))
    return {action: on for action, on in found.items() if not action.startswith("logs:")}


def ends(resources: Resources, job: str) -> dict[str, set[str]]:
    """The same, resources by what they begin with and what lies in them."""
    kinds = ("ReviewReviews", "ReviewOverdue", "Audit", "Pictures", "Machine", "Failures", "Key")
    return {
        action: {next((kind for kind in kinds if kind in each), each) + each.rpartition("}")[2] for each in on}
        for action, on in granted(resources, job).items()
    }


EVERY = {
    "dynamodb:BatchGetItem": {"ReviewReviews"}, "dynamodb:UpdateItem": {"ReviewReviews"}, "kms:Decrypt": {"Key"},
    "sqs:SendMessage": {"Audit", "Failures"}, "sqs:GetQueueAttributes": {"Failures"}, "sqs:GetQueueUrl": {"Failures"},
}  # fmt: skip
ANSWERS = {"states:SendTaskSuccess": {"Machine"}, "states:SendTaskFailure": {"Machine"}}


@pytest.mark.safeguard("164.312(d)")
def test_the_api_has_the_chalice_apps_routes(resources: Resources) -> None:
    app = importlib.import_module("functions.review.api.handler").app
    assert set(ROUTES) == {(verb, path) for path, verbs in app.routes.items() for verb in verbs}
    methods = of(resources, "AWS::ApiGateway::Method")
    assert len(methods) == len(ROUTES)
    assert {each["Properties"]["AuthorizationType"] for each in methods.values()} == {"AWS_IAM"}


@pytest.mark.parametrize("job", ["ask", "api", "remind"])
def test_variables_are_exactly_the_handlers_settings(resources: Resources, job: str) -> None:
    settings = importlib.import_module(f"functions.review.{job}.settings").Settings
    wanted = {field.name.upper() for field in fields(settings)}
    variables = function(resources, job)[1]["Properties"]["Environment"]["Variables"]
    assert {name for name in variables if not name.startswith("POWERTOOLS")} == wanted
    assert variables["POWERTOOLS_SERVICE_NAME"] == "review"


def test_who_asks_may_open_tasks_and_no_more(resources: Resources) -> None:
    assert ends(resources, "ask") == EVERY


@pytest.mark.safeguard("164.312(a)(1)")
def test_who_answers_reviewers_reads_the_pictures_and_answers_the_machine(resources: Resources) -> None:
    assert ends(resources, "api") == {
        **EVERY, **ANSWERS, "dynamodb:Query": {"ReviewReviews/index/by_queue"}, "s3:GetObject": {"Pictures/studies/*"},
    }  # fmt: skip


def test_the_clock_reads_no_picture(resources: Resources) -> None:
    assert ends(resources, "remind") == {
        **EVERY, **ANSWERS, "dynamodb:Query": {"ReviewReviews/index/by_clock"}, "sns:Publish": {"ReviewOverdue"},
    }  # fmt: skip


@pytest.mark.safeguard("164.312(a)(2)(iv)")
def test_what_reviewers_write_lies_under_the_key(resources: Resources) -> None:
    (table,) = of(resources, "AWS::DynamoDB::Table").values()
    key = table["Properties"]["SSESpecification"]["KMSMasterKeyId"]["Fn::GetAtt"][0]
    assert resources[key]["Type"] == "AWS::KMS::Key"
    keys = {
        each["IndexName"]: [part["AttributeName"] for part in each["KeySchema"]]
        for each in table["Properties"]["GlobalSecondaryIndexes"]
    }
    assert keys == {"by_queue": ["q", "t"], "by_clock": ["w", "z"], "by_subject": ["s", "t"]}
    assert table["DeletionPolicy"] == "Retain"


def rules(resources: Resources) -> dict[str, dict[str, Any]]:
    """By the first words of their logical id."""
    return {name: each["Properties"] for name, each in of(resources, "AWS::Events::Rule").items()}


def test_the_clock_ticks_and_stopped_executions_withdraw_their_question(resources: Resources) -> None:
    found = rules(resources)
    (clock,) = (each for each in found.values() if "ScheduleExpression" in each)
    assert clock["ScheduleExpression"] == "rate(5 minutes)"
    (ended,) = (each for each in found.values() if "EventPattern" in each)
    pattern = ended["EventPattern"]
    assert pattern["detail"]["status"] == ["ABORTED", "FAILED", "TIMED_OUT"]
    (told,) = ended["Targets"]
    assert told["Arn"]["Fn::GetAtt"][0] == function(resources, "ask")[0]
    transformed = told["InputTransformer"]
    (name,) = transformed["InputPathsMap"]
    assert transformed["InputPathsMap"][name] == "$.detail.name"
    assert joined(transformed["InputTemplate"]) == f'{{"cancel":{{"queue":"imaging","once":<{name}>}}}}'


def test_somebody_is_told_of_what_reviewers_and_askers_miss(resources: Resources) -> None:
    names = {each["Properties"]["MetricName"] for each in of(resources, "AWS::CloudWatch::Alarm").values()}
    assert {"TasksExpired", "TasksOverdue", "AnswersUndelivered", "RemindersFailed"} <= names
    handler = Path(importlib.import_module("functions.review.remind.handler").__file__ or "").read_text()
    for name in ("TasksExpired", "TasksOverdue", "AnswersUndelivered", "RemindersFailed"):
        assert f'"{name}"' in handler, "an alarm on what nobody writes never rings"


def test_nobody_speaks_for_a_reviewer_but_whom_the_target_names(resources: Resources) -> None:
    assert function(resources, "api")[1]["Properties"]["Environment"]["Variables"]["TRUSTED_BACKENDS"] == ""


def test_with_a2i_its_loops_are_started_stopped_and_read(elsewhere: Resources, resources: Resources) -> None:
    loops = "sagemaker:${AWS::Region}:${AWS::AccountId}:human-loop/*"
    ask, remind = granted(elsewhere, "ask"), granted(elsewhere, "remind")
    assert ask["sagemaker:StartHumanLoop"] == {FLOW}
    assert {each.partition(":sagemaker")[2] for each in ask["sagemaker:StopHumanLoop"]} == {loops[len("sagemaker") :]}
    assert {each.partition(":sagemaker")[2] for each in remind["sagemaker:DescribeHumanLoop"]} == {
        loops[len("sagemaker") :]
    }
    assert ends(elsewhere, "remind")["s3:GetObject"] == {"Pictures/a2i/*"}
    for job in ("ask", "remind"):
        assert function(elsewhere, job)[1]["Properties"]["Environment"]["Variables"]["FLOW_DEFINITION_ARN"] == FLOW
    (answered,) = (
        each for each in rules(elsewhere).values() if each.get("EventPattern", {}).get("source") == ["aws.sagemaker"]
    )
    assert answered["EventPattern"]["detail"]["flowDefinitionArn"] == [FLOW]
    assert not [
        action for job in ("ask", "api", "remind") for action in granted(resources, job) if "sagemaker" in action
    ]
