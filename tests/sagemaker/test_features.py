"""Feature Store: the latest record online by event time, every record offline as Parquet, AWS's rules on values."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.checked import Aws
from tests.sagemaker.feature_groups import DEFINITIONS, LATER, NOON, create, get, record, rows
from tests.waiting import eventually


@pytest.fixture(scope="session")
def runtime(aws: Aws) -> Any:
    return aws.client("sagemaker-featurestore-runtime")


@pytest.fixture
def online(sagemaker: Any) -> str:
    return create(sagemaker, OnlineStoreConfig={"EnableOnlineStore": True})


def test_the_latest_event_time_wins_whatever_comes_first(runtime: Any, online: str) -> None:
    runtime.put_record(FeatureGroupName=online, Record=record(card_id="c1", time=LATER, amount=2.5))
    runtime.put_record(FeatureGroupName=online, Record=record(card_id="c1", time=NOON, amount=1.5, count=1))
    assert get(runtime, online, "c1") == {"card_id": "c1", "time": LATER, "amount": "2.5"}
    assert get(runtime, online, "c1", FeatureNames=["amount"]) == {"amount": "2.5"}
    assert get(runtime, online, "nobody") is None


def test_a_deleted_record_comes_back_only_with_a_later_event_time(runtime: Any, online: str) -> None:
    runtime.put_record(FeatureGroupName=online, Record=record(card_id="c1", time=NOON))
    runtime.delete_record(FeatureGroupName=online, RecordIdentifierValueAsString="c1", EventTime="2026-11-23T12:30:00Z")
    assert get(runtime, online, "c1") is None
    runtime.put_record(FeatureGroupName=online, Record=record(card_id="c1", time=NOON))
    assert get(runtime, online, "c1") is None
    runtime.put_record(FeatureGroupName=online, Record=record(card_id="c1", time=LATER))
    assert get(runtime, online, "c1") is not None
    runtime.delete_record(
        FeatureGroupName=online, RecordIdentifierValueAsString="c1", EventTime=LATER, DeletionMode="HardDelete"
    )
    runtime.put_record(FeatureGroupName=online, Record=record(card_id="c1", time=NOON))
    assert get(runtime, online, "c1") == {"card_id": "c1", "time": NOON}


def test_a_record_ends_with_its_time_to_live(sagemaker: Any, runtime: Any) -> None:
    ttl = {"Unit": "Hours", "Value": 2}
    group = create(sagemaker, OnlineStoreConfig={"EnableOnlineStore": True, "TtlDuration": ttl})
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    runtime.put_record(FeatureGroupName=group, Record=record(card_id="fresh", time=now))
    runtime.put_record(FeatureGroupName=group, Record=record(card_id="old", time="2020-01-01T00:00:00Z"))
    answer = runtime.get_record(
        FeatureGroupName=group, RecordIdentifierValueAsString="fresh", ExpirationTimeResponse="Enabled"
    )
    assert datetime.fromisoformat(answer["ExpiresAt"]) > datetime.now(UTC)
    assert get(runtime, group, "old") is None


def test_many_records_of_several_groups_at_once(sagemaker: Any, runtime: Any, online: str) -> None:
    other = create(sagemaker, OnlineStoreConfig={"EnableOnlineStore": True})
    runtime.put_record(FeatureGroupName=online, Record=record(card_id="a", time=NOON, count=1))
    runtime.put_record(FeatureGroupName=other, Record=record(card_id="b", time=NOON, count=2))
    answer = runtime.batch_get_record(Identifiers=[
        {"FeatureGroupName": online, "RecordIdentifiersValueAsString": ["a", "none"], "FeatureNames": ["count"]},
        {"FeatureGroupName": other, "RecordIdentifiersValueAsString": ["b"], "FeatureNames": ["count"]},
        {"FeatureGroupName": "gone", "RecordIdentifiersValueAsString": ["c"]},
    ])  # fmt: skip
    assert [(r["RecordIdentifierValueAsString"], r["Record"][0]["ValueAsString"]) for r in answer["Records"]] == [
        ("a", "1"),
        ("b", "2"),
    ]
    assert [error["ErrorCode"] for error in answer["Errors"]] == ["ResourceNotFound"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (record(card_id="c", time=NOON, count="1.5"), "Integral"),
        (record(card_id="c", time=NOON, amount="much"), "Fractional"),
        (record(card_id="c", time=NOON, amount="nan"), "Fractional"),
        (record(card_id="c", time="yesterday"), "EventTime"),
        (record(card_id="c", time="2026-13-01T00:00:00Z"), "no time"),
        (record(card_id="c"), "time"),
        (record(time=NOON), "card_id"),
        (record(card_id="c", time=NOON, colour="red"), "colour"),
        ([*record(card_id="c", time=NOON), {"FeatureName": "count"}], "count"),
        (record(card_id="c", time=NOON) * 2, "more than once"),
    ],
)
def test_values_that_do_not_fit_are_refused(runtime: Any, online: str, values: Any, reason: str) -> None:
    with pytest.raises(ClientError, match=reason) as failed:
        runtime.put_record(FeatureGroupName=online, Record=values)
    assert failed.value.response["Error"]["Code"] == "ValidationError"
    assert get(runtime, online, "c") is None


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({}, "at least one"),
        ({"OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://b/p"}}}, "RoleArn"),
        ({"OnlineStoreConfig": {"EnableOnlineStore": True}, "FeatureDefinitions": DEFINITIONS[1:]}, "card_id"),
        ({"OnlineStoreConfig": {"EnableOnlineStore": True},
          "FeatureDefinitions": [*DEFINITIONS, {"FeatureName": "write_time", "FeatureType": "String"}]}, "reserved"),
    ],
)  # fmt: skip
def test_groups_that_aws_would_not_make_are_refused(sagemaker: Any, members: Any, reason: str) -> None:
    with pytest.raises(ClientError, match=reason):
        create(sagemaker, **members)


def test_every_record_goes_offline_as_aws_lays_it_out(
    aws: Aws, sagemaker: Any, runtime: Any, bucket: str, role: str
) -> None:
    store = {"S3StorageConfig": {"S3Uri": f"s3://{bucket}/features"}}
    group = create(sagemaker, OfflineStoreConfig=store, OnlineStoreConfig={"EnableOnlineStore": True}, RoleArn=role)
    described = sagemaker.describe_feature_group(FeatureGroupName=group)
    uri = described["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"]
    assert uri.startswith(f"s3://{bucket}/features/000000000000/sagemaker/us-east-1/offline-store/{group}-")
    runtime.put_record(FeatureGroupName=group, Record=record(card_id="c1", time=NOON, amount=1.5, count=3))
    runtime.put_record(FeatureGroupName=group, Record=record(card_id="c1", time=LATER))
    runtime.delete_record(FeatureGroupName=group, RecordIdentifierValueAsString="c1", EventTime="2026-11-23T14:00:00Z")
    found = eventually(lambda: found if len(found := rows(aws, uri)) == 3 else None, "three offline rows")
    first, second, deleted = found
    assert (first["card_id"], first["amount"], first["count"], first["is_deleted"]) == ("c1", 1.5, 3, False)
    assert first["hour"] == "/year=2026/month=11/day=23/hour=12"
    assert second["hour"] == "/year=2026/month=11/day=23/hour=13"
    assert second["amount"] is None
    assert deleted["is_deleted"]
    assert deleted["amount"] is None
    assert first["write_time"] >= first["api_invocation_time"]
    catalog = described["OfflineStoreConfig"]["DataCatalogConfig"]
    glue = aws.client("glue")
    table = glue.get_table(DatabaseName=catalog["Database"], Name=catalog["TableName"])["Table"]
    assert table["StorageDescriptor"]["Location"] == uri
    sagemaker.delete_feature_group(FeatureGroupName=group)
    assert len(rows(aws, uri)) == 3
    with pytest.raises(ClientError) as failed:
        sagemaker.describe_feature_group(FeatureGroupName=group)
    assert failed.value.response["Error"]["Code"] == "ResourceNotFound"


def test_features_are_added_and_groups_listed(sagemaker: Any, runtime: Any, online: str) -> None:
    sagemaker.update_feature_group(
        FeatureGroupName=online, FeatureAdditions=[{"FeatureName": "country", "FeatureType": "String"}],
        OnlineStoreConfig={"TtlDuration": {"Unit": "Days", "Value": 9000}},
    )  # fmt: skip
    runtime.put_record(FeatureGroupName=online, Record=record(card_id="c1", time=NOON, country="AT"))
    assert (get(runtime, online, "c1") or {})["country"] == "AT"
    listed = sagemaker.list_feature_groups(NameContains=online, FeatureGroupStatusEquals="Created", SortBy="Name")
    assert [group["FeatureGroupName"] for group in listed["FeatureGroupSummaries"]] == [online]
    with pytest.raises(ClientError, match="already exists") as failed:
        sagemaker.create_feature_group(
            FeatureGroupName=online, RecordIdentifierFeatureName="card_id", EventTimeFeatureName="time",
            FeatureDefinitions=DEFINITIONS, OnlineStoreConfig={"EnableOnlineStore": True},
        )  # fmt: skip
    assert failed.value.response["Error"]["Code"] == "ResourceInUse"
