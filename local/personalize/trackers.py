"""Event trackers, and what is told through them: PutEvents, PutItems, PutUsers -> rows that count at once."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.personalize import datasets, resources, schemas
from local.personalize.errors import AlreadyExists, InvalidInput
from local.personalize.resources import ACTIVE, DATASET, GROUP, TRACKER


def create(service: Service, given: Input) -> Output:
    """CreateEventTracker: one in a group."""
    group = resources.ready(service, GROUP, given["datasetGroupArn"])["datasetGroupArn"]
    if any(record["datasetGroupArn"] == group for record in TRACKER.table(service).all()):
        raise AlreadyExists(f"Dataset group {group} has an event tracker already.")
    if datasets.of(service, group, datasets.INTERACTIONS) is None:
        raise InvalidInput(f"Dataset group {group} has no dataset of the type INTERACTIONS.")
    tracking = str(uuid.uuid4())
    arn = service.arn("event-tracker", hashlib.sha256(tracking.encode()).hexdigest()[:8])
    record = {"name": given["name"], "datasetGroupArn": group, "trackingId": tracking, "accountId": service.account}
    resources.create(service, TRACKER, arn, record, given)
    resources.settle(service, TRACKER, arn, ACTIVE)
    return {"eventTrackerArn": arn, "trackingId": tracking}


def delete(service: Service, given: Input) -> Output:
    """DeleteEventTracker."""
    resources.remove(service, TRACKER, given["eventTrackerArn"])
    return {}


def put_events(service: Service, given: Input) -> Output:
    """PutEvents. Without a user the session is whose it was: it counts for nobody until the user is known."""
    tracker = tracking(service, given["trackingId"])
    if tracker is None:
        raise InvalidInput("The tracking id is not one of an event tracker.")
    arn = datasets.of(service, tracker["datasetGroupArn"], datasets.INTERACTIONS)
    if arn is None:
        raise InvalidInput("The dataset group of the event tracker has no dataset of interactions any more.")
    columns = datasets.columns(service, arn)
    rows = [_event(columns, given, event) for event in given["eventList"]]
    datasets.add(service, arn, [row for row in rows if row])
    return {}


def put_items(service: Service, given: Input) -> Output:
    """PutItems."""
    return _put(service, given["datasetArn"], datasets.ITEMS, {each["itemId"]: each for each in given["items"]})


def put_users(service: Service, given: Input) -> Output:
    """PutUsers."""
    return _put(service, given["datasetArn"], datasets.USERS, {each["userId"]: each for each in given["users"]})


def tracking(service: Service, tracking_id: str) -> Record | None:
    """The event tracker of a tracking id."""
    return next((each for each in TRACKER.table(service).all() if each["trackingId"] == tracking_id), None)


def _event(columns: schemas.Fields, given: Input, event: Mapping[str, Any]) -> dict[str, str]:
    """A row of the interactions; none for an event without user or item. Raises InvalidInputException."""
    values = {**_properties(columns, event.get("properties")), "EVENT_TYPE": event["eventType"],
              "TIMESTAMP": str(int(event["sentAt"])), "ITEM_ID": event.get("itemId", "")}  # fmt: skip
    if "eventValue" in event:
        values["EVENT_VALUE"] = str(event["eventValue"])
    if "recommendationId" in event:
        values["RECOMMENDATION_ID"] = event["recommendationId"]
    if "impression" in event:
        values["IMPRESSION"] = "|".join(event["impression"])
    values["USER_ID"] = given.get("userId", "")
    if not values["USER_ID"] or not values["ITEM_ID"]:
        return {}
    return _checked(columns, values)


def _put(service: Service, arn: str, kind: str, given: Mapping[str, Mapping[str, Any]]) -> Output:
    dataset = resources.ready(service, DATASET, arn)
    if dataset["datasetType"] != kind:
        raise InvalidInput(f"{arn} is no dataset of the type {kind}.")
    columns = datasets.columns(service, arn)
    key = next(iter(schemas.REQUIRED[kind]))
    rows = [_checked(columns, {**_properties(columns, each.get("properties")), key: name})
            for name, each in given.items()]  # fmt: skip
    datasets.add(service, arn, rows)
    return {}


def _properties(columns: schemas.Fields, text: str | None) -> dict[str, str]:
    """Properties as columns: numberOfRatings is NUMBER_OF_RATINGS, as AWS has it. Raises InvalidInputException."""
    try:
        given = json.loads(text or "{}").items()
    except (ValueError, AttributeError, RecursionError) as error:
        raise InvalidInput("properties must be a JSON object as a string.") from error
    found = {}
    for name, value in given:
        snake = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name)
        column = name if name in columns else snake
        if column not in columns:
            raise InvalidInput(f"properties has {name}, which the schema does not have.")
        found[column] = _text(value)
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "|".join(map(str, value))
    return "" if value is None else str(value)


def _checked(columns: schemas.Fields, row: dict[str, str]) -> dict[str, str]:
    broken = schemas.wrong(columns, row)
    if broken:
        raise InvalidInput(f"{broken} does not conform to the schema of the dataset.")
    return row


OPERATIONS: dict[str, Operation] = {
    "CreateEventTracker": create, "DeleteEventTracker": delete, "PutEvents": put_events, "PutItems": put_items,
    "PutUsers": put_users, **resources.operations(TRACKER),
}  # fmt: skip
