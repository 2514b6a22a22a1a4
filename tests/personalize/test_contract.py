"""What holds for every operation of the local Personalize: bad bodies, parameters, grants, credentials, page tokens."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests import operations
from tests.checked import PERSONALIZE, Aws, unique
from tests.operations import UNSERVED, Served, code
from tests.personalize.shop import Shop


@pytest.fixture(scope="module")
def careless(aws: Aws) -> dict[str, Any]:
    return {name: aws.careless(name) for name in PERSONALIZE}


@pytest.fixture(scope="module")
def served(careless: dict[str, Any]) -> Served:
    """The served operations of each client."""
    return operations.served(careless)


def test_the_services_parts_are_all_there(served: Served) -> None:
    made = ("DatasetGroup", "Schema", "Dataset", "Solution", "Campaign", "EventTracker", "Filter")
    assert {f"{verb}{kind}" for verb in ("Create", "Describe", "Delete") for kind in made} <= operations.names(served)
    assert {
        "CreateDatasetImportJob", "CreateSolutionVersion", "StopSolutionVersionCreation", "GetSolutionMetrics",
        "UpdateCampaign", "CreateBatchInferenceJob", "PutEvents", "PutItems", "PutUsers", "GetRecommendations",
        "GetPersonalizedRanking", "TagResource",
    } <= operations.names(served)  # fmt: skip


def test_missing_parameters_are_told(careless: dict[str, Any], served: Served) -> None:
    assert operations.silent_about_missing(careless, served) == []


def test_wrong_types_are_told(aws: Aws, served: Served) -> None:
    assert operations.silent_about_types(aws, "personalize", "personalize", served["personalize"]) == []


@pytest.mark.parametrize("path", ["/recommendations", "/personalize-ranking", "/events"])
def test_broken_bodies_are_told(aws: Aws, path: str) -> None:
    for body in (b"{", b"[1]", b"[" * 100_000, b'{"userId": 7, "trackingId": 7}', b'{"userId": "\\ud800"}', b"\xff"):
        status, told = aws.post("personalize", path, body)
        assert (status, told["__type"]) == (400, "SerializationException"), body[:20]


def test_an_operation_that_only_aws_serves_says_so(aws: Aws) -> None:
    with pytest.raises(ClientError, match="not served by the local platform") as failed:
        aws.client("personalize").list_recommenders()
    assert failed.value.response["Error"]["Code"] == UNSERVED


def test_a_role_without_grants_may_do_nothing(aws: Aws, served: Served) -> None:
    assert operations.open_to_anybody(aws.acting(aws.role()), served) == []


def test_grants_are_for_what_they_name(aws: Aws, shop: Shop, campaign: str) -> None:
    grants = [{"Effect": "Allow", "Action": "personalize:GetRecommendations", "Resource": campaign},
              {"Effect": "Allow", "Action": "personalize:CreateDatasetGroup", "Resource": "*"}]  # fmt: skip
    acting = aws.acting(aws.role(*grants))
    runtime = acting.client("personalize-runtime")
    assert runtime.get_recommendations(campaignArn=campaign, userId="u1")["itemList"]
    with pytest.raises(ClientError, match="personalize:GetRecommendations on resource"):
        runtime.get_recommendations(campaignArn=f"{campaign}-other", userId="u1")
    tags = [{"tagKey": "a", "tagValue": "b"}]
    with pytest.raises(ClientError, match="personalize:TagResource on resource"):
        acting.client("personalize").create_dataset_group(name=unique("g"), tags=tags)
    with pytest.raises(ClientError, match="iam:PassRole on resource"):
        acting.client("personalize").create_dataset_group(name=unique("g"), roleArn=shop.role)


@pytest.mark.parametrize("name", PERSONALIZE)
def test_wrong_credentials_are_refused_as_everywhere(aws: Aws, name: str) -> None:
    stranger = aws.keys(aws_access_key_id="AKIANOBODYKNOWSTHIS0").careless(name)
    operation = stranger.meta.service_model.operation_model(stranger.meta.service_model.operation_names[0])
    assert code(stranger, operation) == "UnrecognizedClientException"


def test_lists_come_page_by_page(aws: Aws) -> None:
    personalize = aws.client("personalize")
    made = [personalize.create_dataset_group(name=unique("page"))["datasetGroupArn"] for _ in range(3)]
    pages = personalize.get_paginator("list_dataset_groups").paginate(PaginationConfig={"PageSize": 2})
    found = [each["datasetGroupArn"] for page in pages for each in page["datasetGroups"]]
    assert [arn for arn in found if arn in made] == made
    with pytest.raises(ClientError) as failed:
        personalize.list_dataset_groups(nextToken="of nobody")
    assert failed.value.response["Error"]["Code"] == "InvalidNextTokenException"


def test_tags_are_kept_with_what_they_were_given_to(aws: Aws) -> None:
    personalize = aws.client("personalize")
    given = [{"tagKey": "team", "tagValue": "shop"}, {"tagKey": "stage", "tagValue": "test"}]
    arn = personalize.create_dataset_group(name=unique("tagged"), tags=given)["datasetGroupArn"]
    personalize.tag_resource(resourceArn=arn, tags=[{"tagKey": "stage", "tagValue": "prod"}])
    personalize.untag_resource(resourceArn=arn, tagKeys=["team", "never"])
    found = personalize.list_tags_for_resource(resourceArn=arn)["tags"]
    assert found == [{"tagKey": "stage", "tagValue": "prod"}]
    personalize.delete_dataset_group(datasetGroupArn=arn)
    with pytest.raises(ClientError, match="does not exist"):
        personalize.list_tags_for_resource(resourceArn=arn)
