"""CreateFilter and what belongs to it: an expression is checked against the group's schemas before anybody uses it."""

from collections.abc import Mapping
from typing import Any

from local.aws.service import Input, Operation, Output, Service
from local.personalize import datasets, expressions, resources
from local.personalize.errors import InvalidInput
from local.personalize.resources import ACTIVE, FILTER, GROUP

_DATASETS = {
    expressions.INTERACTIONS: datasets.INTERACTIONS,
    expressions.ITEMS: datasets.ITEMS,
    expressions.USER: datasets.USERS,
}


def create(service: Service, given: Input) -> Output:
    """CreateFilter."""
    group = resources.ready(service, GROUP, given["datasetGroupArn"])["datasetGroupArn"]
    try:
        parts = expressions.parse(given["filterExpression"])
    except expressions.ExpressionError as error:
        raise InvalidInput(f"Filter expression is invalid: {error}.") from error
    for condition in expressions.conditions(parts):
        dataset = datasets.of(service, group, _DATASETS[condition.dataset])
        if dataset is None or condition.field not in datasets.columns(service, dataset):
            raise InvalidInput(f"Filter expression is invalid: there is no {condition.dataset}.{condition.field}.")
    arn = service.arn("filter", given["name"])
    record = {"name": given["name"], "datasetGroupArn": group, "filterExpression": given["filterExpression"]}
    resources.create(service, FILTER, arn, record, given)
    resources.settle(service, FILTER, arn, ACTIVE)
    return {"filterArn": arn}


def delete(service: Service, given: Input) -> Output:
    """DeleteFilter."""
    resources.remove(service, FILTER, given["filterArn"])
    return {}


def chosen(service: Service, given: Mapping[str, Any], group: str) -> dict[str, Any] | None:
    """The filter that a request names, for whoever answers it: its expression and values; None without one.

    Raises ResourceNotFoundException, InvalidInputException for one of another group or parameters without values.
    """
    if "filterArn" not in given:
        return None
    record = resources.ready(service, FILTER, given["filterArn"])
    if record["datasetGroupArn"] != group:
        raise InvalidInput("The filter and the campaign must belong to the same dataset group.")
    values = dict(given.get("filterValues", {}))
    try:
        wanted = expressions.parameters(expressions.parse(record["filterExpression"]))
        for name in wanted & values.keys():
            expressions.listed(values[name])
    except expressions.ExpressionError as error:
        raise InvalidInput(f"filterValues are invalid: {error}.") from error
    if values.keys() != wanted:
        raise InvalidInput(f"filterValues must be given for {sorted(wanted)}, and are for {sorted(values)}.")
    return {"expression": record["filterExpression"], "values": values}


OPERATIONS: dict[str, Operation] = {
    "CreateFilter": create, "DeleteFilter": delete, **resources.operations(FILTER),
}  # fmt: skip
