"""Versions that somebody registers by hand: what a retraining would never make, or not so fast."""

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

from tests.functional import tiny_model
from tests.retraining.story import Story


class Packages:
    """The model package group of the deployment. Models of `tiny` give every transaction the same score."""

    def __init__(self, story: Story, clients: Any) -> None:
        self._story, self._clients = story, clients

    def tiny(self, directory: Path, name: str, margin: float) -> bytes:
        """An ONNX file of this version; the score is the sigmoid of the margin."""
        return tiny_model.save(directory / f"{name}.onnx", {}, margin, version=name).read_bytes()

    def register(self, name: str, model: bytes, *, sha256: str = "", approval: str = "Approved") -> str:
        """ARN of a version with this file, by default with its own checksum; an approved one is rolled out at once."""
        bucket, key = self._story.control.outputs["LakeBucket"], f"fraud/models/{name}/output/model.tar.gz"
        self._clients("s3").put_object(Bucket=bucket, Key=key, Body=_archive(model))
        sagemaker = self._clients("sagemaker")
        like = sagemaker.describe_model_package(ModelPackageName=self._story.live().arn)["InferenceSpecification"]
        container = {"Image": like["Containers"][0]["Image"], "ModelDataUrl": f"s3://{bucket}/{key}"}
        made = sagemaker.create_model_package(
            ModelPackageGroupName=self._story.control.group,
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": like["SupportedContentTypes"],
                "SupportedResponseMIMETypes": like["SupportedResponseMIMETypes"],
            },
            CustomerMetadataProperties={
                "version": name,
                "model_sha256": sha256 or hashlib.sha256(model).hexdigest(),
                "reason": "registered by hand",
            },
        )
        return str(made["ModelPackageArn"])


def _archive(model: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        entry = tarfile.TarInfo("model.onnx")
        entry.size = len(model)
        tar.addfile(entry, io.BytesIO(model))
    return stream.getvalue()
