"""Feature groups: which features a record has, which of them identifies it, and where records are kept."""

import re
import time
from typing import Any

from botocore.exceptions import ClientError

from local.aws.errors import AwsError, ResourceInUse, ResourceNotFound, ValidationException
from local.aws.paging import page
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record, Table
from local.sagemaker import tags
from local.sagemaker.features import catalog, offline, online

KIND = "feature-group"
DETAIL_TYPE = "SageMaker Feature Group State Change"
RESERVED = {"is_deleted", "write_time", "api_invocation_time"}
KEPT = ("RecordIdentifierFeatureName", "EventTimeFeatureName", "FeatureDefinitions", "RoleArn", "Description")
SUMMARY = ("FeatureGroupName", "FeatureGroupArn", "CreationTime", "FeatureGroupStatus", "OfflineStoreStatus")


def create(service: Service, request: Input) -> Output:
    """CreateFeatureGroup: Created at once, or CreateFailed with the reason when its role cannot be assumed."""
    name = request["FeatureGroupName"]
    _check(request)
    arn = service.arn(KIND, name)
    taken = ResourceInUse(
        f"Resource Already Exists: FeatureGroup with name {name} already exists. Choose a different name."
    )
    if table(service).find(arn) is not None:
        raise taken
    created = time.time()
    record = {
        "FeatureGroupName": name,
        "FeatureGroupArn": arn,
        **{member: request[member] for member in KEPT if member in request},
        "CreationTime": created,
        "FeatureGroupStatus": "Created",
        "ThroughputConfig": {"ThroughputMode": "OnDemand", **request.get("ThroughputConfig", {})},
        "NextToken": "",
    }
    if request.get("OnlineStoreConfig", {}).get("EnableOnlineStore"):
        record["OnlineStoreConfig"] = {"StorageType": "Standard", **request["OnlineStoreConfig"]}
    if "OfflineStoreConfig" in request:
        record["OfflineStoreConfig"] = _offline(service, request, created)
        record["OfflineStoreStatus"] = {"Status": "Active"}
        try:
            service.credentials(request["RoleArn"])
            catalog.create(service, record)
        except (AwsError, ClientError) as error:
            reason = error.message if isinstance(error, AwsError) else str(error)
            record |= {"FeatureGroupStatus": "CreateFailed", "FailureReason": reason}
    if not table(service).create(arn, record):
        raise taken
    tags.given(service, arn, request.get("Tags"))
    _tell(service, record)
    return {"FeatureGroupArn": arn}


def describe(service: Service, request: Input) -> Output:
    """DescribeFeatureGroup."""
    return get(service, request["FeatureGroupName"])


def update(service: Service, request: Input) -> Output:
    """UpdateFeatureGroup: features are only added; the online store's time to live and throughput can change."""
    arn = get(service, request["FeatureGroupName"])["FeatureGroupArn"]

    def change(record: dict[str, Any]) -> None:
        definitions = record["FeatureDefinitions"] + request.get("FeatureAdditions", [])
        _check({**record, "FeatureDefinitions": definitions})
        record["FeatureDefinitions"] = definitions
        record["ThroughputConfig"] = record["ThroughputConfig"] | request.get("ThroughputConfig", {})
        if "OnlineStoreConfig" in request:
            if "OnlineStoreConfig" not in record:
                raise ValidationException(f"FeatureGroup {record['FeatureGroupName']} has no online store to update.")
            record["OnlineStoreConfig"] |= request["OnlineStoreConfig"]
        record["LastModifiedTime"] = time.time()
        record["LastUpdateStatus"] = {"Status": "Successful"}

    table(service).change(arn, change)
    return {"FeatureGroupArn": arn}


def listing(service: Service, request: Input) -> Output:
    """ListFeatureGroups."""
    records = table(service).all()
    if "FeatureGroupStatusEquals" in request:
        records = [r for r in records if r["FeatureGroupStatus"] == request["FeatureGroupStatusEquals"]]
    if "OfflineStoreStatusEquals" in request:
        wanted = request["OfflineStoreStatusEquals"]
        records = [r for r in records if r.get("OfflineStoreStatus", {}).get("Status") == wanted]
    shown, token = page([{**r, "_status": r.get("OfflineStoreStatus", {}).get("Status")} for r in records], request,
                        name="FeatureGroupName", sort={"OfflineStoreStatus": "_status"})  # fmt: skip
    summaries = [{member: record.get(member) for member in SUMMARY} for record in shown]
    return {"FeatureGroupSummaries": summaries, "NextToken": token}


def delete(service: Service, request: Input) -> Output:
    """DeleteFeatureGroup: what waits is written, online records go, offline records stay in S3."""
    record = get(service, request["FeatureGroupName"])
    arn = record["FeatureGroupArn"]
    offline.flush(service, record)
    offline.forget(service, record)
    catalog.delete(service, record)
    table(service).delete(arn)
    online.store(service).remove_group(arn)
    tags.forget(service, arn)
    _tell(service, {**record, "FeatureGroupStatus": "Deleting"})
    return {}


def get(service: Service, name: str) -> Record:
    """The group by its name or ARN. Raises ResourceNotFound."""
    arn = name if name.startswith("arn:") else service.arn(KIND, name)
    found = table(service).find(arn)
    if found is None:
        raise ResourceNotFound(f"Resource Not Found: FeatureGroup with name {name} was not found.")
    return found


def table(service: Service) -> Table:
    """Records of all groups by ARN."""
    return service.store.table(KIND)


def _check(request: Input) -> None:
    """Raises ValidationException for a group that AWS would not make."""
    types = {d["FeatureName"]: d for d in request["FeatureDefinitions"]}
    lower = [d["FeatureName"].lower() for d in request["FeatureDefinitions"]]
    if len(set(lower)) < len(lower):
        raise ValidationException("Validation Error: FeatureDefinitions contain a FeatureName more than once.")
    if RESERVED & set(lower):
        raise ValidationException(f"Validation Error: {min(RESERVED & set(lower))} is a reserved FeatureName.")
    for member in ("RecordIdentifierFeatureName", "EventTimeFeatureName"):
        if request[member] not in types:
            raise ValidationException(f"Validation Error: {member} {request[member]} is not in FeatureDefinitions.")
        if "CollectionType" in types[request[member]]:
            raise ValidationException(f"Validation Error: {member} {request[member]} cannot be a collection.")
    if types[request["EventTimeFeatureName"]]["FeatureType"] == "Integral":
        raise ValidationException("Validation Error: the EventTime feature must be of type String or Fractional.")
    _check_stores(request)


def _check_stores(request: Input) -> None:
    online_store = request.get("OnlineStoreConfig", {})
    if not online_store.get("EnableOnlineStore") and "OfflineStoreConfig" not in request:
        raise ValidationException("Validation Error: at least one of OnlineStore and OfflineStore must be enabled.")
    collections = any("CollectionType" in definition for definition in request["FeatureDefinitions"])
    if collections and online_store.get("StorageType") != "InMemory":
        raise ValidationException("Validation Error: collection types need the online storage type InMemory.")
    if "OfflineStoreConfig" in request and "RoleArn" not in request:
        raise ValidationException("Validation Error: RoleArn is required when the OfflineStore is enabled.")
    if request.get("OfflineStoreConfig", {}).get("TableFormat") == "Iceberg":
        raise ValidationException("The local platform has no Iceberg offline store: use the TableFormat Glue.")


def _offline(service: Service, request: Input, created: float) -> dict[str, Any]:
    """The offline store's configuration with what AWS adds to it."""
    name, given = request["FeatureGroupName"], request["OfflineStoreConfig"]
    own = f"{name}-{int(created)}"
    path = f"{service.account}/sagemaker/{service.region}/offline-store/{own}/data"
    storage = given["S3StorageConfig"]
    config = {
        "TableFormat": "Glue",
        "DisableGlueTableCreation": False,
        **given,
        "S3StorageConfig": {**storage, "ResolvedOutputS3Uri": f"{storage['S3Uri'].rstrip('/')}/{path}"},
    }
    if not config["DisableGlueTableCreation"] and "DataCatalogConfig" not in config:
        config["DataCatalogConfig"] = {
            "Catalog": "AwsDataCatalog",
            "Database": "sagemaker_featurestore",
            "TableName": re.sub(r"[^a-z0-9]", "_", own.lower()),
        }
    return config


def _tell(service: Service, record: Record) -> None:
    detail = {
        "FeatureGroupArn": record["FeatureGroupArn"],
        "FeatureGroupName": record["FeatureGroupName"],
        **{member: record[member] for member in KEPT if member in record and member != "Description"},
        "CreationTime": int(record["CreationTime"] * 1000),
        "FeatureGroupStatus": record["FeatureGroupStatus"],
    }
    service.event(DETAIL_TYPE, detail, [record["FeatureGroupArn"]])


OPERATIONS: dict[str, Operation] = {
    "CreateFeatureGroup": create,
    "DescribeFeatureGroup": describe,
    "UpdateFeatureGroup": update,
    "ListFeatureGroups": listing,
    "DeleteFeatureGroup": delete,
}
