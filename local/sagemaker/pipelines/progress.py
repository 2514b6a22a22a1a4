"""What becomes of an execution and its steps -> their record, and an event on the bus for each change of status."""

import time
from datetime import UTC, datetime
from typing import Any

from local.aws.errors import ConflictException, ResourceNotFound
from local.aws.service import Service
from local.aws.store import Record, Table
from local.sagemaker.pipelines.definition import Step

EXECUTING, STOPPING, STOPPED, FAILED, SUCCEEDED = "Executing", "Stopping", "Stopped", "Failed", "Succeeded"
STARTING = "Starting"
OPEN = (STARTING, EXECUTING, STOPPING)
_REASON_MOST = 1024
_EXECUTION_EVENT = "SageMaker Model Building Pipeline Execution Status Change"
_STEP_EVENT = "SageMaker Model Building Pipeline Execution Step Status Change"


def table(service: Service) -> Table:
    """Executions by their id."""
    return service.store.table("pipeline-execution")


def found(service: Service, arn: str) -> Record:
    """The execution's record. Raises ResourceNotFound."""
    record = table(service).find(arn.rsplit("/", 1)[-1])
    if record is None or record["PipelineExecutionArn"] != arn.lower():
        raise ResourceNotFound(f"Pipeline execution {arn} does not exist.")
    return record


def set_status(
    service: Service, execution: str, status: str, reason: str | None = None, allowed: tuple[str, ...] = OPEN
) -> None:
    """Changes the status of an execution. Raises ConflictException when the one that it has is not allowed."""
    before: list[str] = []

    def change(record: Record) -> None:
        before.append(record["PipelineExecutionStatus"])
        if before[0] not in allowed:
            arn = record["PipelineExecutionArn"]
            raise ConflictException(f"Pipeline execution {arn} cannot become {status}: its status is {before[0]}.")
        record |= {"PipelineExecutionStatus": status, "LastModifiedTime": time.time()}
        record.pop("FailureReason", None)
        if reason:
            record["FailureReason"] = reason[:_REASON_MOST]

    tell(service, table(service).change(execution, change), before[0])


def tell(service: Service, record: Record, before: str | None) -> None:
    """The event of an execution's status; `before` is the one it had."""
    status = record["PipelineExecutionStatus"]
    detail = {
        "pipelineExecutionDisplayName": record["PipelineExecutionDisplayName"],
        "currentPipelineExecutionStatus": status,
        "previousPipelineExecutionStatus": before,
        "executionStartTime": _written(record["CreationTime"]),
        "pipelineArn": record["PipelineArn"],
        "pipelineExecutionArn": record["PipelineExecutionArn"],
    }
    if status not in OPEN:
        detail["executionEndTime"] = _written(record["LastModifiedTime"])
    if "PipelineExecutionDescription" in record:
        detail["pipelineExecutionDescription"] = record["PipelineExecutionDescription"]
    service.event(_EXECUTION_EVENT, detail, [record["PipelineArn"], record["PipelineExecutionArn"]])


def begin_step(service: Service, execution: str, step: Step) -> None:
    """Adds a step, Starting."""
    begun: Record = {
        "StepName": step.name, "_type": step.type, "StepStatus": STARTING, "StartTime": time.time(), "Metadata": {},
        "AttemptCount": 0,
    }  # fmt: skip
    for member, name in (("DisplayName", "StepDisplayName"), ("Description", "StepDescription")):
        if step.members.get(member):
            begun[name] = step.members[member]

    def change(record: Record) -> None:
        record["_steps"].append(begun)
        record["LastModifiedTime"] = begun["StartTime"]

    changed = table(service).change(execution, change)
    _tell_step(service, changed, step.name, None)


def set_step(service: Service, execution: str, name: str, status: str, **members: Any) -> None:
    """Changes the status of a step, with other members of it; Metadata is added to what is there."""
    before: list[str] = []

    def change(record: Record) -> None:
        step = next(step for step in record["_steps"] if step["StepName"] == name)
        before.append(step["StepStatus"])
        step["Metadata"] |= members.pop("Metadata", {})
        step |= {"StepStatus": status, **members}
        if status not in OPEN:
            step["EndTime"] = time.time()
        if "FailureReason" in step:
            step["FailureReason"] = step["FailureReason"][:_REASON_MOST]
        record["LastModifiedTime"] = time.time()

    changed = table(service).change(execution, change)
    if before[0] != status:
        _tell_step(service, changed, name, before[0])


def _tell_step(service: Service, changed: Record, name: str, before: str | None) -> None:
    step = next(step for step in changed["_steps"] if step["StepName"] == name)
    detail = {
        "metadata": _lowered(step["Metadata"]),
        "stepStartTime": _written(step["StartTime"]),
        "stepName": name,
        "stepType": step["_type"],
        "previousStepStatus": before,
        "currentStepStatus": step["StepStatus"],
        "pipelineArn": changed["PipelineArn"],
        "pipelineExecutionArn": changed["PipelineExecutionArn"],
    }
    if "EndTime" in step:
        detail["stepEndTime"] = _written(step["EndTime"])
    if "FailureReason" in step:
        detail["failureReason"] = step["FailureReason"]
    service.event(_STEP_EVENT, detail, [changed["PipelineArn"], changed["PipelineExecutionArn"]])


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _lowered(value: Any) -> Any:
    """Member names as events have them: TrainingJob -> trainingJob."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _lowered(inner) for key, inner in value.items()}
    return [_lowered(inner) for inner in value] if isinstance(value, list) else value
