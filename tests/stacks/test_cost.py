"""An idle suite costs next to nothing, and nothing in it needs a service that a new account cannot have."""

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
    "AWS::KinesisAnalyticsV2::", "AWS::Kinesis::StreamConsumer", "AWS::WAFv2::WebACL", "AWS::KMS::Key",
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


def test_the_page_of_costs_counts_the_secrets_that_there_are() -> None:
    """0.40 USD a month each."""
    secrets = assembly(DEFAULT).resources("AWS::SecretsManager::Secret")
    assert {each.stack for each in secrets} == {"CuatroSentiment"}
    page = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    assert f"| {len(secrets)} (count of `AWS::SecretsManager::Secret`) | 0.40 |" in page


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
    assert f"{alarms - without} alarms of {name}" in page


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


def test_at_most_three_dashboards_which_are_free() -> None:
    assert len(assembly(DEFAULT).resources("AWS::CloudWatch::Dashboard")) <= 3


def test_the_default_profile_is_the_minimal_one() -> None:
    assert chosen(None).name == DEFAULT
    assert chosen(None).profile is MINIMAL
