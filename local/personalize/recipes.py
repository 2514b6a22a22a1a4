"""The recipes that are served here: which question each answers with the one model that the suite trains."""

from typing import Any

from local.aws.service import Input, Operation, Output, Service
from local.personalize import resources
from local.personalize.errors import InvalidInput, NotFound

BEGAN = 1559347200.0  # they have been there since 2019
PERSONAL, RELATED, RANKING = "USER_PERSONALIZATION", "RELATED_ITEMS", "PERSONALIZED_RANKING"
_TYPES = {
    "aws-user-personalization": PERSONAL, "aws-user-personalization-v2": PERSONAL, "aws-popularity-count": PERSONAL,
    "aws-sims": RELATED, "aws-similar-items": RELATED, "aws-personalized-ranking": RANKING,
    "aws-personalized-ranking-v2": RANKING,
}  # fmt: skip
POPULARITY = "aws-popularity-count"


def arn(name: str) -> str:
    """ARN of a recipe: they belong to no account."""
    return f"arn:aws:personalize:::recipe/{name}"


def kind(recipe_arn: str) -> str:
    """Type of a recipe. Raises InvalidInputException for one that is not there or not served."""
    found = _TYPES.get(recipe_arn.removeprefix(arn("")))
    if found is None:
        raise InvalidInput(f"Recipe {recipe_arn} is not one of those served here: {', '.join(_TYPES)}.")
    return found


def describe(_service: Service, given: Input) -> Output:
    """DescribeRecipe."""
    name = given["recipeArn"].removeprefix(arn(""))
    if name not in _TYPES:
        raise NotFound(f"Resource Arn {given['recipeArn']} does not exist.")
    return {"recipe": _described(name)}


def list_all(_service: Service, given: Input) -> Output:
    """ListRecipes."""
    return resources.page([_described(name) for name in _TYPES], given, "recipes")


def _described(name: str) -> dict[str, Any]:
    return {
        "name": name, "recipeArn": arn(name), "status": resources.ACTIVE, "recipeType": _TYPES[name],
        "description": "Answered by the suite's own model.", "creationDateTime": BEGAN, "lastUpdatedDateTime": BEGAN,
        "algorithmArn": f"arn:aws:personalize:::algorithm/{name}",
        "featureTransformationArn": f"arn:aws:personalize:::feature-transformation/{name}",
    }  # fmt: skip


OPERATIONS: dict[str, Operation] = {"DescribeRecipe": describe, "ListRecipes": list_all}
