"""StartPipelineExecution and what follows it: describe, list, stop, retry; and what a restart makes of open ones."""

import secrets
import string
import time
from typing import Any, NoReturn

from local.aws.errors import ValidationException
from local.aws.paging import page, slice_of
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.sagemaker.pipelines import pipelines, progress, runner
from local.sagemaker.pipelines.definition import parse
from local.sagemaker.pipelines.parameters import assigned
from local.sagemaker.pipelines.references import Undefined, resolve, text_of
from local.sagemaker.pipelines.values import source

_ALPHABET = string.ascii_lowercase + string.digits
_OPTIONAL = ("PipelineExecutionDescription", "ParallelismConfiguration")
_UNSERVED = ("SelectiveExecutionConfig", "MlflowExperimentName")


def start(service: Service, given: Input) -> Output:
    """StartPipelineExecution; the same ClientRequestToken starts one execution only."""
    for member in _UNSERVED:
        if member in given:
            raise ValidationException(f"{member} is not served by the local platform, only by AWS: see docs/parity.md.")
    with pipelines.changing:
        pipeline = pipelines.found(service, given["PipelineName"])
        for execution in pipelines.executions(service, pipeline):
            if execution["_token"] == given["ClientRequestToken"]:
                return {"PipelineExecutionArn": execution["PipelineExecutionArn"]}
        version = pipelines.version(service, pipeline, given.get("PipelineVersionId"))
        record = _record(pipeline, version, given)
        pipelines.ran(service, pipeline, version, record)
        progress.table(service).put(record["_id"], record)
    progress.tell(service, record, None)
    runner.begin(service, record["_id"])
    return {"PipelineExecutionArn": record["PipelineExecutionArn"]}


def stop(service: Service, given: Input) -> Output:
    """StopPipelineExecution: steps' jobs are stopped; a Lambda function that runs is waited for."""
    record = progress.found(service, given["PipelineExecutionArn"])
    arn, status = record["PipelineExecutionArn"], record["PipelineExecutionStatus"]
    if status != progress.STOPPING:
        progress.set_status(service, record["_id"], progress.STOPPING, allowed=(progress.EXECUTING,))
        runner.stop(record["_id"])
    return {"PipelineExecutionArn": arn}


def retry(service: Service, given: Input) -> Output:
    """RetryPipelineExecution: steps that succeeded are kept, all others run again."""
    record = progress.found(service, given["PipelineExecutionArn"])
    if record.get("_retry_token") == given["ClientRequestToken"]:
        return {"PipelineExecutionArn": record["PipelineExecutionArn"]}
    progress.set_status(service, record["_id"], progress.EXECUTING, allowed=(progress.FAILED, progress.STOPPED))

    def change(execution: Record) -> None:
        execution["_steps"] = [step for step in execution["_steps"] if step["StepStatus"] == progress.SUCCEEDED]
        execution["_retry_token"] = given["ClientRequestToken"]
        if "ParallelismConfiguration" in given:
            execution["ParallelismConfiguration"] = given["ParallelismConfiguration"]

    progress.table(service).change(record["_id"], change)
    runner.begin(service, record["_id"])
    return {"PipelineExecutionArn": record["PipelineExecutionArn"]}


def describe(service: Service, given: Input) -> Output:
    """DescribePipelineExecution."""
    return progress.found(service, given["PipelineExecutionArn"])


def update(service: Service, given: Input) -> Output:
    """UpdatePipelineExecution: how it is called; steps that run already stay in parallel."""
    record = progress.found(service, given["PipelineExecutionArn"])
    members = ("PipelineExecutionDescription", "PipelineExecutionDisplayName", "ParallelismConfiguration")
    changes = {member: given[member] for member in members if member in given} | {"LastModifiedTime": time.time()}
    progress.table(service).change(record["_id"], lambda execution: {**execution, **changes})
    return {"PipelineExecutionArn": record["PipelineExecutionArn"]}


def list_executions(service: Service, given: Input) -> Output:
    """ListPipelineExecutions, newest first."""
    pipeline = pipelines.found(service, given["PipelineName"])
    found, token = page(pipelines.executions(service, pipeline), given, name="PipelineExecutionArn")
    summaries = [
        {**record, "StartTime": record["CreationTime"], "PipelineExecutionFailureReason": record.get("FailureReason")}
        for record in found
    ]
    return {"PipelineExecutionSummaries": summaries, "NextToken": token}


def list_steps(service: Service, given: Input) -> Output:
    """ListPipelineExecutionSteps: those that began, the latest first unless SortOrder says otherwise."""
    if "PipelineExecutionArn" not in given:
        raise ValidationException("PipelineExecutionArn is required.")
    steps = progress.found(service, given["PipelineExecutionArn"])["_steps"]
    if given.get("SortOrder", "Descending") == "Descending":
        steps.reverse()
    found, token = slice_of(steps, given, 10)
    return {"PipelineExecutionSteps": found, "NextToken": token}


def describe_definition(service: Service, given: Input) -> Output:
    """DescribePipelineDefinitionForExecution: the definition as it was at the start."""
    record = progress.found(service, given["PipelineExecutionArn"])
    return {"PipelineDefinition": record["_definition"], "CreationTime": record["CreationTime"]}


def list_parameters(service: Service, given: Input) -> Output:
    """ListPipelineParametersForExecution: every parameter with the value that it had."""
    values = progress.found(service, given["PipelineExecutionArn"])["_values"]
    listed = [{"Name": name, "Value": text_of(value)} for name, value in values.items()]
    found, token = slice_of(listed, given, 100)
    return {"PipelineParameters": found, "NextToken": token}


def recover(service: Service) -> None:
    """What ran when the platform ended is Failed, with a reason that says so; what was being stopped is Stopped."""
    for record in progress.table(service).all():
        if record["PipelineExecutionStatus"] not in progress.OPEN:
            continue
        stopping = record["PipelineExecutionStatus"] == progress.STOPPING
        status = progress.STOPPED if stopping else progress.FAILED
        steps = [step["StepName"] for step in record["_steps"] if step["StepStatus"] in progress.OPEN]
        ran = f"step{'s' if len(steps) > 1 else ''} {' and '.join(steps)} ran" if steps else "no step ran"
        reason = f"The platform was restarted while {ran}. Start it again."
        for name in steps:
            progress.set_step(service, record["_id"], name, status, FailureReason=reason)
        progress.set_status(service, record["_id"], status, reason)


def _record(pipeline: Record, version: Record, given: Input) -> Record:
    """A new execution. Raises ValidationException for wrong parameters."""
    definition = parse(version["_definition"])
    values = assigned(definition.parameters, given.get("PipelineParameters", []))
    execution = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    now = time.time()
    record: Record = {
        "PipelineArn": pipeline["PipelineArn"],
        "PipelineExecutionArn": f"{pipeline['PipelineArn']}/execution/{execution}",
        "PipelineExecutionDisplayName": given.get("PipelineExecutionDisplayName", f"execution-{int(now * 1000)}"),
        "PipelineExecutionStatus": progress.EXECUTING,
        "PipelineVersionId": version["PipelineVersionId"],
        "CreationTime": now,
        "LastModifiedTime": now,
        "_id": execution,
        "_pipeline": pipeline["PipelineName"],
        "_definition": version["_definition"],
        "_role": pipeline["RoleArn"],
        "_values": values,
        "_token": given["ClientRequestToken"],
        "_steps": [],
    }
    record |= {member: pipeline[member] for member in _OPTIONAL if member in pipeline}
    record |= {member: given[member] for member in _OPTIONAL if member in given}
    record["PipelineExperimentConfig"] = _experiment(record, definition.experiment)
    return record


def _experiment(record: Record, experiment: dict[str, Any]) -> dict[str, Any] | None:
    """PipelineExperimentConfig of the definition with its values; what it names is not made on the local platform."""
    if not experiment:
        return None

    def unread(name: str) -> NoReturn:
        raise Undefined(f"PipelineExperimentConfig is read before there is a client of {name}.")

    try:
        return dict(resolve(experiment, source(record, parse(record["_definition"]), {}, unread)))
    except Undefined as error:
        raise ValidationException(f"PipelineExperimentConfig: {error}") from error


OPERATIONS: dict[str, Operation] = {
    "StartPipelineExecution": start,
    "StopPipelineExecution": stop,
    "RetryPipelineExecution": retry,
    "DescribePipelineExecution": describe,
    "UpdatePipelineExecution": update,
    "ListPipelineExecutions": list_executions,
    "ListPipelineExecutionSteps": list_steps,
    "DescribePipelineDefinitionForExecution": describe_definition,
    "ListPipelineParametersForExecution": list_parameters,
}
