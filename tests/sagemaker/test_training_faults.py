"""Training jobs that go wrong: each ends with a status and a reason, and nothing of it is left running."""

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.programs import register
from tests.sagemaker.training_jobs import Training, channel, runs
from tests.waiting import eventually


@pytest.fixture(scope="module")
def training(aws: Aws, platform: Platform, role: str, bucket: str) -> Training:
    return Training(aws, register(platform, "probe", "probe_program.py"), role, bucket)


def saved(training: Training, job: dict[str, Any]) -> bool:
    """Whether its model is in S3."""
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{training.bucket}/")
    answer = training.aws.client("s3").list_objects_v2(Bucket=training.bucket, Prefix=key)
    return bool(answer["KeyCount"])


def waiting(training: Training, name: str) -> list[str]:
    """Lines of the job once its program waits for ever."""
    return eventually(
        lambda: lines if "waiting" in (lines := training.lines(name)) else None, f"{name} at work in its log"
    )


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("crash", r"^AlgorithmError: , exit code: 1$"),
        ("explain", r"^AlgorithmError: the labels are all the same, exit code: 3$"),
        ("write_nothing", r"^AlgorithmError: The container wrote no model to /opt/ml/model, exit code: 0$"),
    ],
)
def test_a_container_that_fails_is_told_with_its_own_words(training: Training, act: str, reason: str) -> None:
    job = training.run(act)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert re.search(reason, job["FailureReason"])
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == job["FailureReason"]
    assert not saved(training, job)


def test_a_crash_is_in_the_log(training: Training) -> None:
    job = training.run("crash")
    assert training.lines(job["TrainingJobName"])[-1] == "RuntimeError: the data has no rows"


def test_too_long_a_job_is_stopped_and_what_it_had_is_kept(training: Training) -> None:
    job = training.run("save_and_wait", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "FailureReason" not in job
    assert saved(training, job)


def test_a_stopped_job_keeps_what_it_had(training: Training) -> None:
    name = training.start("save_and_wait")
    waiting(training, name)
    training.sagemaker.stop_training_job(TrainingJobName=name)
    job = training.ended(name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert [step["Status"] for step in job["SecondaryStatusTransitions"]][-2:] == ["Stopping", "Stopped"]
    assert saved(training, job)
    with pytest.raises(ClientError, match="in status Stopped"):
        training.sagemaker.stop_training_job(TrainingJobName=name)


def test_a_container_that_will_not_end_is_ended_with_all_it_started(training: Training) -> None:
    name = training.start("ignore_sigterm")
    pid = int(next(line for line in waiting(training, name) if line.startswith("pid ")).split()[1])
    training.sagemaker.stop_training_job(TrainingJobName=name)
    assert training.describe(name)["TrainingJobStatus"] == "Stopping"
    assert training.ended(name)["TrainingJobStatus"] == "Stopped"
    assert "not now" in training.lines(name)
    eventually(lambda: not runs(pid), "the end of everything that the program started")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"InputDataConfig": [channel("train", "s3://{bucket}/nothing/here/")]},
         'ClientError: No S3 objects found under S3 URL "s3://{bucket}/nothing/here/" given in input data source'),
        ({"InputDataConfig": [channel("train", "s3://no-such-bucket-anywhere/data/")]},
         'ClientError: No S3 objects found under S3 URL "s3://no-such-bucket-anywhere/data/"'),
        ({"InputDataConfig": [channel("train", "s3://{bucket}/not-a-manifest", S3DataType="ManifestFile")]},
         "ClientError: Failed to download data. Cannot read s3://{bucket}/not-a-manifest"),
        ({"OutputDataConfig": {"S3OutputPath": "s3://no-such-bucket-anywhere/models"}},
         "ClientError: Artifact upload failed"),
        ({"AlgorithmSpecification": {"TrainingImage": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/none:1",
                                     "TrainingInputMode": "File"}},
         "ClientError: Cannot pull image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/none:1"),
        ({"Environment": {"NUL": "a\0b"}}, "ClientError: The container cannot be started: embedded null byte"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(training: Training, changes: dict[str, Any], reason: str) -> None:
    for configured in changes.get("InputDataConfig", []):
        source = configured["DataSource"]["S3DataSource"]
        source["S3Uri"] = source["S3Uri"].format(bucket=training.bucket)
    job = training.run(**changes)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason.format(bucket=training.bucket))


def test_an_object_that_no_file_can_be_fails_the_job(training: Training) -> None:
    place = unique("both")
    for key in (f"{place}/a", f"{place}/a/b"):
        training.aws.client("s3").put_object(Bucket=training.bucket, Key=key, Body=b"1")
    job = training.run(InputDataConfig=[channel("train", f"s3://{training.bucket}/{place}/")])
    assert job["FailureReason"].startswith("ClientError: Failed to download data. s3://")
    assert f"{place}/a/b cannot be a file" in job["FailureReason"]


def test_a_role_that_is_deleted_while_the_job_waits(training: Training) -> None:
    iam, leaving = training.aws.client("iam"), training.aws.role()
    busy = [training.start("save_and_wait") for _ in range(2)]
    name = training.start(RoleArn=leaving)
    iam.delete_role(RoleName=leaving.rpartition("/")[2])
    for other in busy:
        training.sagemaker.stop_training_job(TrainingJobName=other)
    assert training.ended(name)["FailureReason"].startswith(f"ClientError: Could not assume role {leaving}")


def test_a_name_that_is_free_again_is_a_new_job(training: Training) -> None:
    """Over and over, so that the end of one meets the start of the next."""
    name = unique("again")
    for _ in range(5):
        training.run("write_nothing", TrainingJobName=name)
        training.sagemaker.delete_training_job(TrainingJobName=name)
    training.start("save_and_wait", TrainingJobName=name)
    waiting(training, name)
    training.sagemaker.stop_training_job(TrainingJobName=name)
    assert training.ended(name)["TrainingJobStatus"] == "Stopped"


def test_what_the_role_may_not_do_fails_the_job(training: Training) -> None:
    bucket = training.bucket
    training.aws.client("s3").put_object(Bucket=bucket, Key="secret/a.csv", Body=b"1")
    blind = training.aws.role()
    data = [channel("train", f"s3://{bucket}/secret/")]
    job = training.run(RoleArn=blind, InputDataConfig=data)
    assert job["TrainingJobStatus"] == "Failed"
    assert "No S3 objects found" in job["FailureReason"]
    assert "not authorized to perform: s3:ListBucket" in job["FailureReason"]
    job = training.run(RoleArn=blind)
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed")
    job = training.run("put_elsewhere", RoleArn=blind)
    assert job["FailureReason"].startswith("AlgorithmError")
    assert any("AccessDenied" in line for line in training.lines(job["TrainingJobName"]))


def test_a_role_that_sagemaker_may_not_assume_is_refused(training: Training) -> None:
    for role in (training.aws.role(trusts="lambda.amazonaws.com"), f"{training.role}-gone"):
        with pytest.raises(ClientError) as raised:
            training.start(RoleArn=role)
        assert raised.value.response["Error"]["Code"] == "ValidationException"
        assert "allows principal 'sagemaker.amazonaws.com' to assume the role" in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"AlgorithmSpecification": {"TrainingImage": "x/probe", "TrainingInputMode": "Pipe"}}, "Pipe"),
        ({"AlgorithmSpecification": {"AlgorithmName": "xgboost", "TrainingInputMode": "File"}}, "TrainingImage"),
        ({"AlgorithmSpecification": {"TrainingImage": "x/probe", "TrainingInputMode": "File",
                                     "MetricDefinitions": [{"Name": "a", "Regex": "("}]}}, "regex of metric a"),
        ({"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}},
         "more than one instance"),
        ({"InputDataConfig": [channel("train", "s3://b/x", S3DataType="AugmentedManifestFile")]},
         "AugmentedManifestFile"),
        ({"InputDataConfig": [channel("a", "s3://b/x"), channel("a", "s3://b/y")]}, "unique"),
        ({"InputDataConfig": [{**channel("a", "s3://b/x"), "CompressionType": "Gzip"}]}, "Pipe mode"),
        ({"CheckpointConfig": {"S3Uri": "s3://b/x"}}, "CheckpointConfig is not served"),
    ],
)  # fmt: skip
def test_what_only_aws_can_do_is_refused_at_once(training: Training, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ClientError, match=told) as raised:
        training.start(**changes)
    assert raised.value.response["Error"]["Code"] == "ValidationException"


def test_a_third_job_waits_for_a_place(training: Training) -> None:
    names = [training.start("save_and_wait") for _ in range(2)]
    for name in names:
        waiting(training, name)
    third = training.start("succeed")
    assert training.describe(third)["SecondaryStatus"] == "Starting"
    training.sagemaker.stop_training_job(TrainingJobName=names[0])
    assert training.ended(third)["TrainingJobStatus"] == "Completed"
    training.sagemaker.stop_training_job(TrainingJobName=names[1])
    training.ended(names[1])
