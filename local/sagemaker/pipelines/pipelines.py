"""CreatePipeline and what belongs to it: a pipeline is a checked definition, its versions, and a role for its steps."""

import threading
import time

from local.aws.errors import ConflictException, ResourceNotFound, ValidationException
from local.aws.paging import page
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record, Table
from local.sagemaker import tags
from local.sagemaker.pipelines import progress
from local.sagemaker.pipelines.definition import parse
from local.sagemaker.pipelines.validation import check

_OPTIONAL = ("PipelineDisplayName", "PipelineDescription", "ParallelismConfiguration", "RoleArn")
# A client that waited too long asks again with the same token while its first request is still at work; and nothing
# starts of a pipeline that is being deleted.
changing = threading.Lock()


def create(service: Service, given: Input) -> Output:
    """CreatePipeline; the same ClientRequestToken creates one only."""
    with changing:
        return _create(service, given)


def update(service: Service, given: Input) -> Output:
    """UpdatePipeline: a new definition is a new version; executions that run keep the one that they began with."""
    found(service, given["PipelineName"])
    changed = "PipelineDefinition" in given or "PipelineDefinitionS3Location" in given
    text = _definition(service, given) if changed else None

    def change(record: Record) -> None:
        record |= {member: given[member] for member in _OPTIONAL if member in given}
        record["LastModifiedTime"] = time.time()
        if text is not None and text != record["PipelineDefinition"]:
            record["PipelineDefinition"] = text
            record["_version"] += 1

    record = _table(service).change(given["PipelineName"], change)
    if _versions(service).find(_key(record, record["_version"])) is None:
        _add_version(service, record)
    return {"PipelineArn": record["PipelineArn"], "PipelineVersionId": record["_version"]}


def delete(service: Service, given: Input) -> Output:
    """DeletePipeline, with its executions; not while one runs."""
    with changing:
        record = found(service, given["PipelineName"])
        of_it = executions(service, record)
        running = [one["PipelineExecutionArn"] for one in of_it if one["PipelineExecutionStatus"] in progress.OPEN]
        if running:
            raise ConflictException(
                f"Pipeline {record['PipelineName']} has executions that run, stop them first: {running}."
            )
        _table(service).delete(record["PipelineName"])
        for execution in of_it:
            progress.table(service).delete(execution["_id"])
        for number in range(1, record["_version"] + 1):
            _versions(service).delete(_key(record, number))
        tags.forget(service, record["PipelineArn"])
    return {"PipelineArn": record["PipelineArn"]}


def describe(service: Service, given: Input) -> Output:
    """DescribePipeline, as it is now or as a version of it was."""
    record = found(service, given["PipelineName"])
    wanted = given.get("PipelineVersionId")
    chosen = version(service, record, wanted)
    return record | {"PipelineDefinition": chosen["_definition"]}


def list_pipelines(service: Service, given: Input) -> Output:
    """ListPipelines, newest first."""
    prefix = given.get("PipelineNamePrefix", "")
    records = [record for record in _table(service).all() if record["PipelineName"].startswith(prefix)]
    listed, token = page(records, given, name="PipelineName")
    summaries = [{**record, "LastExecutionTime": record.get("LastRunTime")} for record in listed]
    return {"PipelineSummaries": summaries, "NextToken": token}


def list_versions(service: Service, given: Input) -> Output:
    """ListPipelineVersions, newest first."""
    record = found(service, given["PipelineName"])
    numbers = range(1, record["_version"] + 1)
    versions = [_versions(service).get(_key(record, number)) | {"_name": f"{number:012}"} for number in numbers]
    listed, token = page(versions, given, name="_name", sort_by="PipelineVersionId")
    return {"PipelineVersionSummaries": listed, "NextToken": token}


def found(service: Service, name: str) -> Record:
    """The pipeline of a name or ARN. Raises ResourceNotFound."""
    for record in _table(service).all():
        if name == record["PipelineName"] or name.lower() == record["PipelineArn"]:
            return record
    raise ResourceNotFound(f"Pipeline '{name}' does not exist.")


def version(service: Service, pipeline: Record, number: int | None) -> Record:
    """A version of the pipeline; the latest by default. Raises ResourceNotFound."""
    wanted = number or pipeline["_version"]
    record = _versions(service).find(_key(pipeline, wanted))
    if record is None:
        raise ResourceNotFound(f"Pipeline '{pipeline['PipelineName']}' has no version {wanted}.")
    return record


def executions(service: Service, pipeline: Record) -> list[Record]:
    """Executions of a pipeline, the oldest first."""
    return [record for record in progress.table(service).all() if record["PipelineArn"] == pipeline["PipelineArn"]]


def ran(service: Service, pipeline: Record, of: Record, execution: Record) -> None:
    """Notes that an execution of this version has begun."""
    last = {"LastExecutionPipelineExecutionArn": execution["PipelineExecutionArn"]}
    _versions(service).change(_key(pipeline, of["PipelineVersionId"]), lambda record: {**record, **last})
    time_of = {"LastRunTime": execution["CreationTime"]}
    _table(service).change(pipeline["PipelineName"], lambda record: {**record, **time_of})


def _create(service: Service, given: Input) -> Output:
    name = given["PipelineName"]
    existing = next((one for one in _table(service).all() if one["PipelineName"].lower() == name.lower()), None)
    if existing is not None:
        if existing["_token"] == given["ClientRequestToken"]:
            return {"PipelineArn": existing["PipelineArn"]}
        raise ValidationException(
            "Pipeline names must be unique within an AWS account and region. "
            f"Pipeline with name ({name}) already exists."
        )
    text = _definition(service, given)
    now = time.time()
    record: Record = {
        "PipelineArn": service.arn("pipeline", name),
        "PipelineName": name,
        "PipelineDisplayName": name,
        "PipelineStatus": "Active",
        "PipelineDefinition": text,
        "CreationTime": now,
        "LastModifiedTime": now,
        "_token": given["ClientRequestToken"],
        "_version": 1,
    }
    record |= {member: given[member] for member in _OPTIONAL if member in given}
    _table(service).put(name, record)
    _add_version(service, record)
    tags.given(service, record["PipelineArn"], given.get("Tags"))
    return {"PipelineArn": record["PipelineArn"]}


def _definition(service: Service, given: Input) -> str:
    """The definition of a request, checked. Raises ValidationException."""
    inline, location = given.get("PipelineDefinition"), given.get("PipelineDefinitionS3Location")
    if inline is not None and location is not None:
        raise ValidationException("Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present")
    if location is not None:
        inline = _stored(service, location)
    if inline is None:
        raise ValidationException("Either Pipeline Definition or Pipeline Definition S3 location should be provided")
    check(parse(inline))
    return str(inline)


def _stored(service: Service, location: dict[str, str]) -> str:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - only definitions in S3 need them

    wanted = {"Bucket": location["Bucket"], "Key": location["ObjectKey"]}
    if "VersionId" in location:
        wanted["VersionId"] = location["VersionId"]
    try:
        return str(service.client("s3").get_object(**wanted)["Body"].read().decode("utf-8"))
    except (ClientError, BotoCoreError, UnicodeDecodeError) as error:
        raise ValidationException(
            f"Unable to read the pipeline definition s3://{location['Bucket']}/{location['ObjectKey']}: {error}"
        ) from error


def _add_version(service: Service, record: Record) -> None:
    kept = {
        "PipelineArn": record["PipelineArn"],
        "PipelineVersionId": record["_version"],
        "CreationTime": record["LastModifiedTime"],
        "_definition": record["PipelineDefinition"],
    }
    _versions(service).put(_key(record, record["_version"]), kept)


def _key(pipeline: Record, number: int) -> str:
    return f"{pipeline['PipelineName']}:{number}"


def _table(service: Service) -> Table:
    return service.store.table("pipeline")


def _versions(service: Service) -> Table:
    return service.store.table("pipeline-version")


OPERATIONS: dict[str, Operation] = {
    "CreatePipeline": create,
    "UpdatePipeline": update,
    "DeletePipeline": delete,
    "DescribePipeline": describe,
    "ListPipelines": list_pipelines,
    "ListPipelineVersions": list_versions,
}
