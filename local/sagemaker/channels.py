"""InputDataConfig and what else a job is given -> the files under /opt/ml that a container reads."""

import json
from pathlib import Path
from typing import Any

from local.aws import storage
from local.aws.errors import ValidationException
from local.aws.store import Record


def unserved(what: str) -> ValidationException:
    """The refusal of something that only AWS can do."""
    return ValidationException(f"{what} is not served by the local platform, only by AWS: see docs/parity.md.")


def check_cluster(cluster: dict[str, Any]) -> None:
    """Raises ValidationException unless it is one instance of one type."""
    if "InstanceGroups" in cluster or cluster.get("InstanceCount", 1) != 1:
        raise unserved("A job on more than one instance")
    if "InstanceType" not in cluster:
        raise ValidationException("InstanceType is required: it names the memory and the processors of the job.")


def check(channel: dict[str, Any]) -> None:
    """Raises ValidationException for a channel that cannot be brought here."""
    name = channel["ChannelName"]
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        raise unserved(f"Channel {name}: a data source other than S3")
    check_source(f"Channel {name}", source)
    if channel.get("InputMode", "File") != "File":
        raise unserved(f"Channel {name}: InputMode {channel['InputMode']}")
    if channel.get("CompressionType", "None") != "None":
        raise ValidationException(
            f"Channel {name}: CompressionType {channel['CompressionType']} is for Pipe mode; in File mode the "
            "container gets the files as they are."
        )
    if channel.get("RecordWrapperType", "None") != "None" or "ShuffleConfig" in channel:
        raise unserved(f"Channel {name}: RecordWrapperType or ShuffleConfig")


def check_source(where: str, source: dict[str, Any]) -> None:
    """Raises ValidationException unless it is a prefix or a manifest.

    With one instance, ShardedByS3Key is the same as FullyReplicated.
    """
    if source.get("S3DataType", "S3Prefix") not in ("S3Prefix", "ManifestFile"):
        raise unserved(f"{where}: S3DataType {source['S3DataType']}")
    if not source["S3Uri"].startswith("s3://"):
        raise ValidationException(f"{where}: S3Uri {source['S3Uri']} does not begin with s3://")


def download(s3: Any, channel: dict[str, Any], folder: Path) -> None:
    """A channel's objects -> files. Raises StorageError."""
    fetch(s3, channel["DataSource"]["S3DataSource"], folder)


def fetch(s3: Any, source: dict[str, Any], folder: Path) -> list[Path]:
    """Objects of a prefix or a manifest -> files. Raises StorageError."""
    folder.mkdir(parents=True, exist_ok=True)
    if source.get("S3DataType", "S3Prefix") == "ManifestFile":
        return storage.fetch_manifest(s3, source["S3Uri"], folder)
    return storage.fetch_prefix(s3, source["S3Uri"], folder)


def prepare(base: Path, record: Record, host: str) -> None:
    """The folders of a training container, and input/config as SageMaker writes it; hyperparameters are strings."""
    for folder in ("input/config", "input/data", "model", "output/data", "code", "tmp"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    configuration = base / "input" / "config"
    instance = record["ResourceConfig"]["InstanceType"]
    (configuration / "hyperparameters.json").write_text(json.dumps(record.get("HyperParameters", {})))
    (configuration / "inputdataconfig.json").write_text(
        json.dumps(
            {
                channel["ChannelName"]: {
                    "TrainingInputMode": "File",
                    "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                        "S3DataDistributionType", "FullyReplicated"
                    ),
                    "RecordWrapperType": "None",
                    **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
                }
                for channel in record.get("InputDataConfig", [])
            }
        )
    )
    (configuration / "resourceconfig.json").write_text(json.dumps(cluster(host, instance)))


def cluster(host: str, instance_type: str) -> dict[str, Any]:
    """resourceconfig.json of a cluster of one."""
    group = {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": [host]}
    return {
        "current_host": host,
        "current_instance_type": instance_type,
        "current_group_name": "homogeneousCluster",
        "hosts": [host],
        "instance_groups": [group],
        "network_interface_name": "eth0",
    }
