"""PutRecord, GetRecord, BatchGetRecord and DeleteRecord: one record online by event time, every one of them offline."""

import time
from datetime import UTC, datetime
from typing import Any

from local.aws.errors import ResourceNotFound, ValidationException
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.sagemaker.features import groups, offline, online, values
from local.sagemaker.features.online import Found

STORES = {"OnlineStore": "OnlineStoreConfig", "OfflineStore": "OfflineStoreConfig"}


def put(service: Service, request: Input) -> Output:
    """PutRecord."""
    group = _group(service, request["FeatureGroupName"])
    stores = _stores(group, request)
    typed = values.checked(group, request["Record"])
    given = {value["FeatureName"]: value for value in request["Record"]}
    identifier = given[group["RecordIdentifierFeatureName"]]["ValueAsString"]
    moment = values.event_time(group, given[group["EventTimeFeatureName"]]["ValueAsString"])
    if "OnlineStore" in stores:
        own = group["OnlineStoreConfig"].get("TtlDuration")
        ttl = values.seconds(request.get("TtlDuration", own))
        expires = None if ttl is None else moment + ttl
        arn = group["FeatureGroupArn"]
        if expires is not None and expires <= time.time():
            online.store(service).remove(arn, identifier, moment)
        else:
            online.store(service).put(arn, identifier, moment, expires, request["Record"])
    if "OfflineStore" in stores:
        offline.keep(service, group, typed, moment, deleted=False)
    return {}


def get(service: Service, request: Input) -> Output:
    """GetRecord: empty when there is none."""
    group = _group(service, request["FeatureGroupName"])
    _stores(group, {"TargetStores": ["OnlineStore"]})
    names = request.get("FeatureNames")
    identifier = request["RecordIdentifierValueAsString"]
    found = online.store(service).get(group["FeatureGroupArn"], identifier)
    return _answer(found, _names(group, names), request) if found else {}


def batch_get(service: Service, request: Input) -> Output:
    """BatchGetRecord: records that are not there are left out, groups that cannot be read are told as errors."""
    found: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for wanted in request["Identifiers"]:
        name = wanted["FeatureGroupName"]
        try:
            group = _group(service, name)
            _stores(group, {"TargetStores": ["OnlineStore"]})
            names = _names(group, wanted.get("FeatureNames"))
        except (ResourceNotFound, ValidationException) as error:
            code = "ValidationError" if isinstance(error, ValidationException) else error.code
            errors += [
                {"FeatureGroupName": name, "RecordIdentifierValueAsString": identifier, "ErrorCode": code,
                 "ErrorMessage": error.message}
                for identifier in wanted["RecordIdentifiersValueAsString"]
            ]  # fmt: skip
            continue
        for identifier in wanted["RecordIdentifiersValueAsString"]:
            record = online.store(service).get(group["FeatureGroupArn"], identifier)
            if record:
                where = {"FeatureGroupName": name, "RecordIdentifierValueAsString": identifier}
                found.append({**where, **_answer(record, names, request)})
    return {"Records": found, "Errors": errors, "UnprocessedIdentifiers": []}


def delete(service: Service, request: Input) -> Output:
    """DeleteRecord: gone online unless a newer one is there; offline a row says that it was deleted."""
    group = _group(service, request["FeatureGroupName"])
    stores = _stores(group, request)
    identifier = request["RecordIdentifierValueAsString"]
    texts = {group["RecordIdentifierFeatureName"]: identifier, group["EventTimeFeatureName"]: request["EventTime"]}
    typed = values.checked(group, [{"FeatureName": name, "ValueAsString": text} for name, text in texts.items()])
    moment = values.event_time(group, request["EventTime"])
    if "OnlineStore" in stores:
        if request.get("DeletionMode", "SoftDelete") == "HardDelete":
            online.store(service).remove(group["FeatureGroupArn"], identifier, moment)
        else:
            online.store(service).put(group["FeatureGroupArn"], identifier, moment, None, None)
    if "OfflineStore" in stores:
        offline.keep(service, group, typed, moment, deleted=True)
    return {}


def _group(service: Service, name: str) -> Record:
    group = groups.get(service, name)
    if group["FeatureGroupStatus"] != "Created":
        raise ValidationException(f"Validation Error: FeatureGroup {name} is {group['FeatureGroupStatus']}.")
    return group


def _stores(group: Record, request: Input) -> set[str]:
    """Stores that a call is for: those it names, or those that the group has."""
    has = {store for store, member in STORES.items() if member in group}
    asked = set(request.get("TargetStores", has))
    if asked - has:
        raise ValidationException(
            f"Validation Error: FeatureGroup {group['FeatureGroupName']} has no {min(asked - has)}."
        )
    return asked


def _names(group: Record, names: list[str] | None) -> list[str] | None:
    known = {definition["FeatureName"] for definition in group["FeatureDefinitions"]}
    unknown = set(names or ()) - known
    if unknown:
        raise ValidationException(
            f"Validation Error: FeatureName {min(unknown)} is not in FeatureGroup {group['FeatureGroupName']}."
        )
    return names


def _answer(found: Found, names: list[str] | None, request: Input) -> Output:
    shown = [value for value in found.values if names is None or value["FeatureName"] in names]
    answer: Output = {"Record": shown}
    if request.get("ExpirationTimeResponse") == "Enabled" and found.expires is not None:
        answer["ExpiresAt"] = datetime.fromtimestamp(found.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return answer


OPERATIONS: dict[str, Operation] = {
    "PutRecord": put,
    "GetRecord": get,
    "BatchGetRecord": batch_get,
    "DeleteRecord": delete,
}
