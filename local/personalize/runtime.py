"""GetRecommendations and GetPersonalizedRanking: a request -> a question to the campaign's process -> its list."""

import uuid
from typing import Any

from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.personalize import campaigns, filtering, recipes, resources
from local.personalize.errors import InvalidInput
from local.personalize.resources import CAMPAIGN, VERSION

RESULTS, MOST = 25, 500


def recommendations(service: Service, given: Input) -> Output:
    """GetRecommendations. Users that nobody has heard of get what is popular."""
    if "recommenderArn" in given or "campaignArn" not in given:
        raise InvalidInput("campaignArn is needed: recommenders are not served by the local platform.")
    campaign, version, kind = _served(service, given)
    wanted = "itemId" if kind == recipes.RELATED else "userId"
    if kind == recipes.RANKING:
        raise InvalidInput("A campaign of this recipe answers GetPersonalizedRanking, not GetRecommendations.")
    if not given.get(wanted):
        raise InvalidInput(f"{wanted} is required by this campaign's recipe.")
    count = given.get("numResults") or RESULTS
    if count > MOST:
        raise InvalidInput(f"numResults must be at most {MOST}.")
    query = {**_asked(service, given, campaign, version), "item": given.get("itemId"), "k": count}
    query["promotions"] = [
        {"name": each.get("name"), "percent": each.get("percentPromotedItems", 20),
         "filter": filtering.chosen(service, each, version["datasetGroupArn"])}
        for each in given.get("promotions", ())
    ]  # fmt: skip
    answered = campaigns.ask(service, version, query)
    return {"itemList": answered["items"], "recommendationId": _id()}


def ranking(service: Service, given: Input) -> Output:
    """GetPersonalizedRanking: items that the model does not know come last, in their order."""
    campaign, version, kind = _served(service, given)
    if kind != recipes.RANKING:
        raise InvalidInput("A campaign of this recipe answers GetRecommendations, not GetPersonalizedRanking.")
    if not 0 < len(given["inputList"]) <= MOST:
        raise InvalidInput(f"inputList must have 1 to {MOST} items.")
    query = {**_asked(service, given, campaign, version), "input": given["inputList"]}
    return {"personalizedRanking": campaigns.ask(service, version, query)["items"], "recommendationId": _id()}


def _served(service: Service, given: Input) -> tuple[Record, Record, str]:
    """Campaign, version, type of its recipe. Raises ResourceNotFoundException, InvalidInputException."""
    campaign = resources.find(service, CAMPAIGN, given["campaignArn"])
    if campaign["status"] != resources.ACTIVE:
        raise InvalidInput(f"Campaign {campaign['campaignArn']} is not ACTIVE but {campaign['status']}.")
    version = resources.find(service, VERSION, campaign["solutionVersionArn"])
    return campaign, version, recipes.kind(version["recipeArn"])


def _asked(service: Service, given: Input, campaign: Record, version: Record) -> dict[str, Any]:
    columns = given.get("metadataColumns", {}).get("ITEMS", [])
    if columns and not campaign.get("campaignConfig", {}).get("enableMetadataWithRecommendations"):
        raise InvalidInput("metadataColumns need a campaign with enableMetadataWithRecommendations.")
    popularity = version["recipeArn"] == recipes.arn(recipes.POPULARITY)
    return {
        "user": None if popularity else given.get("userId"),
        "filtered_user": given.get("userId"),
        "filter": filtering.chosen(service, given, version["datasetGroupArn"]),
        "columns": columns,
    }


def _id() -> str:
    return f"RID-{uuid.uuid4()}"


OPERATIONS: dict[str, Operation] = {"GetRecommendations": recommendations, "GetPersonalizedRanking": ranking}
