"""Amazon Personalize in place of the model: what it makes, who may ask it, what is left out; none by default."""

from typing import Any

import pytest

from tests.stacks.definitions import joined
from tests.stacks.synthesis import DEFAULT, TARGET_NAMES, Assembly, Resource, assembly

STACK = ["CuatroRecommendations"]
MADE = ["AWS::Personalize::Dataset"] * 2 + [
    "AWS::Personalize::DatasetGroup", "AWS::Personalize::Schema", "AWS::Personalize::Schema",
    "AWS::Personalize::Solution",
]  # fmt: skip


@pytest.fixture(scope="module", params=["local", "prod"])
def managed(request: pytest.FixtureRequest) -> Assembly:
    return assembly(request.param, None, None, None, "personalize")


def function(suite: Assembly, job: str) -> Resource:
    module = f"functions.recommendations.{job}.handler"
    return next(each for each in suite.functions() if each.module == module).resource


def granted(suite: Assembly, job: str) -> dict[str, Any]:
    """Personalize's actions in the role of a job's function -> on what."""
    role = function(suite, job).properties["Role"]["Fn::GetAtt"][0]
    return {
        action: statement["Resource"]
        for policy in suite.resources("AWS::IAM::Policy", within=STACK)
        if {"Ref": role} in policy.properties["Roles"]
        for statement in policy.properties["PolicyDocument"]["Statement"]
        for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
        if action.startswith("personalize:")
    }


@pytest.mark.parametrize("target", TARGET_NAMES)
def test_by_default_there_is_nothing_of_it(target: str) -> None:
    suite = assembly(target)
    assert not [each.where for each in suite.resources() if each.type.startswith("AWS::Personalize::")]
    assert function(suite, "observe").properties["Environment"]["Variables"]["PERSONALIZE_DATASET_GROUP"] == ""
    assert granted(suite, "api") == granted(suite, "observe") == {}


def test_the_dataset_group_is_made_and_the_api_asks_its_campaign(managed: Assembly) -> None:
    made = [each.type for each in managed.resources() if each.type.startswith("AWS::Personalize::")]
    assert sorted(made) == MADE
    outputs = managed.template(STACK[0])["Outputs"]
    campaign = joined(outputs["PersonalizeCampaign"]["Value"])
    uri = joined(function(managed, "api").properties["Environment"]["Variables"]["MODEL_URI"])
    assert uri == f"personalize:{campaign}"
    (group,) = managed.resources("AWS::Personalize::DatasetGroup")
    told = function(managed, "observe").properties["Environment"]["Variables"]["PERSONALIZE_DATASET_GROUP"]
    assert told == {"Fn::GetAtt": [group.id, "DatasetGroupArn"]}


def test_the_api_may_ask_one_campaign_and_observe_may_tell_trackers(managed: Assembly) -> None:
    campaign = managed.template(STACK[0])["Outputs"]["PersonalizeCampaign"]["Value"]
    assert {action: joined(on) for action, on in granted(managed, "api").items()} == dict.fromkeys(
        ("personalize:GetRecommendations", "personalize:DescribeCampaign"), joined(campaign)
    )
    tells = granted(managed, "observe")
    assert set(tells) == {
        "personalize:PutEvents", "personalize:DescribeEventTracker", "personalize:ListEventTrackers",
    }  # fmt: skip
    assert joined(tells["personalize:PutEvents"]).endswith(":event-tracker/*")
    for job in ("record", "tally", "shelve"):
        assert granted(managed, job) == {}


def test_there_is_nothing_to_roll_out_and_fraud_is_as_ever(managed: Assembly) -> None:
    assert not managed.resources("AWS::SageMaker::Pipeline", "Custom::RestoreModel", within=STACK)
    assert managed.resources("AWS::SageMaker::Pipeline", within=["CuatroFraud"])


def test_it_costs_nothing_while_nobody_made_a_campaign() -> None:
    """A campaign keeps a transaction a second ready and is billed for it: no template makes one."""
    types = {each.type for each in assembly(DEFAULT, None, None, None, "personalize").resources()}
    assert not types & {"AWS::Personalize::Campaign", "AWS::Personalize::Recommender"}
