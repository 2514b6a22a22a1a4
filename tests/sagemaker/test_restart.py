"""A platform that ends and starts again: registry, features and what waited to be written are still there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.platform.process import start, stop
from tests.checked import Aws, unique
from tests.waiting import eventually

NOON = "2026-11-23T12:00:00Z"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """State of a platform of the test's own, which is ended with it."""
    yield tmp_path
    stop(tmp_path)


def test_what_was_created_is_there_after_a_restart(state: Path) -> None:
    aws = Aws(start(state, port=0).endpoint, set())
    bucket, group, features = unique("bucket"), unique("group"), unique("features")
    aws.client("s3").create_bucket(Bucket=bucket)
    role = aws.role({"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"})
    sagemaker = aws.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=[{"Key": "a", "Value": "b"}])
    package = sagemaker.create_model_package(ModelPackageGroupName=group, SourceUri="s3://models/model.tar.gz")
    sagemaker.create_feature_group(
        FeatureGroupName=features, RecordIdentifierFeatureName="id", EventTimeFeatureName="time",
        FeatureDefinitions=[{"FeatureName": name, "FeatureType": "String"} for name in ("id", "time")],
        OnlineStoreConfig={"EnableOnlineStore": True}, RoleArn=role,
        OfflineStoreConfig={"S3StorageConfig": {"S3Uri": f"s3://{bucket}"}},
    )  # fmt: skip
    record = [{"FeatureName": "id", "ValueAsString": "1"}, {"FeatureName": "time", "ValueAsString": NOON}]
    aws.client("sagemaker-featurestore-runtime").put_record(FeatureGroupName=features, Record=record)
    stop(state)

    aws = Aws(start(state, port=0).endpoint, set())
    sagemaker = aws.client("sagemaker")
    described: Any = sagemaker.describe_model_package(ModelPackageName=package["ModelPackageArn"])
    assert described["ModelPackageVersion"] == 1
    arn = sagemaker.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert sagemaker.create_model_package(ModelPackageGroupName=group, SourceUri="s3://models/model.tar.gz")[
        "ModelPackageArn"
    ].endswith("/2")
    runtime = aws.client("sagemaker-featurestore-runtime")
    assert runtime.get_record(FeatureGroupName=features, RecordIdentifierValueAsString="1")["Record"] == record
    found = eventually(lambda: aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents"), "the offline record")
    assert [entry["Key"].endswith(".parquet") for entry in found] == [True]
