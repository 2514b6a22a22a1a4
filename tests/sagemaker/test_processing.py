"""Processing jobs run for real: objects in, folders out, an exit message; and every fault ends in a stated reason."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.programs import register
from tests.sagemaker.training_jobs import ENDED, logged
from tests.waiting import eventually

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def image(platform: Platform) -> str:
    return register(platform, "processing-probe", "processing_program.py")


@pytest.fixture
def request_of(image: str, role: str, bucket: str) -> Callable[..., dict[str, Any]]:
    """(act, changes of members) -> CreateProcessingJob's input."""

    def given(act: str, **changes: Any) -> dict[str, Any]:
        name = unique("processing")
        output = {
            "S3Uri": f"s3://{bucket}/processed/{name}",
            "LocalPath": "/opt/ml/processing/output",
            "S3UploadMode": "EndOfJob",
        }
        return {
            "ProcessingJobName": name,
            "AppSpecification": {
                "ImageUri": image,
                "ContainerArguments": [act, "--days", "28"],
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 1}
            },
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "joined", "S3Output": output}]},
            "Environment": {"COLOR": "blue"},
            "RoleArn": role,
            **changes,
        }

    return given


@pytest.fixture
def run(sagemaker: Any, request_of: Callable[..., dict[str, Any]]) -> Run:
    """(act, changes of members) -> the job when it has ended."""

    def ended(act: str, **changes: Any) -> dict[str, Any]:
        given = request_of(act, **changes)
        sagemaker.create_processing_job(**given)
        return settled(sagemaker, given["ProcessingJobName"])

    return ended


def settled(sagemaker: Any, name: str) -> dict[str, Any]:
    """The job when it has ended."""

    def probe() -> dict[str, Any] | None:
        job: dict[str, Any] = sagemaker.describe_processing_job(ProcessingJobName=name)
        return job if job["ProcessingJobStatus"] in ENDED else None

    return eventually(probe, f"the end of processing job {name}")


def source(name: str, uri: str, path: str = "/opt/ml/processing/input", **changes: Any) -> dict[str, Any]:
    """A ProcessingInput."""
    given = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File", **changes}
    return {"InputName": name, "S3Input": given}


def test_objects_come_in_and_folders_go_out(aws: Aws, run: Run, bucket: str) -> None:
    s3, place = aws.client("s3"), f"inputs/{unique('p')}"
    for key, body in (("days/1/a.txt", "1"), ("days/2/b.txt", "2"), ("one.tar.gz", "3")):
        s3.put_object(Bucket=bucket, Key=f"{place}/{key}", Body=body)
    job = run(
        "join",
        ProcessingInputs=[
            source("days", f"s3://{bucket}/{place}/days", "/opt/ml/processing/input/days"),
            source("one", f"s3://{bucket}/{place}/one.tar.gz", "/opt/ml/processing/input/one"),
        ],
    )
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ExitMessage"] == "3 files joined"
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    key = f"processed/{job['ProcessingJobName']}/deep/joined.json"
    written = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert written == {
        "files": {"days/1/a.txt": "1", "days/2/b.txt": "2", "one/one.tar.gz": "3"},
        "arguments": ["join", "--days", "28"],
        "color": "blue",
        "job": job["ProcessingJobName"],
    }
    assert logged(aws, "/aws/sagemaker/ProcessingJobs", job["ProcessingJobName"]) == ["joined"]


def test_a_failing_program_leaves_its_message_and_no_output(aws: Aws, run: Run, bucket: str) -> None:
    job = run("fail")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["ExitMessage"] == "no labels in the window"
    assert job["FailureReason"] == "AlgorithmError: no labels in the window, exit code: 4"
    prefix = f"processed/{job['ProcessingJobName']}/"
    assert aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"] == 0


def test_missing_objects_and_grants_are_named(aws: Aws, run: Run, bucket: str) -> None:
    job = run("join", ProcessingInputs=[source("none", f"s3://{bucket}/none/")])
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(f'ClientError: No S3 objects found under S3 URL "s3://{bucket}/none/"')
    job = run("join", RoleArn=aws.role())
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed: Cannot write s3://")
    assert "not authorized to perform: s3:PutObject" in job["FailureReason"]


def test_an_entry_point_takes_the_place_of_the_images_own(run: Run, image: str) -> None:
    program = {"ImageUri": image, "ContainerEntrypoint": ["python3", "-c", "import sys; sys.exit(7)"]}
    assert run("", AppSpecification=program)["FailureReason"].endswith("exit code: 7")


def test_a_job_that_takes_too_long_is_stopped_and_says_so(run: Run) -> None:
    job = run("wait", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert job["ProcessingJobStatus"] == "Stopped"
    assert job["FailureReason"] == "The job ran longer than 1 s."


def test_a_job_can_be_stopped(aws: Aws, sagemaker: Any, request_of: Callable[..., dict[str, Any]]) -> None:
    given = request_of("wait")
    name = given["ProcessingJobName"]
    sagemaker.create_processing_job(**given)
    eventually(lambda: "waiting" in logged(aws, "/aws/sagemaker/ProcessingJobs", name), "the program at work")
    with pytest.raises(ClientError, match="Stop it first"):
        sagemaker.delete_processing_job(ProcessingJobName=name)
    sagemaker.stop_processing_job(ProcessingJobName=name)
    job = settled(sagemaker, name)
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "FailureReason" not in job
    found = sagemaker.list_processing_jobs(NameContains=name)["ProcessingJobSummaries"]
    assert [(summary["ProcessingJobName"], summary["ProcessingJobStatus"]) for summary in found] == [(name, "Stopped")]
    sagemaker.delete_processing_job(ProcessingJobName=name)
    with pytest.raises(ClientError, match="Could not find requested job"):
        sagemaker.describe_processing_job(ProcessingJobName=name)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ProcessingInputs": [source("a", "s3://b/x", S3InputMode="Pipe")]}, "Pipe"),
        ({"ProcessingInputs": [source("a", "s3://b/x", "/etc")]}, "must be a folder below /opt/ml"),
        ({"ProcessingInputs": [source("a", "s3://b/x", "/opt/ml/../etc")]}, "must be a folder below /opt/ml"),
        ({"ProcessingOutputConfig": {"Outputs": [{"OutputName": "a", "S3Output": {
            "S3Uri": "s3://b/x", "LocalPath": "/opt/ml/processing/a", "S3UploadMode": "Continuous"}}]}}, "Continuous"),
        ({"ProcessingOutputConfig": {"Outputs": [{"OutputName": "a", "FeatureStoreOutput": {"FeatureGroupName": "g"},
                                                 "AppManaged": True}]}}, "anything but S3Output"),
    ],
)  # fmt: skip
def test_what_only_aws_can_do_is_refused_at_once(
    sagemaker: Any, request_of: Callable[..., dict[str, Any]], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ClientError, match=told) as raised:
        sagemaker.create_processing_job(**request_of("join", **changes))
    assert raised.value.response["Error"]["Code"] == "ValidationException"
