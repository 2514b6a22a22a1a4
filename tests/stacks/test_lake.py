"""The lake's tables: their columns are what the functions write, their days need no crawler, a query has its limit."""

from typing import Any

import msgspec
import pytest

from cuatro.interactions import Interaction
from functions.recommendations.lists import FeedbackRecorded, Served
from functions.recommendations.policy import Policy
from tests.stacks.columns import columns
from tests.stacks.synthesis import TARGET_NAMES, Assembly, Resource, assembly

STACK = ["CuatroRecommendations"]
WRITTEN = {"interactions": Interaction, "lists": Served, "feedback": FeedbackRecorded}


@pytest.fixture(scope="module", params=TARGET_NAMES)
def suite(request: pytest.FixtureRequest) -> Assembly:
    return assembly(request.param)


def tables(suite: Assembly) -> dict[str, Resource]:
    return {each.properties["TableInput"]["Name"]: each for each in suite.resources("AWS::Glue::Table", within=STACK)}


def deliveries(suite: Assembly) -> dict[str, dict[str, Any]]:
    """The deliveries' properties, by their prefix's last word."""
    found = suite.resources("AWS::KinesisFirehose::DeliveryStream", within=STACK)
    return {
        each.properties["ExtendedS3DestinationConfiguration"]["Prefix"].split("/")[1]: each.properties for each in found
    }


def test_the_columns_are_the_fields_that_are_written(suite: Assembly) -> None:
    assert set(tables(suite)) == set(WRITTEN)
    for name, table in tables(suite).items():
        told = table.properties["TableInput"]["StorageDescriptor"]["Columns"]
        assert {each["Name"]: each["Type"] for each in told} == columns(WRITTEN[name]), name


def test_days_are_projected_onto_where_the_delivery_puts_them(suite: Assembly) -> None:
    for name, table in tables(suite).items():
        told = table.properties["TableInput"]
        assert told["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
        assert told["Parameters"]["projection.enabled"] == "true"
        assert told["Parameters"]["projection.dt.type"] == "date"
        place = told["Parameters"]["storage.location.template"]["Fn::Join"][1][-1]
        prefix = deliveries(suite)[name]["ExtendedS3DestinationConfiguration"]["Prefix"]
        assert place.replace("${dt}", "!{timestamp:yyyy-MM-dd}") == f"/{prefix}"
        assert told["Parameters"]["projection.dt.format"] == "yyyy-MM-dd"


def test_interactions_become_parquet_straight_from_the_stream(suite: Assembly) -> None:
    delivery = deliveries(suite)["interactions"]
    (stream,) = suite.resources("AWS::Kinesis::Stream", within=STACK)
    assert delivery["DeliveryStreamType"] == "KinesisStreamAsSource"
    source = delivery["KinesisStreamSourceConfiguration"]
    assert source["KinesisStreamARN"] == {"Fn::GetAtt": [stream.id, "Arn"]}
    destination = delivery["ExtendedS3DestinationConfiguration"]
    schema = destination["DataFormatConversionConfiguration"]["SchemaConfiguration"]
    assert schema["TableName"] == {"Ref": tables(suite)["interactions"].id}
    assert "ParquetSerDe" in str(destination["DataFormatConversionConfiguration"]["OutputFormatConfiguration"])
    # What Firehose asks of a conversion.
    assert destination["CompressionFormat"] == "UNCOMPRESSED"
    assert destination["BufferingHints"]["SizeInMBs"] >= 64
    assert "parquet" in tables(suite)["interactions"].properties["TableInput"]["Parameters"]["classification"]


def test_lists_and_feedback_are_compressed_lines(suite: Assembly) -> None:
    for name in ("lists", "feedback"):
        assert deliveries(suite)[name]["DeliveryStreamType"] == "DirectPut"
        assert deliveries(suite)[name]["ExtendedS3DestinationConfiguration"]["CompressionFormat"] == "GZIP"
        assert "JsonSerDe" in str(tables(suite)[name].properties["TableInput"]["StorageDescriptor"]["SerdeInfo"])


def test_a_query_reads_no_more_than_its_limit_and_its_result_expires(suite: Assembly) -> None:
    (workgroup,) = suite.resources("AWS::Athena::WorkGroup", within=STACK)
    told = workgroup.properties["WorkGroupConfiguration"]
    assert told["EnforceWorkGroupConfiguration"] is True
    assert 10_000_000 <= told["BytesScannedCutoffPerQuery"] <= 10_000_000_000
    prefix = told["ResultConfiguration"]["OutputLocation"]["Fn::Join"][1][-1].lstrip("/")
    lake = next(each for each in suite.resources("AWS::S3::Bucket", within=STACK) if each.id.startswith("LakeBucket"))
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in lake.properties["LifecycleConfiguration"]["Rules"]}
    assert days[prefix] == 30
    assert {days[f"recommendations/{name}/"] for name in WRITTEN} == {400}


def test_the_functions_understand_the_policy(suite: Assembly) -> None:
    """A field that there is not, or shares that do not add up, would fail every invocation."""
    found = {
        variables["POLICY"]
        for function in suite.resources("AWS::Lambda::Function", within=STACK)
        if "POLICY" in (variables := function.properties["Environment"]["Variables"])
    }
    (policy,) = found
    assert set(msgspec.json.decode(policy)) == {field.name for field in msgspec.structs.fields(Policy)}
    assert [arm.name for arm in Policy.from_json(policy).experiment.arms] == ["model", "popular"]
