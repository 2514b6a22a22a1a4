"""An ONNX file -> a version in a deployed pipeline's registry, as nobody's retraining makes it."""

import hashlib
import io
import tarfile
from typing import Any

from local.lifecycle.control import Control


def archived(model: bytes, name: str = "model.onnx") -> bytes:
    """model.tar.gz with one file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(model)
        tar.addfile(entry, io.BytesIO(model))
    return stream.getvalue()


def unarchived(archive: bytes, name: str = "model.onnx") -> bytes:
    """A file of a model.tar.gz."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = next(each for each in tar.getmembers() if each.name.removeprefix("./") == name)
        found = tar.extractfile(member)
        assert found
        return found.read()


def model_of(control: Control, arn: str) -> bytes:
    """The ONNX file of a version."""
    specification = control.sagemaker.describe_model_package(ModelPackageName=arn)["InferenceSpecification"]
    bucket, _, key = specification["Containers"][0]["ModelDataUrl"].removeprefix("s3://").partition("/")
    archive: bytes = control.connection.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return unarchived(archive)


def register(
    control: Control, like: str, name: str, model: bytes, *, sha256: str = "", approval: str = "Approved"
) -> str:
    """ARN of a version with this file, by default with its own checksum; an approved one is rolled out at once.

    like: the version whose container it runs in.
    """
    bucket, key = control.outputs["LakeBucket"], f"{control.pipeline}/models/{name}/output/model.tar.gz"
    control.connection.client("s3").put_object(Bucket=bucket, Key=key, Body=archived(model))
    known: dict[str, Any] = control.sagemaker.describe_model_package(ModelPackageName=like)["InferenceSpecification"]
    made = control.sagemaker.create_model_package(
        ModelPackageGroupName=control.group,
        ModelApprovalStatus=approval,
        InferenceSpecification={
            "Containers": [{"Image": known["Containers"][0]["Image"], "ModelDataUrl": f"s3://{bucket}/{key}"}],
            "SupportedContentTypes": known["SupportedContentTypes"],
            "SupportedResponseMIMETypes": known["SupportedResponseMIMETypes"],
        },
        CustomerMetadataProperties={
            "version": name,
            "model_sha256": sha256 or hashlib.sha256(model).hexdigest(),
            "reason": "registered by hand",
        },
    )
    return str(made["ModelPackageArn"])
