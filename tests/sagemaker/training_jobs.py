"""CreateTrainingJob as the tests call it, and waiting for what becomes of it."""

import os
from typing import Any

from tests.checked import Aws, unique
from tests.waiting import eventually

ENDED = ("Completed", "Failed", "Stopped")


class Training:
    """Training jobs of the probe program."""

    def __init__(self, aws: Aws, image: str, role: str, bucket: str) -> None:
        self.aws = aws
        self.sagemaker = aws.client("sagemaker")
        self.image = image
        self.role = role
        self.bucket = bucket

    def request(self, act: str = "succeed", **changes: Any) -> dict[str, Any]:
        """CreateTrainingJob's input; `changes` take the place of members, None removes one."""
        given = {
            "TrainingJobName": unique("job"),
            "AlgorithmSpecification": {"TrainingImage": self.image, "TrainingInputMode": "File"},
            "RoleArn": self.role,
            "HyperParameters": {"act": act, "bucket": self.bucket},
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/models/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }
        return {member: value for member, value in {**given, **changes}.items() if value is not None}

    def start(self, act: str = "succeed", **changes: Any) -> str:
        """Name of a new job."""
        given = self.request(act, **changes)
        self.sagemaker.create_training_job(**given)
        return str(given["TrainingJobName"])

    def describe(self, name: str) -> dict[str, Any]:
        """The job now."""
        found: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
        return found

    def ended(self, name: str) -> dict[str, Any]:
        """The job when it has ended."""

        def probe() -> dict[str, Any] | None:
            job = self.describe(name)
            return job if job["TrainingJobStatus"] in ENDED else None

        return eventually(probe, f"the end of training job {name}")

    def run(self, act: str = "succeed", **changes: Any) -> dict[str, Any]:
        """A new job, ended."""
        return self.ended(self.start(act, **changes))

    def lines(self, name: str) -> list[str]:
        """What it has logged so far."""
        return logged(self.aws, "/aws/sagemaker/TrainingJobs", name)


def channel(name: str, uri: str, **changes: Any) -> dict[str, Any]:
    """A channel of InputDataConfig; `changes` are members of its S3DataSource."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated", **changes}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": "text/csv"}


def runs(group: int) -> bool:
    """Whether the process group has a process."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def logged(aws: Aws, group: str, job: str) -> list[str]:
    """Lines of a job's log stream."""
    client = aws.client("logs")
    try:
        streams = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/algo-1-")["logStreams"]
    except client.exceptions.ResourceNotFoundException:
        return []
    names = [stream["logStreamName"] for stream in streams]
    events = [client.get_log_events(logGroupName=group, logStreamName=name, startFromHead=True) for name in names]
    return [event["message"] for found in events for event in found["events"]]
