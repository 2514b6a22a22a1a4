"""CreateProcessingJob -> a program with S3 objects in its folders, and its folders in S3 when it has ended well.

/opt/ml/processing is below a folder of its own for each job (SAGEMAKER_BASE_DIR). Differences to AWS: one instance,
File mode, and outputs at the end of the job. A job that exceeds its time is Stopped, and says so in its FailureReason.
"""

import json
import time
from pathlib import Path, PurePosixPath
from typing import Any

from local.aws import containers, roles, storage
from local.aws.errors import ValidationException
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.sagemaker import channels, images, job_runs, jobs
from local.sagemaker.jobs import Job, JobFailedError, JobStoppedError, Kind

KIND = Kind("Processing")
LONGEST_S = 86400
HOST = "algo-1"
MESSAGE = 1024  # characters of an ExitMessage
ROOT = PurePosixPath("/opt/ml")


def create(service: Service, given: Input) -> Output:
    """CreateProcessingJob."""
    _check(given)
    roles.check(service, given["RoleArn"])
    record = {**given, "StoppingCondition": given.get("StoppingCondition", {"MaxRuntimeInSeconds": LONGEST_S})}
    job_runs.create(service, KIND, record, _process, _finish)
    return {"ProcessingJobArn": service.arn(KIND.resource, given["ProcessingJobName"])}


def describe(service: Service, given: Input) -> Output:
    """DescribeProcessingJob."""
    return jobs.found(service, KIND, given["ProcessingJobName"])


def stop(service: Service, given: Input) -> Output:
    """StopProcessingJob. Nothing of its outputs is kept."""
    return jobs.stop(service, KIND, given["ProcessingJobName"])


def delete(service: Service, given: Input) -> Output:
    """DeleteProcessingJob: its record; its outputs stay."""
    return jobs.delete(service, KIND, given["ProcessingJobName"])


def list_jobs(service: Service, given: Input) -> Output:
    """ListProcessingJobs."""
    return jobs.listed(service, KIND, given)


def recover(service: Service) -> None:
    """What ran when the platform ended gets its end."""
    job_runs.recover(service, KIND, _finish)


def end(service: Service) -> None:
    """Ends what runs."""
    job_runs.end(service)


def _check(given: Input) -> None:
    """Raises ValidationException for what is wrong, and for what only AWS can do."""
    channels.check_cluster(given["ProcessingResources"]["ClusterConfig"])
    inputs, outputs = given.get("ProcessingInputs", []), _outputs(given)
    for what, entries, member in (("input", inputs, "InputName"), ("output", outputs, "OutputName")):
        names = [entry[member] for entry in entries]
        if len(names) != len(set(names)):
            raise ValidationException(f"The names of the {what}s must be unique: {names}")
    for entry in inputs:
        where = f"Input {entry['InputName']}"
        source = entry.get("S3Input")
        if source is None or entry.get("AppManaged"):
            raise channels.unserved(f"{where}: anything but S3Input")
        if source.get("S3InputMode", "File") != "File" or source.get("S3CompressionType", "None") != "None":
            raise channels.unserved(f"{where}: Pipe mode, or Gzip, which is for Pipe mode")
        channels.check_source(where, source)
        _folder(where, source)
    for entry in outputs:
        where = f"Output {entry['OutputName']}"
        target = entry.get("S3Output")
        if target is None or entry.get("AppManaged"):
            raise channels.unserved(f"{where}: anything but S3Output")
        if target["S3UploadMode"] != "EndOfJob":
            raise channels.unserved(f"{where}: S3UploadMode {target['S3UploadMode']}")
        _folder(where, target)


def _outputs(given: Input) -> list[dict[str, Any]]:
    outputs: list[dict[str, Any]] = given.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return outputs


def _folder(where: str, place: dict[str, Any]) -> Path:
    """LocalPath below /opt/ml -> the same path below the job's base directory, relative."""
    path = PurePosixPath(place.get("LocalPath", ""))
    if not path.is_relative_to(ROOT) or path == ROOT or ".." in path.parts:
        raise ValidationException(f"{where}: LocalPath must be a folder below {ROOT}, not {str(path)!r}.")
    return Path(path.relative_to(ROOT))


def _process(job: Job) -> None:
    """One job, from its inputs to its outputs."""
    record = job.record
    application = record["AppSpecification"]
    program = images.command(
        job.service.state,
        application["ImageUri"],
        "",
        application.get("ContainerEntrypoint"),
        application.get("ContainerArguments"),
    )
    s3 = storage.client(job.service, record["RoleArn"])
    deadline = time.monotonic() + record["StoppingCondition"]["MaxRuntimeInSeconds"]
    job.change(ProcessingStartTime=time.time())
    _prepare(job.base, record)
    for entry in record.get("ProcessingInputs", []):
        source = entry["S3Input"]
        channels.fetch(s3, source, job.base / _folder(entry["InputName"], source))
    job.go_on()
    if job.stopping.is_set():
        return
    code = _run(job, record, program, deadline - time.monotonic())
    if job.stopping.is_set():
        return
    if code is None:
        raise JobStoppedError(f"The job ran longer than {record['StoppingCondition']['MaxRuntimeInSeconds']} s.")
    if code:
        why = job.record.get("ExitMessage", "").strip() or "See job logs for more information"
        raise JobFailedError(f"AlgorithmError: {why[:900]}, exit code: {code}")
    kms_key = record.get("ProcessingOutputConfig", {}).get("KmsKeyId")
    for entry in _outputs(record):
        target = entry["S3Output"]
        storage.put_folder(s3, job.base / _folder(entry["OutputName"], target), target["S3Uri"], kms_key)


def _run(job: Job, record: Record, program: containers.Program, limit_s: float) -> int | None:
    """Runs the container. Its exit code, None when its time was up; raises JobFailedError when it used too much."""
    isolated = record.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
    log = job.log()
    try:
        container = containers.Container(
            job.service,
            program,
            job.base,
            environment={"PROCESSING_JOB_NAME": job.name, **record.get("Environment", {})},
            credentials={} if isolated else job.service.credentials(record["RoleArn"]),
            resources=containers.resources(record["ProcessingResources"]["ClusterConfig"]["InstanceType"]),
            log=log,
        )
        code = job.attend(container, limit_s)
    finally:
        log.close()
    message = job.base / "output" / "message"
    if message.is_file():
        job.change(ExitMessage=message.read_text(errors="replace")[:MESSAGE])
    if container.reason:
        raise JobFailedError(f"AlgorithmError: {container.reason}, exit code: {code}")
    return code


def _prepare(base: Path, record: Record) -> None:
    """The folders of a processing container, and /opt/ml/config as SageMaker writes it."""
    folders = [_folder(entry["OutputName"], entry["S3Output"]) for entry in _outputs(record)]
    for folder in (Path("config"), Path("output"), Path("processing"), *folders):
        (base / folder).mkdir(parents=True, exist_ok=True)
    cluster = record["ProcessingResources"]["ClusterConfig"]
    known = ("ProcessingJobName", "ProcessingJobArn", "ProcessingInputs", "ProcessingOutputConfig", "AppSpecification",
             "ProcessingResources", "Environment", "RoleArn", "StoppingCondition")  # fmt: skip
    job = {member: record[member] for member in known if member in record}
    (base / "config" / "processingjobconfig.json").write_text(json.dumps(job))
    (base / "config" / "resourceconfig.json").write_text(json.dumps(channels.cluster(HOST, cluster["InstanceType"])))


def _finish(record: Record, status: str, reason: str) -> None:
    """A job that nobody stopped and that is Stopped tells why."""
    if status == "Stopped" and reason:
        record["FailureReason"] = reason


OPERATIONS: dict[str, Operation] = {
    "CreateProcessingJob": create,
    "DescribeProcessingJob": describe,
    "StopProcessingJob": stop,
    "DeleteProcessingJob": delete,
    "ListProcessingJobs": list_jobs,
}
