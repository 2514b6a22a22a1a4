"""Feature groups that go wrong: times that are none, tables that are taken, roles that may not or are not there."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.checked import Aws, unique
from tests.sagemaker.feature_groups import DEFINITIONS, NOON, create, get, record, rows
from tests.waiting import eventually


@pytest.fixture(scope="session")
def runtime(aws: Aws) -> Any:
    return aws.client("sagemaker-featurestore-runtime")


def test_an_event_time_in_seconds_is_a_time(sagemaker: Any, runtime: Any) -> None:
    kinds = {"card_id": "String", "time": "Fractional"}
    definitions = [{"FeatureName": name, "FeatureType": kind} for name, kind in kinds.items()]
    group = create(sagemaker, FeatureDefinitions=definitions, OnlineStoreConfig={"EnableOnlineStore": True})
    runtime.put_record(FeatureGroupName=group, Record=record(card_id="c", time="1795435200.5"))
    with pytest.raises(ClientError, match="is no time"):
        runtime.put_record(FeatureGroupName=group, Record=record(card_id="c", time="1e300"))
    assert get(runtime, group, "c") == {"card_id": "c", "time": "1795435200.5"}


def test_a_group_without_a_table_of_its_own_fails(aws: Aws, sagemaker: Any, role: str, bucket: str) -> None:
    table = {"Catalog": "AwsDataCatalog", "Database": unique("db").replace("-", "_"), "TableName": "cards"}
    offline = {"S3StorageConfig": {"S3Uri": f"s3://{bucket}/features"}, "DataCatalogConfig": table}
    first, second = (create(sagemaker, OfflineStoreConfig=offline, RoleArn=role) for _ in range(2))
    assert sagemaker.describe_feature_group(FeatureGroupName=first)["FeatureGroupStatus"] == "Created"
    described = sagemaker.describe_feature_group(FeatureGroupName=second)
    assert described["FeatureGroupStatus"] == "CreateFailed"
    assert "AlreadyExists" in described["FailureReason"]
    again = {"FeatureGroupName": first, "RecordIdentifierFeatureName": "card_id", "EventTimeFeatureName": "time",
             "FeatureDefinitions": DEFINITIONS, "RoleArn": role}  # fmt: skip
    own = {"S3StorageConfig": {"S3Uri": f"s3://{bucket}/features"}}
    known = tables(aws)
    with pytest.raises(ClientError, match="Already Exists"):
        sagemaker.create_feature_group(**again, OfflineStoreConfig=own)
    assert tables(aws) == known


def tables(aws: Aws) -> list[str]:
    """Names of the tables of the Feature Store's own database."""
    glue = aws.client("glue")
    try:
        return [table["Name"] for table in glue.get_tables(DatabaseName="sagemaker_featurestore")["TableList"]]
    except glue.exceptions.EntityNotFoundException:
        return []


def test_a_role_without_the_grant_blocks_the_offline_store(aws: Aws, sagemaker: Any, runtime: Any, bucket: str) -> None:
    poor = aws.role()
    store = {"S3StorageConfig": {"S3Uri": f"s3://{bucket}/blocked"}, "DisableGlueTableCreation": True}
    group = create(sagemaker, OfflineStoreConfig=store, RoleArn=poor)
    runtime.put_record(FeatureGroupName=group, Record=record(card_id="c1", time=NOON))

    def status() -> Any:
        found = sagemaker.describe_feature_group(FeatureGroupName=group)["OfflineStoreStatus"]
        return found if found["Status"] == "Blocked" else None

    assert "AccessDenied" in eventually(status, "the store is blocked")["BlockedReason"]
    grant = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}'
    aws.client("iam").put_role_policy(RoleName=poor.rpartition("/")[2], PolicyName="write", PolicyDocument=grant)
    uri = sagemaker.describe_feature_group(FeatureGroupName=group)["OfflineStoreConfig"]["S3StorageConfig"]
    assert eventually(lambda: rows(aws, uri["ResolvedOutputS3Uri"]) or None, "what waited is written")
    with pytest.raises(ClientError, match="OnlineStore"):
        get(runtime, group, "c1")


def test_a_role_that_cannot_be_assumed_fails_the_group(aws: Aws, sagemaker: Any, runtime: Any, bucket: str) -> None:
    other = aws.role(trusts="lambda.amazonaws.com")
    store = {"S3StorageConfig": {"S3Uri": f"s3://{bucket}/never"}}
    group = create(sagemaker, OfflineStoreConfig=store, RoleArn=other)
    described = sagemaker.describe_feature_group(FeatureGroupName=group)
    assert described["FeatureGroupStatus"] == "CreateFailed"
    assert "role" in described["FailureReason"]
    with pytest.raises(ClientError, match="CreateFailed"):
        runtime.put_record(FeatureGroupName=group, Record=record(card_id="c1", time=NOON))
