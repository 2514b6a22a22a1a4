"""CreateTrainingJob -> the image's `train` runs under SageMaker's contract: channels in, model.tar.gz out.

/opt/ml is a folder of its own for each job (SAGEMAKER_BASE_DIR). Differences to AWS: one instance, File mode, and a job
that writes no model is Failed, where AWS completes it with an artefact that holds nothing.
"""

import re
import time
from typing import Any

from local.aws import containers, roles, storage
from local.aws.errors import ValidationException
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.sagemaker import channels, images, job_runs, jobs
from local.sagemaker.jobs import Job, JobFailedError, JobStoppedError, Kind
from local.sagemaker.metrics import Metrics

KIND = Kind("Training", missing="Requested resource not found.")
LONGEST_S = 86400
HOST = "algo-1"
# Members that would change what happens, and that nothing here can do.
_UNSERVED = (
    "CheckpointConfig", "DebugRuleConfigurations", "ModelPackageConfig", "ProfilerRuleConfigurations",
    "ServerlessJobConfig", "TensorBoardOutputConfig",
)  # fmt: skip
_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
}
_EXCEEDED = "MaxRuntimeExceeded"


def create(service: Service, given: Input) -> Output:
    """CreateTrainingJob."""
    _check(given)
    roles.check(service, given["RoleArn"])
    record = {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        **given,
        "StoppingCondition": {"MaxRuntimeInSeconds": LONGEST_S, **given.get("StoppingCondition", {})},
        "ModelArtifacts": {"S3ModelArtifacts": _artefact(given)},
        "SecondaryStatus": "Starting",
        "SecondaryStatusTransitions": [_transition("Starting")],
    }
    job_runs.create(service, KIND, record, _train, _finish)
    return {"TrainingJobArn": service.arn(KIND.resource, given["TrainingJobName"])}


def describe(service: Service, given: Input) -> Output:
    """DescribeTrainingJob."""
    return jobs.found(service, KIND, given["TrainingJobName"])


def stop(service: Service, given: Input) -> Output:
    """StopTrainingJob: what is in model/ by then is kept, as on AWS."""
    return jobs.stop(service, KIND, given["TrainingJobName"], lambda record: _enter(record, "Stopping"))


def delete(service: Service, given: Input) -> Output:
    """DeleteTrainingJob: its record; its artefacts stay."""
    return jobs.delete(service, KIND, given["TrainingJobName"])


def list_jobs(service: Service, given: Input) -> Output:
    """ListTrainingJobs."""
    return jobs.listed(service, KIND, given)


def recover(service: Service) -> None:
    """What ran when the platform ended gets its end."""
    job_runs.recover(service, KIND, _finish)


def end(service: Service) -> None:
    """Ends what runs."""
    job_runs.end(service)


def _check(given: Input) -> None:
    """Raises ValidationException for what is wrong, and for what only AWS can do."""
    for member in _UNSERVED:
        if member in given:
            raise channels.unserved(member)
    algorithm = given.get("AlgorithmSpecification", {})
    if "TrainingImage" not in algorithm:
        raise channels.unserved("A training job without AlgorithmSpecification.TrainingImage")
    if algorithm.get("TrainingInputMode") != "File":
        raise channels.unserved(f"TrainingInputMode {algorithm.get('TrainingInputMode')}")
    channels.check_cluster(given.get("ResourceConfig", {}))
    names = [channel["ChannelName"] for channel in given.get("InputDataConfig", [])]
    if len(names) != len(set(names)):
        raise ValidationException(f"Channel names must be unique: {names}")
    for channel in given.get("InputDataConfig", []):
        channels.check(channel)
    for definition in algorithm.get("MetricDefinitions", []):
        try:
            re.compile(definition["Regex"])
        except re.error as error:
            raise ValidationException(f"Invalid regex of metric {definition['Name']}: {error}") from error


def _train(job: Job) -> None:
    """One training, from its data to its artefact."""
    record = job.record
    program = images.command(
        job.service.state,
        record["AlgorithmSpecification"]["TrainingImage"],
        "train",
        record["AlgorithmSpecification"].get("ContainerEntrypoint"),
        record["AlgorithmSpecification"].get("ContainerArguments"),
    )
    s3 = storage.client(job.service, record["RoleArn"])
    deadline = time.monotonic() + record["StoppingCondition"]["MaxRuntimeInSeconds"]
    _change(job, "Downloading", TrainingStartTime=time.time())
    channels.prepare(job.base, record, HOST)
    for channel in record.get("InputDataConfig", []):
        channels.download(s3, channel, job.base / "input" / "data" / channel["ChannelName"])
    job.go_on()
    if job.stopping.is_set():
        return
    _change(job, "Training")
    code = _run(job, record, program, deadline - time.monotonic())
    if code == 0 or code is None or job.stopping.is_set():
        _save(job, record, s3, needed=code == 0 and not job.stopping.is_set())
    if job.stopping.is_set():
        return
    if code is None:
        raise JobStoppedError(_EXCEEDED)
    if code:
        raise JobFailedError(f"AlgorithmError: {_failure(job)}, exit code: {code}")


def _run(job: Job, record: Record, program: containers.Program, limit_s: float) -> int | None:
    """Runs the container. Its exit code, None when its time was up; raises JobFailedError when it used too much."""
    isolated = record["EnableNetworkIsolation"]
    metrics = Metrics(job.service, job.name, record["AlgorithmSpecification"].get("MetricDefinitions", []))
    log = job.log(metrics.line)
    try:
        container = containers.Container(
            job.service,
            program,
            job.base,
            environment={
                "TRAINING_JOB_NAME": job.name,
                "TRAINING_JOB_ARN": record["TrainingJobArn"],
                **record.get("Environment", {}),
            },
            credentials={} if isolated else job.service.credentials(record["RoleArn"]),
            resources=containers.resources(record["ResourceConfig"]["InstanceType"]),
            log=log,
        )
        code = job.attend(container, limit_s)
    finally:
        log.close()
    final = metrics.final()
    if final:
        job.change(FinalMetricDataList=final)
        metrics.publish()
    if container.reason:
        raise JobFailedError(f"AlgorithmError: {container.reason}, exit code: {code}")
    return code


def _save(job: Job, record: Record, s3: Any, *, needed: bool) -> None:
    """model/ and output/data/ -> S3, where there is something. Raises JobFailedError for a missing model."""
    model, data = job.base / "model", job.base / "output" / "data"
    if needed and not storage.files(model):
        raise JobFailedError("AlgorithmError: The container wrote no model to /opt/ml/model, exit code: 0")
    if not job.stopping.is_set():
        _change(job, "Uploading")
    uri, kms_key = record["ModelArtifacts"]["S3ModelArtifacts"], record["OutputDataConfig"].get("KmsKeyId")
    if storage.files(model):
        if uri.endswith("/"):
            storage.put_folder(s3, model, uri, kms_key)
        else:
            storage.pack(model, job.base / "model.tar.gz")
            storage.put(s3, job.base / "model.tar.gz", uri, kms_key=kms_key)
    if storage.files(data):
        storage.pack(data, job.base / "output.tar.gz")
        storage.put(s3, job.base / "output.tar.gz", storage.join(_output(record), "output.tar.gz"), kms_key=kms_key)


def _failure(job: Job) -> str:
    """What the container says of its failure."""
    file = job.base / "output" / "failure"
    return file.read_text(errors="replace").strip()[:900] if file.exists() else ""


def _output(given: Input) -> str:
    return storage.join(given["OutputDataConfig"]["S3OutputPath"], given["TrainingJobName"], "output")


def _artefact(given: Input) -> str:
    packed = given["OutputDataConfig"].get("CompressionType", "GZIP") == "GZIP"
    return storage.join(_output(given), "model.tar.gz" if packed else "model/")


def _transition(status: str) -> dict[str, Any]:
    return {"Status": status, "StartTime": time.time(), "StatusMessage": _MESSAGES[status]}


def _enter(record: Record, status: str) -> None:
    """The secondary status that the job enters; the one before ends."""
    following = _transition(status)
    record["SecondaryStatusTransitions"][-1].setdefault("EndTime", following["StartTime"])
    record["SecondaryStatusTransitions"].append(following)
    record["SecondaryStatus"] = status


def _change(job: Job, status: str, **members: Any) -> None:
    def altered(record: Record) -> None:
        if record[KIND.status] == "InProgress":  # a job that was stopped meanwhile stays Stopping
            _enter(record, status)
        record.update(members, LastModifiedTime=time.time())

    jobs.told(job.service, KIND, job.table.change(job.name, altered))


def _finish(record: Record, status: str, reason: str) -> None:
    """The end of a training job: last transition and times."""
    _enter(record, _EXCEEDED if status == "Stopped" and reason == _EXCEEDED else status)
    last = record["SecondaryStatusTransitions"][-1]
    last["EndTime"] = last["StartTime"]
    if status == "Failed":
        last["StatusMessage"] = record["FailureReason"]
    if "TrainingStartTime" in record:
        seconds = max(1, round(record["TrainingEndTime"] - record["TrainingStartTime"]))
        record["TrainingTimeInSeconds"] = record["BillableTimeInSeconds"] = seconds


OPERATIONS: dict[str, Operation] = {
    "CreateTrainingJob": create,
    "DescribeTrainingJob": describe,
    "StopTrainingJob": stop,
    "DeleteTrainingJob": delete,
    "ListTrainingJobs": list_jobs,
}
