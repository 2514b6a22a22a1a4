"""Feature groups and records as the tests make them."""

import io
from typing import Any

import pyarrow.parquet as pq

from tests.checked import Aws, unique

DEFINITIONS = [
    {"FeatureName": "card_id", "FeatureType": "String"},
    {"FeatureName": "time", "FeatureType": "String"},
    {"FeatureName": "amount", "FeatureType": "Fractional"},
    {"FeatureName": "count", "FeatureType": "Integral"},
]
NOON = "2026-11-23T12:00:00Z"
LATER = "2026-11-23T13:30:00.250Z"


def create(sagemaker: Any, **members: Any) -> str:
    name = unique("cards")
    sagemaker.create_feature_group(
        FeatureGroupName=name, RecordIdentifierFeatureName="card_id", EventTimeFeatureName="time",
        FeatureDefinitions=members.pop("FeatureDefinitions", DEFINITIONS), **members,
    )  # fmt: skip
    return name


def record(**values: Any) -> list[dict[str, str]]:
    return [{"FeatureName": name, "ValueAsString": str(value)} for name, value in values.items()]


def get(runtime: Any, group: str, card: str, **options: Any) -> dict[str, str] | None:
    answer = runtime.get_record(FeatureGroupName=group, RecordIdentifierValueAsString=card, **options)
    return {v["FeatureName"]: v["ValueAsString"] for v in answer["Record"]} if "Record" in answer else None


def rows(aws: Aws, uri: str) -> list[dict[str, Any]]:
    """All offline rows below an S3 URI, in the order of their event times."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    s3 = aws.client("s3")
    found = []
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
        body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        hour = entry["Key"].removeprefix(prefix).rpartition("/")[0]
        found += [{**row, "hour": hour} for row in pq.read_table(io.BytesIO(body)).to_pylist()]
    return sorted(found, key=lambda row: row["time"])
