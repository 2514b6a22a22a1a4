"""Amazon A2I's runtime, as far as the adapter uses it: loops that people in a test answer, in botocore's shapes.

It keeps what A2I keeps: a name once, an output in S3 when the last of TaskCount workers has submitted.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.awsrequest import AWSPreparedRequest
from botocore.model import ServiceModel

from tests.contract import problems
from tests.functional.review.suite import FLOW, Suite

_NAME = re.compile(r"[a-z0-9](-*[a-z0-9])*")


def _model() -> ServiceModel:
    data = botocore.session.get_session().get_service_data("sagemaker-a2i-runtime")
    return ServiceModel(data, "sagemaker-a2i-runtime")


class HumanLoops:
    """task_count: how many workers read each task."""

    def __init__(self, suite: Suite, task_count: int = 1) -> None:
        self.loops: dict[str, dict[str, Any]] = {}
        self.started = 0
        self._suite, self._count, self._model = suite, task_count, _model()
        suite.wire.doubles["a2i-runtime"] = self._answered

    def submit(self, name: str, worker: str, choice: str, *reasons: str, note: str = "") -> None:
        """A worker has filled in the template; the last one ends the loop, which EventBridge tells."""
        loop = self.loops[name]
        assert loop["status"] == "InProgress"
        content = loop["content"]
        assert choice in content["choices"]
        buttons = {f"choice-{each}": {"yes": each == choice} for each in content["choices"]}
        boxes = {f"reason-{each}": {"yes": each in reasons} for each in content["reasons"]}
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        loop["answers"].append(
            {
                "acceptanceTime": now,
                "answerContent": {**buttons, **boxes, "note": note},
                "submissionTime": now,
                "timeSpentInSeconds": 31.5,
                "workerId": worker,
                "workerMetadata": {"identityData": {"identityProviderType": "Cognito"}},
            }
        )
        if len(loop["answers"]) == self._count:
            self._end(name, "Completed")

    def fail(self, name: str) -> None:
        """A2I gives up: nobody accepted it in time."""
        self._end(name, "Failed")

    def event(self, name: str) -> dict[str, Any]:
        """As EventBridge delivers it."""
        loop = self.loops[name]
        return {
            "detail-type": "SageMaker A2I HumanLoop Status Change", "source": "aws.sagemaker",
            "detail": {"flowDefinitionArn": FLOW, "humanLoopName": name, "humanLoopStatus": loop["status"]},
        }  # fmt: skip

    def _end(self, name: str, status: str) -> None:
        loop = self.loops[name]
        loop["status"] = status
        if status == "Completed":
            output = {"flowDefinitionArn": FLOW, "humanAnswers": loop["answers"], "humanLoopName": name,
                      "inputContent": loop["content"]}  # fmt: skip
            self._suite.s3.put_object(Bucket="lake", Key=f"a2i/{name}/output.json", Body=json.dumps(output))

    def _answered(self, request: AWSPreparedRequest) -> tuple[int, str]:
        path = urlsplit(request.url).path
        if request.method == "POST" and path == "/human-loops":
            status, answer = self._start(json.loads(request.body))
            operation = "StartHumanLoop"
        elif request.method == "POST" and path == "/human-loops/stop":
            status, answer = self._stop(json.loads(request.body)["HumanLoopName"])
            operation = "StopHumanLoop"
        else:
            status, answer = self._describe(path.rpartition("/")[2])
            operation = "DescribeHumanLoop"
        shape = self._model.operation_model(operation).output_shape
        if status < 300 and shape is not None:
            told = {**answer, "CreationTime": 0.0} if "CreationTime" in answer else answer  # a time, written as text
            assert not list(problems(shape, told, operation))
        return status, json.dumps(answer)

    def _start(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        shape = self._model.operation_model("StartHumanLoop").input_shape
        assert not list(problems(shape, body, "StartHumanLoop"))
        name = body["HumanLoopName"]
        assert _NAME.fullmatch(name)
        assert body["FlowDefinitionArn"] == FLOW
        if name in self.loops:
            return 409, {"__type": "ConflictException", "message": "there is one with that name"}
        self.started += 1
        content = json.loads(body["HumanLoopInput"]["InputContent"])
        self.loops[name] = {"status": "InProgress", "content": content, "answers": []}
        return 201, {"HumanLoopArn": f"arn:aws:sagemaker:eu-west-1:123456789012:human-loop/{name}"}

    def _stop(self, name: str) -> tuple[int, dict[str, Any]]:
        if name not in self.loops:
            return 404, {"__type": "ResourceNotFoundException", "message": "no such loop"}
        if self.loops[name]["status"] == "InProgress":
            self.loops[name]["status"] = "Stopped"
        return 200, {}

    def _describe(self, name: str) -> tuple[int, dict[str, Any]]:
        if name not in self.loops:
            return 404, {"__type": "ResourceNotFoundException", "message": "no such loop"}
        status = self.loops[name]["status"]
        answer: dict[str, Any] = {
            "CreationTime": "2026-11-23T10:00:00Z", "HumanLoopStatus": status, "HumanLoopName": name,
            "HumanLoopArn": f"arn:aws:sagemaker:eu-west-1:123456789012:human-loop/{name}", "FlowDefinitionArn": FLOW,
        }  # fmt: skip
        if status == "Completed":
            answer["HumanLoopOutput"] = {"OutputS3Uri": f"s3://lake/a2i/{name}/output.json"}
        return 200, answer
