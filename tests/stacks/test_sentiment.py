"""Sentiment's stack: Firehose's processing and places, each secret's only readers, rules, and what options change."""

from typing import Any

import msgspec
import pytest

from cdk.options import chosen
from cuatro.posts import Post, Scored
from functions.sentiment.lake import LabelRecorded
from functions.sentiment.policy import Policy
from tests.stacks.columns import columns
from tests.stacks.definitions import joined
from tests.stacks.granting import function, granted
from tests.stacks.synthesis import DEFAULT, TARGET_NAMES, Assembly, Resource, assembly

STACK = ["CuatroSentiment"]
WRITTEN = {"raw": Post, "scored": Scored, "labels": LabelRecorded}
PARTITIONS = {"raw": ["brand", "dt"], "scored": ["brand", "dt"], "labels": ["dt"]}


@pytest.fixture(scope="module", params=TARGET_NAMES)
def suite(request: pytest.FixtureRequest) -> Assembly:
    return assembly(request.param)


def delivery(suite: Assembly, name: str) -> dict[str, Any]:
    """The destination of the delivery to sentiment/<name>/."""
    (found,) = (
        each.properties["ExtendedS3DestinationConfiguration"]
        for each in suite.resources("AWS::KinesisFirehose::DeliveryStream", within=STACK)
        if each.properties["ExtendedS3DestinationConfiguration"]["Prefix"].startswith(f"sentiment/{name}/")
    )
    return dict(found)


def processors(destination: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Kind -> parameters."""
    told = destination["ProcessingConfiguration"]
    assert told["Enabled"] is True
    return {
        each["Type"]: {one["ParameterName"]: joined(one["ParameterValue"]) for one in each["Parameters"]}
        for each in told["Processors"]
    }


def test_posts_are_classified_on_their_way_by_the_version_that_is_live(suite: Assembly) -> None:
    destination = delivery(suite, "scored")
    told = processors(destination)["Lambda"]
    (alias,) = suite.resources("AWS::Lambda::Alias", within=STACK)
    assert told["LambdaArn"] == f"${{{alias.id}}}"
    assert told["NumberOfRetries"] == "3"
    assert float(told["BufferSizeInMBs"]) <= 1, "the answer is larger than the posts, and Lambda's limit is 6 MB"
    assert int(told["BufferIntervalInSeconds"]) <= 10, "a post is seen within a minute"
    assert destination["Prefix"].endswith("brand=!{partitionKeyFromLambda:brand}/dt=!{partitionKeyFromLambda:dt}/")


def test_posts_as_collected_lie_by_what_is_in_them(suite: Assembly) -> None:
    destination = delivery(suite, "raw")
    assert processors(destination)["MetadataExtraction"] == {
        "MetadataExtractionQuery": "{brand:.brand,dt:.dt}",
        "JsonParsingEngine": "JQ-1.6",
    }
    assert destination["Prefix"].endswith("brand=!{partitionKeyFromQuery:brand}/dt=!{partitionKeyFromQuery:dt}/")


@pytest.mark.parametrize("name", ["raw", "scored"])
def test_what_firehose_asks_of_dynamic_partitions(suite: Assembly, name: str) -> None:
    destination = delivery(suite, name)
    assert destination["DynamicPartitioningConfiguration"] == {"Enabled": True}
    assert destination["BufferingHints"]["SizeInMBs"] >= 64
    assert "!{firehose:error-output-type}" in destination["ErrorOutputPrefix"]
    assert processors(destination)["AppendDelimiterToRecord"] == {"Delimiter": "\\n"}


def test_the_columns_are_the_fields_that_are_written(suite: Assembly) -> None:
    tables = {each.properties["TableInput"]["Name"]: each for each in suite.resources("AWS::Glue::Table", within=STACK)}
    assert set(tables) == set(WRITTEN)
    for name, table in tables.items():
        told = table.properties["TableInput"]
        assert [key["Name"] for key in told["PartitionKeys"]] == PARTITIONS[name]
        wanted = {key: kind for key, kind in columns(WRITTEN[name]).items() if key not in PARTITIONS[name]}
        assert {each["Name"]: each["Type"] for each in told["StorageDescriptor"]["Columns"]} == wanted, name


def test_each_secret_has_the_readers_that_need_it_and_no_other(suite: Assembly) -> None:
    readers: dict[str, set[str]] = {}
    names = ["PollMastodon", "PollBluesky", "PollReddit", "PollX", "PollRss", "Api", "Classify"]
    for name in [*names, "Tally", "Watch"]:
        for secret in granted(suite, *STACK, name).get("secretsmanager:GetSecretValue", ()):
            readers.setdefault(secret.removeprefix("${").split("Secret")[0], set()).add(name)
    collectors = {name for name in names if name.startswith("Poll")} | {"Api"}
    own = {name.removeprefix("Poll"): {name} for name in names if name.startswith("Poll") and name != "PollRss"}
    assert readers == {**own, "Hook": {"Api"}, "Pseudonym": collectors}


def test_no_template_holds_a_secret(suite: Assembly) -> None:
    for secret in suite.resources("AWS::SecretsManager::Secret"):
        assert secret.properties.get("SecretString", "{}") == "{}", secret.where


def test_every_network_is_polled_by_a_rule_of_its_own(suite: Assembly) -> None:
    rules = [each for each in suite.resources("AWS::Events::Rule", within=STACK) if each.id.startswith("Poll")]
    networks = {each.properties["Environment"]["Variables"]["NETWORK"] for each in polled(suite)}
    assert networks == {"mastodon", "bluesky", "reddit", "x", "rss"}
    assert len(rules) == len(networks)
    states = {each.properties["State"] for each in rules}
    assert states == ({"DISABLED"} if suite.path.name.startswith("local") else {"ENABLED"})


def polled(suite: Assembly) -> list[Resource]:
    return [each.resource for each in suite.functions() if each.module == "functions.sentiment.poll.handler"]


def test_private_hosts_are_read_on_a_laptop_only(suite: Assembly) -> None:
    wanted = "1" if suite.path.name.startswith("local") else ""
    assert {each.properties["Environment"]["Variables"]["ALLOW_PRIVATE_HOSTS"] for each in polled(suite)} == {wanted}


def test_the_functions_understand_the_policy(suite: Assembly) -> None:
    found = {
        variables["POLICY"]
        for each in suite.resources("AWS::Lambda::Function", within=STACK)
        if "POLICY" in (variables := each.properties["Environment"]["Variables"])
    }
    (policy,) = found
    assert set(msgspec.json.decode(policy)) == {field.name for field in msgspec.structs.fields(Policy)}
    assert Policy.from_json(policy).backend == "onnx"


@pytest.mark.parametrize(
    ("options", "grants"),
    [
        ({"backend": "comprehend"}, {"comprehend:BatchDetectSentiment": {"*"}}),
        ({"backend": "blazingtext:Posts"}, {"sagemaker:InvokeEndpoint": {":endpoint/posts"}}),
        ({"second_opinion": "bedrock"}, {"bedrock:InvokeModel": {"::foundation-model/amazon.nova-micro-v1:0"}}),
    ],
    ids=str,
)
def test_another_classifier_is_granted_and_told(options: dict[str, str], grants: dict[str, set[str]]) -> None:
    suite = assembly(DEFAULT, retraining="off", **options)
    usual = granted(assembly(DEFAULT), *STACK, "Classify")
    assert not set(grants) & set(usual)
    found = granted(suite, *STACK, "Classify")
    assert {action: {end(resource) for resource in found[action]} for action in grants} == grants
    policy = Policy.from_json(function(suite, *STACK, "Classify").properties["Environment"]["Variables"]["POLICY"])
    assert (policy.backend != "onnx") == ("backend" in options)
    assert policy.second_opinion.startswith("bedrock:") == ("second_opinion" in options)


def end(resource: str) -> str:
    return resource.rpartition("}")[2] or resource


def test_search_and_quicksight_are_made_when_asked_for() -> None:
    assert not assembly(DEFAULT).resources("AWS::OpenSearchService::Domain", "AWS::QuickSight::DataSet")
    user = "arn:aws:quicksight:us-east-1:123456789012:user/default/reader"
    suite = assembly(DEFAULT, retraining="off", search="opensearch", quicksight=user)
    (domain,) = suite.resources("AWS::OpenSearchService::Domain")
    assert domain.properties["DomainEndpointOptions"]["EnforceHTTPS"] is True
    told = joined(function(suite, *STACK, "Tally").properties["Environment"]["Variables"]["SEARCH_ENDPOINT"])
    assert told == f"https://${{{domain.id}.DomainEndpoint}}"
    grants = granted(suite, *STACK, "Tally")
    assert {end(each) for each in grants["es:ESHttpPost"]} == {"/_bulk"}
    assert {end(each) for each in grants["es:ESHttpPut"]} == {"/_index_template/sentiment-posts"}
    (days,) = suite.resources("AWS::QuickSight::DataSet")
    assert days.properties["Permissions"][0]["Principal"] == user
    assert "<<$brand>>" in joined(days.properties["PhysicalTableMap"]["days"]["CustomSql"]["SqlQuery"])


def test_an_endpoint_of_ours_is_the_backend_where_models_are_served_so() -> None:
    suite = assembly(DEFAULT, None, "serverless", "off")
    (endpoint,) = suite.resources("AWS::SageMaker::Endpoint", within=STACK)
    policy = joined(function(suite, *STACK, "Classify").properties["Environment"]["Variables"]["POLICY"])
    assert msgspec.json.decode(policy)["backend"] == f"sagemaker:${{{endpoint.id}.EndpointName}}"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"backend": "sagemaker:"}, "must be one of onnx, comprehend, sagemaker:<name>"),
        ({"backend": "comprehend", "serving": "serverless", "retraining": "off"}, "leave -c serving=serverless out"),
        ({"second-opinion": "oracle"}, "must be one of off, bedrock, bedrock:<name>"),
        ({"quicksight": "somebody"}, "must be one of off, arn:<name>"),
    ],
)
def test_a_choice_that_cannot_be_is_told(options: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        chosen(DEFAULT, **options)


def test_only_a_model_of_ours_is_retrained() -> None:
    assert chosen(DEFAULT, backend="comprehend").sentiment_retraining is None
    assert chosen(DEFAULT).sentiment_retraining is not None
