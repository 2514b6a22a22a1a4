"""SageMaker's registry and pipelines in memory; requests and answers are held to botocore's model of the service."""

import itertools
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from cuatro.adapters import aws

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:{}"
PIPELINE = ARN.format("pipeline/cuatrofraud")


class Registry:
    """packages: ARN -> what DescribeModelPackage answers. executions: ARN -> status."""

    def __init__(self) -> None:
        self.packages: dict[str, dict[str, Any]] = {}
        self.executions: dict[str, str] = {}
        self.started: list[dict[str, Any]] = []
        self.calls: Counter[str] = Counter()
        self.failing: str = ""
        self._numbers = itertools.count(1)
        self._events = aws.client("sagemaker").meta.events
        self._events.register("before-call.sagemaker", self._answer)

    def close(self) -> None:
        """Answer no more."""
        self._events.unregister("before-call.sagemaker", self._answer)

    def register(
        self, version: str, artefact: str, sha256: str, approval: str = "Approved", feature_set: str = "features-1"
    ) -> str:
        """A package; its ARN."""
        told = {"version": version, "model_sha256": sha256, "feature_set": feature_set}
        arn = ARN.format(f"model-package/cuatrofraud/{next(self._numbers)}")
        self.packages[arn] = {
            "ModelPackageName": "cuatrofraud", "ModelPackageArn": arn, "CreationTime": datetime.now(UTC),
            "ModelPackageStatus": "Completed", "ModelPackageStatusDetails": {"ValidationStatuses": []},
            "ModelApprovalStatus": approval,
            "CustomerMetadataProperties": {name: value for name, value in told.items() if value},
            "InferenceSpecification": {"Containers": [{"Image": "cuatro-models", "ModelDataUrl": artefact}]},
        }  # fmt: skip
        return arn

    def stage(self, arn: str) -> tuple[str, str, str]:
        """Stage, its status and description."""
        cycle = self.packages[arn]["ModelLifeCycle"]
        return cycle["Stage"], cycle["StageStatus"], cycle["StageDescription"]

    def _answer(self, model: Any, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        asked = json.loads(params["body"])
        self.calls[model.name] += 1
        if self.failing == model.name:
            raise _error(model.name, "ThrottlingException", "Rate exceeded")
        answer: dict[str, Any] = getattr(self, f"_{model.name}")(asked)
        report = ParamValidator().validate(answer, model.output_shape)
        assert not report.has_errors(), report.generate_report()

        class Response:
            status_code = 200

        return Response(), answer

    def _DescribeModelPackage(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - the operation's name
        if asked["ModelPackageName"] not in self.packages:
            raise _error("DescribeModelPackage", "ValidationException", "ModelPackage does not exist")
        return self.packages[asked["ModelPackageName"]]

    def _UpdateModelPackage(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.packages[asked["ModelPackageArn"]]["ModelLifeCycle"] = asked["ModelLifeCycle"]
        return {"ModelPackageArn": asked["ModelPackageArn"]}

    def _StartPipelineExecution(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        for number, before in enumerate(self.started):
            if before["ClientRequestToken"] == asked["ClientRequestToken"]:
                return {"PipelineExecutionArn": list(self.executions)[number]}
        self.started.append(asked)
        arn = f"{PIPELINE}/execution/{len(self.started):012d}"
        self.executions[arn] = "Executing"
        return {"PipelineExecutionArn": arn}

    def _DescribePipelineExecution(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        arn = asked["PipelineExecutionArn"]
        if arn not in self.executions:
            raise _error("DescribePipelineExecution", "ResourceNotFound", "Pipeline execution does not exist")
        return {"PipelineExecutionArn": arn, "PipelineExecutionStatus": self.executions[arn]}


def _error(operation: str, code: str, message: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}, operation
    )
