"""Models, endpoint configurations and endpoints as the tests make them, and requests to them."""

import gzip
import io
import json
import os
import tarfile
from typing import Any

from botocore.exceptions import ClientError

from tests.checked import Aws, unique
from tests.waiting import eventually

INSTANCE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 2}}
SETTLED = ("InService", "Failed")


class Endpoints:
    """Endpoints of the serve program of the tests on one platform."""

    def __init__(self, aws: Aws, image: str, role: str, bucket: str) -> None:
        self.aws, self.image, self.role, self.bucket = aws, image, role, bucket
        self.sagemaker = aws.client("sagemaker")
        self.runtime = aws.client("sagemaker-runtime")

    def artefact(self, **files: str) -> str:
        """S3 URI of a model.tar.gz; name="a" puts "a" to name.txt."""
        return self.uploaded(packed({f"{name}.txt": text.encode() for name, text in files.items()}))

    def uploaded(self, content: bytes) -> str:
        """S3 URI of a new object."""
        key = f"models/{unique('model')}/model.tar.gz"
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)
        return f"s3://{self.bucket}/{key}"

    def model(self, url: str | None = None, environment: dict[str, str] | None = None, **changes: Any) -> str:
        """Name of a new model."""
        name = unique("model")
        container = {"Image": self.image, "Environment": environment or {}}
        container["ModelDataUrl"] = url or self.artefact(name=name)
        given = {"PrimaryContainer": container, "ExecutionRoleArn": self.role, **changes}
        self.sagemaker.create_model(ModelName=name, **given)
        return name

    def config(self, *variants: dict[str, Any], **more: Any) -> str:
        """Name of a new endpoint configuration; a variant lacks what is the same for all."""
        name = unique("config")
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant(self.model, **given) for given in variants], **more
        )
        return name

    def create(self, config: str) -> str:
        """Name of a new endpoint that has settled."""
        name = unique("endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        self.settled(name)
        return name

    def serving(self, *variants: dict[str, Any], **more: Any) -> str:
        """Name of a new endpoint in service."""
        name = self.create(self.config(*(variants or ({},)), **more))
        described = self.describe(name)
        assert described["EndpointStatus"] == "InService", described.get("FailureReason")
        return name

    def describe(self, name: str) -> dict[str, Any]:
        """The endpoint now."""
        found: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
        return found

    def settled(self, name: str) -> dict[str, Any]:
        """The endpoint once it is in service or has failed."""

        def probe() -> dict[str, Any] | None:
            found = self.describe(name)
            return found if found["EndpointStatus"] in SETTLED else None

        return eventually(probe, f"{name} in service or failed")

    def delete(self, name: str) -> None:
        """Returns when it is gone."""
        self.sagemaker.delete_endpoint(EndpointName=name)
        eventually(lambda: self.gone(name), f"the end of {name}")

    def gone(self, name: str) -> bool:
        """Whether there is no such endpoint."""
        try:
            self.describe(name)
        except ClientError as error:
            return "Could not find endpoint" in str(error)
        return False

    def log(self, name: str) -> str:
        """What its containers have logged so far."""
        logs = self.aws.client("logs")
        group = f"/aws/sagemaker/Endpoints/{name}"
        return "\n".join(event["message"] for event in logs.filter_log_events(logGroupName=group)["events"])

    def invoke(self, name: str, asked: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The container's JSON answer."""
        answer = self.runtime.invoke_endpoint(
            EndpointName=name, ContentType="application/json", Body=json.dumps(asked), **more
        )
        return {"variant": answer["InvokedProductionVariant"], **json.loads(answer["Body"].read())}

    def tell(self, name: str, **more: Any) -> dict[str, Any]:
        """Which model and process answer: {"variant", "model", "pid", "headers", "environment"}."""
        return self.invoke(name, {"do": "tell"}, **more)


def variant(model: Any, **given: Any) -> dict[str, Any]:
    """A production variant: on an instance unless it is said to be serverless, of a model of its own unless named."""
    where = {} if "ServerlessConfig" in given else INSTANCE
    return {"VariantName": "AllTraffic", **where, "ModelName": given.get("ModelName") or model(), **given}


def packed(files: dict[str, bytes]) -> bytes:
    """tar.gz of these files."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(raw.getvalue())


def ended(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
