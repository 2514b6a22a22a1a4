"""Batch transform runs for real: a model serves, objects are cut into requests, answers are one object each."""

import gzip
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.endpoint_calls import Endpoints
from tests.sagemaker.programs import register
from tests.sagemaker.training_jobs import ENDED
from tests.waiting import eventually


class Transform:
    """Transform jobs of the serve program, which answers what it was sent."""

    def __init__(self, aws: Aws, models: Endpoints, bucket: str) -> None:
        self.s3 = aws.client("s3")
        self.sagemaker = aws.client("sagemaker")
        self.models = models
        self.bucket = bucket

    def given(self, objects: dict[str, bytes], **changes: Any) -> dict[str, Any]:
        """CreateTransformJob's input for these objects; changes of TransformInput begin with input_, of the output
        with output_."""
        place = unique("in")
        for name, body in objects.items():
            self.s3.put_object(Bucket=self.bucket, Key=f"{place}/{name}", Body=body)
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/{place}/"}}
        request = {
            "TransformJobName": unique("transform"),
            "ModelName": changes.pop("model", None) or self.models.model(),
            "TransformInput": {"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
            "TransformOutput": {"S3OutputPath": f"s3://{self.bucket}/{place}-out", "AssembleWith": "Line"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        }
        for member, value in changes.items():
            where, _, name = member.partition("_")
            if where in ("input", "output"):
                request[f"Transform{where.capitalize()}"][name] = value
            else:
                request[member] = value
        return request

    def run(self, objects: dict[str, bytes], **changes: Any) -> tuple[dict[str, Any], dict[str, bytes]]:
        """The ended job, and what it has written."""
        given = self.given(objects, **changes)
        self.sagemaker.create_transform_job(**given)
        job = self.settled(given["TransformJobName"])
        prefix = given["TransformOutput"]["S3OutputPath"].removeprefix(f"s3://{self.bucket}/") + "/"
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        read = {
            entry["Key"].removeprefix(prefix): self.s3.get_object(Bucket=self.bucket, Key=entry["Key"])["Body"].read()
            for entry in found
        }
        return job, read

    def settled(self, name: str) -> dict[str, Any]:
        """The job when it has ended."""

        def probe() -> dict[str, Any] | None:
            job: dict[str, Any] = self.sagemaker.describe_transform_job(TransformJobName=name)
            return job if job["TransformJobStatus"] in ENDED else None

        return eventually(probe, f"the end of transform job {name}")


@pytest.fixture(scope="module")
def transform(aws: Aws, platform: Platform, role: str, bucket: str) -> Transform:
    image = register(platform, "serve-probe", "serve_program.py")
    return Transform(aws, Endpoints(aws, image, role, bucket), bucket)


def test_every_object_has_its_answers(transform: Transform) -> None:
    job, written = transform.run(
        {"a.csv": b"1,2\n3,4\n", "deep/b.csv": b"5,6"}, BatchStrategy="SingleRecord", MaxConcurrentTransforms=2
    )
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert written == {"a.csv.out": b"1,2\n3,4\n", "deep/b.csv.out": b"5,6\n"}
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    name = job["TransformJobName"]
    found = transform.sagemaker.list_transform_jobs(NameContains=name)["TransformJobSummaries"]
    assert [summary["TransformJobStatus"] for summary in found] == ["Completed"]


def test_packed_and_unsplit_objects(transform: Transform) -> None:
    job, written = transform.run(
        {"a.gz": gzip.compress(b"1\n\n2\n")}, input_CompressionType="Gzip", input_SplitType="None",
        output_AssembleWith="None",
    )  # fmt: skip
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert written == {"a.gz.out": b"1\n\n2\n"}


def test_a_refused_record_leaves_out_its_object_only(transform: Transform) -> None:
    job, written = transform.run(
        {"bad.jsonl": b'{"do": "refuse", "status": 400}\n', "good.jsonl": b'{"do": "nothing"}\n'},
        input_ContentType="application/json",
    )
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: bad.jsonl: Bad HTTP status received from algorithm: 400")
    assert "row 1 has 3 features, not 4" in job["FailureReason"]
    assert set(written) == {"good.jsonl.out"}


def test_a_model_that_dies_fails_the_job(transform: Transform) -> None:
    job, written = transform.run({"a.jsonl": b'{"do": "die"}\n'}, input_ContentType="application/json")
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: a.jsonl: the container ended with exit code 3")
    assert not written


def test_a_model_that_cannot_be_loaded_fails_the_job(transform: Transform) -> None:
    broken = transform.models.model(transform.models.artefact(name="x", fault="exit"))
    job, _ = transform.run({"a.csv": b"1\n"}, model=broken)
    assert job["TransformJobStatus"] == "Failed"
    assert "did not pass the ping health check" in job["FailureReason"]
    gone = transform.models.model(f"s3://{transform.bucket}/no/model.tar.gz")
    job, _ = transform.run({"a.csv": b"1\n"}, model=gone)
    assert "Failed to download model data" in job["FailureReason"]


def test_a_model_that_is_deleted_while_the_job_waits_is_used_still(transform: Transform) -> None:
    for _ in range(2):  # both places are taken
        busy = transform.given({"a.jsonl": b'{"do": "sleep", "seconds": 1}\n'}, input_ContentType="application/json")
        transform.sagemaker.create_transform_job(**busy)
    given = transform.given({"a.csv": b"1\n"})
    transform.sagemaker.create_transform_job(**given)
    transform.sagemaker.delete_model(ModelName=given["ModelName"])
    job = transform.settled(given["TransformJobName"])
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")


def test_a_job_that_waits_for_its_model_can_be_stopped(transform: Transform) -> None:
    objects = {"a.jsonl": b'{"do": "sleep", "seconds": 3600}\n'}
    given = transform.given(objects, input_ContentType="application/json")
    transform.sagemaker.create_transform_job(**given)
    name = given["TransformJobName"]

    def serving() -> bool:
        job = transform.sagemaker.describe_transform_job(TransformJobName=name)
        return "TransformStartTime" in job

    eventually(serving, "the job at work")
    transform.sagemaker.stop_transform_job(TransformJobName=name)
    assert transform.settled(name)["TransformJobStatus"] == "Stopped"


def test_a_record_that_is_too_large_is_named(transform: Transform) -> None:
    job, _ = transform.run({"a.csv": b"1" * (1 << 20) + b"2\n"}, MaxPayloadInMB=1)
    assert job["FailureReason"].startswith("ClientError: a.csv: A record of 1048578 bytes is larger")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"DataProcessing": {"InputFilter": "$[1:]"}}, "A filter in DataProcessing"),
        ({"DataProcessing": {"JoinSource": "Input"}}, "JoinSource"),
        ({"input_SplitType": "RecordIO"}, "RecordIO"),
        ({"model": "no-such-model"}, "Could not find model"),
    ],
)
def test_what_only_aws_can_do_is_refused_at_once(transform: Transform, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ClientError, match=told) as raised:
        transform.sagemaker.create_transform_job(**transform.given({"a.csv": b"1"}, **changes))
    assert raised.value.response["Error"]["Code"] == "ValidationException"
