"""Training jobs run for real: data in, model out, logs, metrics, events; and every fault ends in a stated reason."""

import io
import json
import tarfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.account import ACCOUNT, REGION
from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.programs import register
from tests.sagemaker.training_jobs import Training, channel
from tests.waiting import eventually


@pytest.fixture(scope="module")
def training(aws: Aws, platform: Platform, role: str, bucket: str) -> Training:
    return Training(aws, register(platform, "probe", "probe_program.py"), role, bucket)


def archive(training: Training, uri: str) -> dict[str, bytes]:
    """Names and contents of a tar.gz in S3."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body = training.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}  # type: ignore[union-attr]


def test_a_training_sees_its_contract_and_its_model_is_in_s3(training: Training) -> None:
    s3, bucket, name = training.aws.client("s3"), training.bucket, unique("job")
    prefix = f"data/{name}"
    for key, body in (("a.csv", "1"), ("deep/b.csv", "2"), ("folder/", "")):
        s3.put_object(Bucket=bucket, Key=f"{prefix}/train/{key}", Body=body)
    s3.put_object(Bucket=bucket, Key=f"{prefix}/training/not-this.csv", Body="3")
    s3.put_object(
        Bucket=bucket,
        Key=f"{prefix}/manifest.json",
        Body=json.dumps([{"prefix": f"s3://{bucket}/{prefix}/"}, "train/deep/b.csv"]),
    )
    job = training.run(
        TrainingJobName=name,
        Environment={"CUATRO_MODEL": "fraud"},
        InputDataConfig=[
            channel("train", f"s3://{bucket}/{prefix}/train/"),
            channel("listed", f"s3://{bucket}/{prefix}/manifest.json", S3DataType="ManifestFile"),
        ],
    )
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed", job.get("FailureReason")
    artefact = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert artefact == f"s3://{bucket}/models/{name}/output/model.tar.gz"
    seen = json.loads(archive(training, artefact)["seen.json"])
    files, environment = seen["files"], seen["environment"]
    data = {path: text for path, text in files.items() if path.startswith("input/data/")}
    assert data == {
        "input/data/train/a.csv": "1",
        "input/data/train/deep/b.csv": "2",
        "input/data/listed/train/deep/b.csv": "2",
    }
    assert json.loads(files["input/config/hyperparameters.json"]) == {"act": "succeed", "bucket": bucket}
    assert json.loads(files["input/config/resourceconfig.json"])["current_host"] == "algo-1"
    assert json.loads(files["input/config/inputdataconfig.json"])["train"]["ContentType"] == "text/csv"
    assert seen["arguments"] == ["train"]
    assert environment["CUATRO_MODEL"] == "fraud"
    assert environment["TRAINING_JOB_NAME"] == name
    assert environment["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert environment["AWS_ENDPOINT_URL"] == training.aws.endpoint
    assert not {"GATEWAY_PORT", "AUTH", "STATE_DIR", "CUATRO_FAULTS"} & set(environment)


def test_its_story_is_told(training: Training) -> None:
    job = training.run()
    story = job["SecondaryStatusTransitions"]
    assert [step["Status"] for step in story] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(step["StartTime"] <= step["EndTime"] for step in story)
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert job["BillableTimeInSeconds"] >= 1
    lines = training.lines(job["TrainingJobName"])
    assert lines[:2] == ["epoch=1 loss=0.75;", "epoch=2 loss=0.25; worst=nan;"]


def test_metrics_are_found_in_the_log(training: Training) -> None:
    definitions = [{"Name": "loss", "Regex": r"loss=([0-9.]+);"}, {"Name": "worst", "Regex": "worst=(.*?);"}]
    algorithm = {"TrainingImage": training.image, "TrainingInputMode": "File", "MetricDefinitions": definitions}
    job = training.run(AlgorithmSpecification=algorithm)
    assert [(metric["MetricName"], metric["Value"]) for metric in job["FinalMetricDataList"]] == [("loss", 0.25)]
    statistics = training.aws.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="loss",
        Dimensions=[{"Name": "TrainingJobName", "Value": job["TrainingJobName"]}],
        StartTime=job["TrainingStartTime"].timestamp() - 60,
        EndTime=job["TrainingEndTime"].timestamp() + 60,
        Period=3600,
        Statistics=["Sum"],
    )
    assert sum(point["Sum"] for point in statistics["Datapoints"]) == 1.0


def test_output_data_is_packed_apart(training: Training) -> None:
    job = training.run("succeed_with_output")
    uri = job["ModelArtifacts"]["S3ModelArtifacts"].replace("model.tar.gz", "output.tar.gz")
    assert archive(training, uri) == {"plot.txt": b"a plot"}


def test_an_unpacked_model_is_a_folder(training: Training) -> None:
    path = f"s3://{training.bucket}/models"
    job = training.run(OutputDataConfig={"S3OutputPath": path, "CompressionType": "NONE"})
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"{path}/{job['TrainingJobName']}/output/model/"
    key = uri.removeprefix(f"s3://{training.bucket}/")
    assert training.aws.client("s3").head_object(Bucket=training.bucket, Key=f"{key}seen.json")


def test_the_model_is_encrypted_with_the_key_that_is_named(training: Training) -> None:
    key = training.aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    uri = f"s3://{training.bucket}/models"
    allowed = {"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}
    job = training.run(OutputDataConfig={"S3OutputPath": uri, "KmsKeyId": key}, RoleArn=training.aws.role(allowed))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    artefact = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{training.bucket}/")
    head = training.aws.client("s3").head_object(Bucket=training.bucket, Key=artefact)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_an_isolated_container_has_no_credentials(training: Training) -> None:
    job = training.run(EnableNetworkIsolation=True)
    environment = json.loads(archive(training, job["ModelArtifacts"]["S3ModelArtifacts"])["seen.json"])["environment"]
    assert "AWS_ACCESS_KEY_ID" not in environment


def test_its_states_are_told_on_the_bus(training: Training) -> None:
    events, sqs, name = training.aws.client("events"), training.aws.client("sqs"), unique("job")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Training Job State Change"],
        "detail": {"TrainingJobName": [name]},
    }
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps({"Statement": [allow]})})
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    job = training.run(TrainingJobName=name)
    told: list[dict[str, Any]] = []

    def completed() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            told.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return any(event["detail"]["TrainingJobStatus"] == "Completed" for event in told)

    eventually(completed, "the event of the completed job")
    seen = {event["detail"]["SecondaryStatus"] for event in told}
    assert seen == {"Starting", "Downloading", "Training", "Uploading", "Completed"}
    last = next(event for event in told if event["detail"]["TrainingJobStatus"] == "Completed")
    assert last["resources"] == [job["TrainingJobArn"]]
    assert last["detail"]["CreationTime"] == round(job["CreationTime"].timestamp() * 1000)


def test_jobs_are_listed_and_deleted(training: Training) -> None:
    word = unique("listed")
    names = [f"{word}-{i}" for i in range(3)]
    jobs = [training.run(TrainingJobName=name, Tags=[{"Key": "team", "Value": "risk"}]) for name in names]
    client = training.sagemaker
    tags = client.list_tags(ResourceArn=jobs[0]["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "risk"}]
    asked = {"NameContains": word, "StatusEquals": "Completed", "SortOrder": "Ascending", "MaxResults": 2}
    page = client.list_training_jobs(**asked)
    rest = client.list_training_jobs(**asked, NextToken=page["NextToken"])
    found = [job["TrainingJobName"] for job in page["TrainingJobSummaries"] + rest["TrainingJobSummaries"]]
    assert found == names
    assert not client.list_training_jobs(NameContains=word, StatusEquals="Failed")["TrainingJobSummaries"]
    client.delete_training_job(TrainingJobName=names[0])
    with pytest.raises(ClientError, match="Requested resource not found"):
        training.describe(names[0])
    with pytest.raises(ClientError, match="must be unique"):
        training.start(TrainingJobName=names[1])
