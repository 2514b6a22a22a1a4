"""CreateTransformJob -> the model's `serve` runs for the job, gets every object's records, and <object>.out is in S3.

Differences to AWS: one instance, no DataProcessing filters or joins, no data capture. An object with a bad record gets
no output; the others do, and the job is Failed, as on AWS.
"""

import gzip
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.aws import containers, roles, servers, storage
from local.aws.errors import ValidationException
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.sagemaker import artefacts, channels, job_runs, jobs, models, workers
from local.sagemaker.jobs import Job, JobFailedError, Kind
from local.sagemaker.records import MIB, assembled, payloads

KIND = Kind("Transform")
PAYLOAD_MB = 6
TIMEOUT_S = 600
RETRIES = 3
TOLD = 300  # characters of a refused request's answer


def create(service: Service, given: Input) -> Output:
    """CreateTransformJob."""
    _check(given)
    model = models.found(service, given["ModelName"])
    if "ExecutionRoleArn" not in model:
        raise ValidationException(f"Model {given['ModelName']} has no ExecutionRoleArn: it reads the input.")
    roles.check(service, model["ExecutionRoleArn"])
    # Its own copy: on AWS, too, a model that is deleted while its job waits is transformed with.
    job_runs.create(service, KIND, {**given, "_model": model}, _transform, _finish)
    return {"TransformJobArn": service.arn(KIND.resource, given["TransformJobName"])}


def describe(service: Service, given: Input) -> Output:
    """DescribeTransformJob."""
    return jobs.found(service, KIND, given["TransformJobName"])


def stop(service: Service, given: Input) -> Output:
    """StopTransformJob: outputs that are there stay."""
    return jobs.stop(service, KIND, given["TransformJobName"])


def list_jobs(service: Service, given: Input) -> Output:
    """ListTransformJobs."""
    return jobs.listed(service, KIND, given)


def recover(service: Service) -> None:
    """What ran when the platform ended gets its end."""
    job_runs.recover(service, KIND, _finish)


def end(service: Service) -> None:
    """Ends what runs."""
    job_runs.end(service)


def _check(given: Input) -> None:
    """Raises ValidationException for what only AWS can do."""
    channels.check_cluster(given["TransformResources"])
    channels.check_source("TransformInput", given["TransformInput"]["DataSource"]["S3DataSource"])
    split = given["TransformInput"].get("SplitType", "None")
    if split not in ("None", "Line"):
        raise channels.unserved(f"SplitType {split}")
    processing = given.get("DataProcessing", {})
    if {processing.get("InputFilter", "$"), processing.get("OutputFilter", "$")} != {"$"}:
        raise channels.unserved("A filter in DataProcessing")
    if processing.get("JoinSource", "None") != "None":
        raise channels.unserved("JoinSource in DataProcessing")
    if "DataCaptureConfig" in given:
        raise channels.unserved("DataCaptureConfig of a transform job")


def _transform(job: Job) -> None:
    """One job: all objects through one `serve`."""
    record = job.record
    model = _served(record, record["_model"])
    job.change(TransformStartTime=time.time())
    s3 = storage.client(job.service, model["ExecutionRoleArn"])
    inputs = job.base / "transform"
    found = channels.fetch(s3, record["TransformInput"]["DataSource"]["S3DataSource"], inputs)
    worker = None
    try:
        artefacts.fetch(job.service, model, job.base)
        stream = workers.Stream(KIND.log_group, job.name)
        size = containers.resources(record["TransformResources"]["InstanceType"])
        worker = workers.Worker(job.service, model, job.base, stream, size)
        job.at_stop.append(worker.end)
        worker.wait()
        transforming = _Transforming(job, record, s3, worker, inputs)
        failures = [failure for path in found if (failure := transforming.failure(path))]
    except servers.NotServed as error:
        raise JobFailedError(f"ClientError: The model {record['ModelName']} {error}") from error
    finally:
        if worker:
            worker.end()
    if failures:
        raise JobFailedError(failures[0])


def _served(record: Record, model: Record) -> Record:
    """The model with the variables that a container has in a transform job."""
    environment = {
        **model["_container"].get("Environment", {}),
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": record.get("BatchStrategy", "MultiRecord"),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(record.get("MaxConcurrentTransforms") or 1),
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(record.get("MaxPayloadInMB", PAYLOAD_MB)),
        **record.get("Environment", {}),
    }
    return {**model, "_container": {**model["_container"], "Environment": environment}}


@dataclass(frozen=True)
class _Transforming:
    """A job whose model serves. `inputs` is the folder of its objects."""

    job: Job
    record: Record
    s3: Any
    worker: workers.Worker
    inputs: Path

    def failure(self, path: Path) -> str:
        """Why there is no output of this object; empty when there is, or when the job is to stop."""
        if self.job.stopping.is_set():
            return ""
        name = path.relative_to(self.inputs).as_posix()
        try:
            answers = self._answers(path)
        except JobFailedError as error:
            kind, _, reason = str(error).partition(": ")
            return f"{kind}: {name}: {reason}"
        except (OSError, EOFError, zlib.error) as error:
            return f"ClientError: {name}: {error}"
        if not self.job.stopping.is_set():
            target = self.record["TransformOutput"]
            output = path.with_name(f"{path.name}.out")
            output.write_bytes(assembled(answers, target.get("AssembleWith", "None")))
            uri = storage.join(target["S3OutputPath"], f"{name}.out")
            storage.put(self.s3, output, uri, kms_key=target.get("KmsKeyId"))
        return ""

    def _answers(self, path: Path) -> list[bytes]:
        """What the model says to the object's payloads, in their order."""
        given = self.record["TransformInput"]
        data = path.read_bytes()
        if given.get("CompressionType", "None") == "Gzip":
            data = gzip.decompress(data)
        largest = self.record.get("MaxPayloadInMB", PAYLOAD_MB) * MIB
        strategy = self.record.get("BatchStrategy", "MultiRecord")
        parts = payloads(data, given.get("SplitType", "None"), strategy, largest)
        with ThreadPoolExecutor(self.record.get("MaxConcurrentTransforms") or 1) as pool:
            return list(pool.map(self._invoke, parts))

    def _invoke(self, payload: bytes) -> bytes:
        """The model's answer. Raises JobFailedError for what it refuses, and for what it fails at every time."""
        config = self.record.get("ModelClientConfig", {})
        headers = {
            "Content-Type": self.record["TransformInput"].get("ContentType", "application/octet-stream"),
            "Accept": self.record["TransformOutput"].get("Accept", "*/*"),
        }
        reason = ""
        for _ in range(1 + config.get("InvocationsMaxRetries", RETRIES)):
            self.job.go_on()
            if self.job.stopping.is_set():
                return b""
            try:
                reply = self.worker.invoke(payload, headers, config.get("InvocationsTimeoutInSeconds", TIMEOUT_S))
            except servers.Slow:
                reason = "AlgorithmError: The model did not answer in time."
                continue
            except servers.Gone as error:
                raise JobFailedError(f"AlgorithmError: {error}") from error
            if reply.status < 300:
                return reply.body
            told = reply.body[:TOLD].decode(errors="replace").strip()
            reason = f"Bad HTTP status received from algorithm: {reply.status}: {told}"
            if reply.status < 500:
                raise JobFailedError(f"ClientError: {reason}")
            reason = f"AlgorithmError: {reason}"
        raise JobFailedError(reason)


def _finish(record: Record, status: str, reason: str) -> None:
    """Nothing besides what every job has at its end."""


OPERATIONS: dict[str, Operation] = {
    "CreateTransformJob": create,
    "DescribeTransformJob": describe,
    "StopTransformJob": stop,
    "ListTransformJobs": list_jobs,
}
