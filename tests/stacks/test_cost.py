"""An idle suite costs next to nothing, and nothing in it needs a service that a new account cannot have."""

from collections import Counter
from typing import Any

import pytest

from cdk.archive import ROOT
from cdk.options import chosen
from cdk.profiles import MINIMAL
from tests.stacks.synthesis import DEFAULT, PIPELINES, assembly

# Closed to new customers, or ended.
CLOSED = (
    "AWS::FraudDetector::", "AWS::SageMaker::FlowDefinition", "AWS::SageMaker::HumanTaskUi", "AWS::SageMaker::Workteam",
    "AWS::SageMaker::MonitoringSchedule", "AWS::SageMaker::DataQualityJobDefinition", "AWS::SageMaker::DeviceFleet",
    "AWS::SageMaker::ModelBiasJobDefinition", "AWS::SageMaker::ModelExplainabilityJobDefinition",
    "AWS::SageMaker::ModelQualityJobDefinition", "AWS::SageMaker::Device", "AWS::KinesisAnalytics::",
    "AWS::LookoutMetrics::", "AWS::LookoutVision::", "AWS::LookoutEquipment::", "AWS::CodeStar::", "AWS::Cloud9::",
    "AWS::QLDB::", "AWS::Timestream::Database", "AWS::Evidently::", "AWS::IoTAnalytics::", "AWS::Forecast::",
)  # fmt: skip
# Billed by the hour whether used or not.
BY_THE_HOUR = (
    "AWS::EC2::", "AWS::ECS::", "AWS::EKS::", "AWS::RDS::", "AWS::DocDB::", "AWS::Neptune::", "AWS::ElastiCache::",
    "AWS::MemoryDB::", "AWS::Redshift::", "AWS::OpenSearchService::", "AWS::OpenSearchServerless::", "AWS::MSK::",
    "AWS::ElasticLoadBalancing", "AWS::SageMaker::Endpoint", "AWS::SageMaker::NotebookInstance", "AWS::AmazonMQ::",
    "AWS::KinesisAnalyticsV2::", "AWS::Kinesis::StreamConsumer", "AWS::WAFv2::WebACL",
    "AWS::ApiGateway::DomainName", "AWS::Lambda::CapacityProvider",
)  # fmt: skip


def types() -> set[str]:
    return {resource.type for resource in assembly(DEFAULT).resources()}


def test_no_service_is_closed_to_new_customers() -> None:
    assert not [each for each in types() if each.startswith(CLOSED)]


def test_nothing_is_billed_by_the_hour_but_a_shard_for_each_stream() -> None:
    assert not [each for each in types() if each.startswith(BY_THE_HOUR)]
    streams = assembly(DEFAULT).resources("AWS::Kinesis::Stream")
    shards = {stream.stack: stream.properties["ShardCount"] for stream in streams}
    assert shards == {"CuatroFraud": 1, "CuatroRecommendations": 1}, "0.015 USD an hour: the one price by the hour"


@pytest.mark.parametrize(
    ("kind", "price", "stacks"),
    [
        ("AWS::SecretsManager::Secret", "0.40", {"CuatroSentiment": 6, "CuatroImaging": 2}),
        ("AWS::KMS::Key", "1.00", {"CuatroImaging": 2}),
    ],
)
def test_the_page_of_costs_counts_what_is_paid_by_the_month(kind: str, price: str, stacks: dict[str, int]) -> None:
    assert Counter(each.stack for each in assembly(DEFAULT).resources(kind)) == stacks
    page = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    for count in stacks.values():
        assert f"| {count} (count of `{kind}`) | {price} |" in page


def test_nothing_asks_kms_for_each_object_or_message() -> None:
    """A call is 3 USD a million: S3 keeps a key of the bucket's own, SQS reuses one for an hour."""
    for bucket in assembly(DEFAULT).resources("AWS::S3::Bucket"):
        (rule,) = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        if rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms":
            assert rule["BucketKeyEnabled"] is True, bucket.where
    for queue in assembly(DEFAULT).resources("AWS::SQS::Queue"):
        if "KmsMasterKeyId" in queue.properties:
            assert queue.properties["KmsDataKeyReusePeriodSeconds"] == 3600, queue.where


@pytest.mark.parametrize("stack", PIPELINES.values())
def test_each_serving_by_instances_names_them_and_serverless_has_none(stack: str) -> None:
    billed = {
        serving: [
            (variant.get("InstanceType"), variant.get("InitialInstanceCount"))
            for config in assembly(DEFAULT, None, serving, "off").resources(
                "AWS::SageMaker::EndpointConfig", within=[stack]
            )
            for variant in config.properties["ProductionVariants"]
        ]
        for serving in ("lambda", "serverless", "realtime")
    }
    assert billed == {"lambda": [], "serverless": [(None, None)], "realtime": [("ml.c6i.large", 1)]}


@pytest.mark.parametrize(("name", "stack"), PIPELINES.items())
def test_the_page_of_costs_counts_the_alarms_that_there_are(name: str, stack: str) -> None:
    alarms = len(assembly(DEFAULT).resources("AWS::CloudWatch::Alarm", within=[stack]))
    without = len(assembly(DEFAULT, None, None, "off").resources("AWS::CloudWatch::Alarm", within=[stack]))
    page = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    assert f"| CloudWatch alarms, {name} | {alarms} (count" in page
    assert alarms == without or f"{alarms - without} alarms of {name}" in page


def test_no_capacity_is_provisioned() -> None:
    for table in assembly(DEFAULT).resources("AWS::DynamoDB::Table"):
        assert table.properties["BillingMode"] == "PAY_PER_REQUEST", table.where
    for resource in assembly(DEFAULT).resources():
        held = provisioned(resource.properties)
        assert not held, f"{resource.where} has {held}"


def provisioned(value: Any) -> set[str]:
    """Names of properties, at any depth, that hold capacity ready for money."""
    names = {"ProvisionedConcurrencyConfig", "ProvisionedConcurrentExecutions", "ProvisionedThroughput",
             "ProvisionedPollerConfig", "CacheClusterEnabled", "SnapStart"}  # fmt: skip
    if isinstance(value, dict):
        return (names & value.keys()).union(*(provisioned(each) for each in value.values()))
    if isinstance(value, list):
        return set[str]().union(*(provisioned(each) for each in value))
    return set()


def test_a_pipeline_has_one_dashboard_and_the_page_counts_them() -> None:
    """An account's first three are free."""
    found = assembly(DEFAULT).resources("AWS::CloudWatch::Dashboard")
    assert Counter(each.stack for each in found) == dict.fromkeys(PIPELINES.values(), 1)
    page = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    assert f"| {len(found)} (count of `AWS::CloudWatch::Dashboard`; an account's first three are free) | 3.00 |" in page


def test_the_default_profile_is_the_minimal_one() -> None:
    assert chosen(None).name == DEFAULT
    assert chosen(None).profile is MINIMAL
