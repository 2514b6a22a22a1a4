"""A deployed pipeline's stack -> its retraining: start it, watch its steps, look for drift, roll back."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS

ENDED = {"Succeeded", "Failed", "Stopped"}
WITHOUT = "Deploy it with retraining: `cuatro up`, or `cdk deploy` without `-c retraining=off`."


@dataclass(frozen=True)
class Step:
    """One step of an execution; `took` is seconds, None while it runs."""

    name: str
    status: str
    failure: str
    took: float | None


@dataclass(frozen=True)
class Execution:
    """One run of the SageMaker pipeline."""

    arn: str
    status: str
    failure: str
    started: datetime
    parameters: dict[str, str]

    @property
    def ended(self) -> bool:
        """Will nothing change any more?"""
        return self.status in ENDED


class Control:
    """The parts of one pipeline's stack that make, check and put models live. Raises PlatformError without them."""

    def __init__(self, connection: Connection, pipeline: str = "fraud") -> None:
        self.connection, self.pipeline = connection, pipeline
        self.outputs = connection.outputs(STACKS[pipeline])
        if "RetrainFunction" not in self.outputs:
            raise PlatformError(f"This deployment of {pipeline} has no retraining.", WITHOUT)

    @cached_property
    def sagemaker(self) -> Any:
        """boto3 client."""
        return self.connection.client("sagemaker")

    @property
    def group(self) -> str:
        """Name of the model package group."""
        return self.outputs["ModelPackageGroupName"]

    def call(self, function: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer of a function, by its output's name. Raises PlatformError with the function's own error."""
        answer = self.connection.client("lambda").invoke(
            FunctionName=self.outputs[function], Payload=json.dumps(payload).encode()
        )
        body = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            told = body.get("errorMessage", body) if isinstance(body, dict) else body
            job = function.removesuffix("Function").lower()
            raise PlatformError(f"{job}: {told}", f"`cuatro logs {self.pipeline} {job}` shows what happened.")
        return body or {}

    def retrain(self, reason: str, parameters: dict[str, str]) -> dict[str, Any]:
        """{"started": ..., "execution_arn": ..., "why": ...}; one retraining runs at a time."""
        return self.call("RetrainFunction", {"reason": reason, "parameters": parameters})

    def drift(self, as_of: str | None = None) -> dict[str, Any]:
        """The report of a look for drift, which also feeds the alarms. Raises PlatformError where nothing looks."""
        if "DriftFunction" not in self.outputs:
            raise PlatformError(
                f"Nothing looks for drift of {self.pipeline}: it is trained anew by schedule.",
                f"`cuatro retrain {self.pipeline}` does it now, and its gate compares the models.",
            )
        return self.call("DriftFunction", {"as_of": as_of} if as_of else {})

    def roll_back(self, reason: str) -> dict[str, Any]:
        """What was put back."""
        return self.call("RollOutFunction", {"action": "roll_back", "reason": reason})

    def executions(self, most: int = 10) -> list[Execution]:
        """The newest first."""
        listed = self.sagemaker.list_pipeline_executions(
            PipelineName=self.outputs["PipelineName"], SortBy="CreationTime", SortOrder="Descending", MaxResults=most
        )
        return [self.execution(each["PipelineExecutionArn"]) for each in listed["PipelineExecutionSummaries"]]

    def execution(self, arn: str) -> Execution:
        """One of them."""
        found = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        listed = self.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
        return Execution(
            arn,
            found["PipelineExecutionStatus"],
            found.get("FailureReason", ""),
            found["CreationTime"],
            {each["Name"]: each["Value"] for each in listed["PipelineParameters"]},
        )

    def steps(self, arn: str) -> list[Step]:
        """In the order of their start."""
        listed = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, SortOrder="Ascending")
        return [_step(each) for each in listed["PipelineExecutionSteps"]]

    def why(self, execution: Execution) -> str:
        """Why it did not succeed: what the failed steps say, or the execution itself."""
        told = [f"{step.name}: {step.failure}" for step in self.steps(execution.arn) if step.failure]
        return "; ".join(told) or execution.failure

    def watch(self, arn: str, patience_s: float, every_s: float | None = None) -> Iterator[Step]:
        """Each step when it begins and when it ends, until the execution ended. Raises PlatformError after patience."""
        deadline, told = time.monotonic() + patience_s, set[tuple[str, str]]()
        while True:
            ended = self.execution(arn).ended
            for step in self.steps(arn):
                if (step.name, step.status) not in told:
                    told.add((step.name, step.status))
                    yield step
            if ended:
                return
            if time.monotonic() > deadline:
                raise PlatformError(
                    f"The retraining did not end within {patience_s:.0f} s; it goes on.",
                    f"`cuatro models {self.pipeline}` shows how it ends.",
                )
            time.sleep(every_s or self.pause)

    @property
    def pause(self) -> float:
        """Seconds between two looks."""
        return 0.5 if self.connection.target == "local" else 10

    def until(self, seen: Callable[[], Any], what: str, patience_s: float) -> Any:
        """The first answer that is not None. Raises PlatformError after patience."""
        deadline = time.monotonic() + patience_s
        while (found := seen()) is None:
            if time.monotonic() > deadline:
                raise PlatformError(
                    f"Not seen within {patience_s:.0f} s: {what}.",
                    f"`cuatro models {self.pipeline}` and `cuatro logs {self.pipeline}` show how far it came.",
                )
            time.sleep(self.pause)
        return found


def _step(described: dict[str, Any]) -> Step:
    began, ended = described.get("StartTime"), described.get("EndTime")
    took = (ended - began).total_seconds() if began and ended else None
    return Step(described["StepName"], described["StepStatus"], described.get("FailureReason", ""), took)
