"""Pipelines of the tests: made, started, waited for; a Lambda function and a queue of events to go with them."""

import io
import json
import zipfile
from typing import Any

from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.pipeline_definitions import processing
from tests.sagemaker.programs import FOLDER, register
from tests.waiting import eventually

PROGRAM = str(FOLDER / "pipeline_program.py")
REPOSITORY = "pipelines-test"
OPEN = ("Executing", "Stopping")
# What a pipeline's role needs for steps of every kind, as on AWS.
CREATES = ("TrainingJob", "ProcessingJob", "TransformJob", "Model", "ModelPackage")
ACTIONS = [
    *(f"sagemaker:{verb}{resource}" for resource in CREATES for verb in ("Create", "Describe")),
    *(f"sagemaker:Stop{job}" for job in CREATES if job.endswith("Job")),
    "sagemaker:CreateModelPackageGroup",
    "sagemaker:AddTags",
    "iam:PassRole",
    "lambda:InvokeFunction",
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "s3:GetBucketLocation",
    "logs:*",
]


class Runs:
    """Pipelines whose steps act as one role, which may do everything but `without`."""

    def __init__(self, aws: Aws, platform: Platform, *without: str) -> None:
        self.aws = aws
        register(platform, REPOSITORY, "pipeline_program.py")
        self.sagemaker = aws.client("sagemaker")
        allowed = [action for action in ACTIONS if action not in without]
        self.role = aws.role({"Effect": "Allow", "Action": allowed, "Resource": "*"})

    def job(self, name: str, act: str, *values: Any, **more: Any) -> dict[str, Any]:
        """A Processing step that runs the program of the tests."""
        return processing(name, self.role, ["python", PROGRAM], arguments=[act, *values], **more)

    def create(self, text: str, **more: Any) -> str:
        """Name of a new pipeline."""
        name = unique("pipeline")
        self.sagemaker.create_pipeline(PipelineName=name, RoleArn=self.role, PipelineDefinition=text, **more)
        return name

    def start(self, name: str, parameters: dict[str, str] | None = None, **more: Any) -> str:
        """ARN of a new execution."""
        given = [{"Name": key, "Value": value} for key, value in (parameters or {}).items()]
        started = self.sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=given, **more)
        return str(started["PipelineExecutionArn"])

    def run(self, text: str, parameters: dict[str, str] | None = None, **more: Any) -> str:
        """ARN of an execution of a new pipeline that has ended."""
        arn = self.start(self.create(text, **more), parameters)
        self.ended(arn)
        return arn

    def ended(self, arn: str) -> dict[str, Any]:
        """The execution, once it has ended."""
        return eventually(lambda: self._if(self.describe(arn), OPEN), f"the end of {arn}")

    def describe(self, arn: str) -> dict[str, Any]:
        """The execution as it is."""
        return dict(self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn))

    def steps(self, arn: str) -> dict[str, dict[str, Any]]:
        """Steps that began by name, the first one first."""
        pages = self.sagemaker.get_paginator("list_pipeline_execution_steps")
        found = pages.paginate(PipelineExecutionArn=arn, SortOrder="Ascending").build_full_result()
        return {step["StepName"]: step for step in found["PipelineExecutionSteps"]}

    def statuses(self, arn: str) -> dict[str, str]:
        """Status of each step that began."""
        return {name: step["StepStatus"] for name, step in self.steps(arn).items()}

    def reached(self, arn: str, step: str, status: str) -> dict[str, Any]:
        """The step, once it has a status."""
        return eventually(lambda: self._step(arn, step, status), f"step {step} is {status}")

    def _step(self, arn: str, step: str, status: str) -> dict[str, Any] | None:
        found = self.steps(arn).get(step, {})
        return found if found.get("StepStatus") == status else None

    @staticmethod
    def _if(execution: dict[str, Any], others: tuple[str, ...]) -> dict[str, Any] | None:
        return None if execution["PipelineExecutionStatus"] in others else execution


def function(aws: Aws, code: str) -> str:
    """ARN of a Lambda function with this code, whose handler is `handler`."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", code)
    made = aws.client("lambda").create_function(
        FunctionName=unique("step"),
        Runtime="python3.12",
        Role=aws.role({"Effect": "Allow", "Action": "logs:*", "Resource": "*"}, trusts="lambda.amazonaws.com"),
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    return str(made["FunctionArn"])


class Events:
    """Events of SageMaker on the default bus, from now on."""

    def __init__(self, aws: Aws, pipeline: str) -> None:
        self._sqs = aws.client("sqs")
        name = unique("events")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        queue = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        events = aws.client("events")
        pattern = {"source": ["aws.sagemaker"], "detail": {"pipelineArn": [{"suffix": f":pipeline/{pipeline}"}]}}
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue}])
        self.seen: list[dict[str, Any]] = []

    def until(self, wanted: Any) -> list[dict[str, Any]]:
        """Every event so far, once there is one that `wanted` says yes to."""

        def probe() -> bool:
            answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                self.seen.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
            return any(wanted(event) for event in self.seen)

        eventually(probe, "the event")
        return self.seen
