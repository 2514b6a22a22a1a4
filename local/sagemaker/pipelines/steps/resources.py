"""Training, Processing, Transform, Model and RegisterModel: create it as the pipeline's role, wait for its end."""

import json
import logging
import re
import secrets
import string
from datetime import datetime
from typing import Any

from botocore import xform_name

from local.sagemaker.pipelines.retries import StepFailed
from local.sagemaker.pipelines.steps.kinds import KINDS, Kind
from local.sagemaker.pipelines.steps.turn import StepStopped, Turn

LOG = logging.getLogger(__name__)

POLL_S = 0.25
_MOST_NAME = 63
_SUFFIX = 10


def run(turn: Turn) -> dict[str, Any]:
    """Properties of the step: what Describe answers of the resource. Raises StepFailed or StepStopped."""
    kind = KINDS[turn.step.type]
    arguments = turn.arguments()
    if kind.role:
        arguments.setdefault(kind.role, turn.execution["_role"])
    if kind.name:
        arguments[kind.name] = job_name(turn.id, turn.step.name, arguments.get(kind.name))
        arguments["Tags"] = [*arguments.get("Tags", []), *_tags(turn)]
    elif "ModelPackageGroupName" in arguments:
        _group(turn, arguments["ModelPackageGroupName"])
    created = turn.call("sagemaker", f"sagemaker:{kind.create}", xform_name(kind.create), **arguments)
    turn.executing({kind.metadata: {"Arn": created[kind.arn]}})
    return _ended(turn, kind, arguments.get(kind.name or "", created[kind.arn]))


def job_name(execution: str, step: str, prefix: str | None = None) -> str:
    """pipelines-<execution>-<step>-<suffix>; a name in the definition takes the place of what is before the suffix."""
    suffix = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_SUFFIX))
    name = re.sub(r"[^A-Za-z0-9]+", "-", prefix or f"pipelines-{execution}-{step}")
    return f"{name[: _MOST_NAME - _SUFFIX - 1].strip('-')}-{suffix}"


def _ended(turn: Turn, kind: Kind, name: str) -> dict[str, Any]:
    """Describes it until it has ended, stops it when the execution must stop."""
    stopping = False
    while True:
        member = kind.name or "ModelPackageName"
        action = f"sagemaker:Describe{kind.resource}"
        described = _plain(turn.call("sagemaker", action, f"describe_{xform_name(kind.resource)}", **{member: name}))
        status = described.get(kind.status)
        if not kind.done or status in kind.done:
            return described
        if status == "Failed":
            raise _failure(described.get("FailureReason") or f"{kind.resource} {name} failed without a reason.")
        if status == "Stopped":
            if stopping:
                raise StepStopped
            why = described.get("SecondaryStatus") or described.get("FailureReason") or "it was stopped by somebody"
            raise StepFailed(f"ClientError: {kind.resource} {name} was stopped before it was done: {why}.")
        halted = turn.pause(POLL_S)
        if halted and kind.stops and not stopping:
            stopping = True
            _stop(turn, kind, name)
        elif halted:
            turn.leave.wait(POLL_S)


def _stop(turn: Turn, kind: Kind, name: str) -> None:
    """Asks for the job's end. A job that cannot be stopped, or has ended meanwhile, is waited for."""
    turn.stopping()
    action, method = f"sagemaker:Stop{kind.resource}", f"stop_{xform_name(kind.resource)}"
    try:
        turn.call("sagemaker", action, method, **{str(kind.name): name})
    except StepFailed as failed:
        LOG.warning("%s %s was not stopped: %s", kind.resource, name, failed.reason)


def _group(turn: Turn, group: str) -> None:
    """Registering makes the group of the package, if it is not there: as on AWS, the role must be allowed to."""
    if group.startswith("arn:"):
        return
    try:
        turn.call(
            "sagemaker",
            "sagemaker:CreateModelPackageGroup",
            "create_model_package_group",
            ModelPackageGroupName=group,
            Tags=_tags(turn),
        )
    except StepFailed as failed:
        if "already exist" not in failed.reason:
            raise


def _tags(turn: Turn) -> list[dict[str, str]]:
    return [
        {"Key": "sagemaker:pipeline-execution-arn", "Value": turn.execution["PipelineExecutionArn"]},
        {"Key": "sagemaker:pipeline-step-name", "Value": turn.step.name},
    ]


def _failure(reason: str) -> StepFailed:
    """A failed job; SageMaker's own faults may be tried again."""
    kinds = {"InternalServerError": "SageMaker.JOB_INTERNAL_ERROR", "CapacityError": "SageMaker.CAPACITY_ERROR"}
    exception = next((kind for begin, kind in kinds.items() if reason.startswith(begin)), None)
    return StepFailed(f"ClientError: {reason}", exception)


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer of boto3 as JSON, without what is about the request."""
    answer.pop("ResponseMetadata", None)
    return dict(json.loads(json.dumps(answer, default=_text)))


def _text(moment: Any) -> str:
    return moment.isoformat() if isinstance(moment, datetime) else str(moment)
