"""A feature group's offline store -> its table in the Glue Data Catalog, which Athena and Spark read it by."""

import contextlib
from typing import Any

from botocore.exceptions import ClientError

from local.aws.service import Service
from local.aws.store import Record

TYPES = {"Integral": "bigint", "Fractional": "double", "String": "string"}
ADDED = {"write_time": "timestamp", "api_invocation_time": "timestamp", "is_deleted": "boolean"}
PARTITIONS = ("year", "month", "day", "hour")
_FORMATS = "org.apache.hadoop.hive.ql.io.parquet"


def create(service: Service, group: Record) -> None:
    """Makes the table, and the database where it is missing, unless the group asks for none."""
    config = group["OfflineStoreConfig"]
    if config["DisableGlueTableCreation"]:
        return
    place = config["DataCatalogConfig"]
    glue = service.client("glue")
    with contextlib.suppress(glue.exceptions.AlreadyExistsException):
        glue.create_database(DatabaseInput={"Name": place["Database"]})
    glue.create_table(DatabaseName=place["Database"], TableInput=_table(group))


def delete(service: Service, group: Record) -> None:
    """Removes the table, if the group has one and nobody else removed it."""
    place = group.get("OfflineStoreConfig", {}).get("DataCatalogConfig")
    if not place or group["OfflineStoreConfig"]["DisableGlueTableCreation"]:
        return
    try:
        service.client("glue").delete_table(DatabaseName=place["Database"], Name=place["TableName"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityNotFoundException":
            raise


def _table(group: Record) -> dict[str, Any]:
    config = group["OfflineStoreConfig"]
    columns = {d["FeatureName"]: TYPES[d["FeatureType"]] for d in group["FeatureDefinitions"]}
    return {
        "Name": config["DataCatalogConfig"]["TableName"],
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": name, "Type": "string"} for name in PARTITIONS],
        "StorageDescriptor": {
            "Columns": [{"Name": name.lower(), "Type": kind} for name, kind in {**columns, **ADDED}.items()],
            "Location": config["S3StorageConfig"]["ResolvedOutputS3Uri"],
            "InputFormat": f"{_FORMATS}.MapredParquetInputFormat",
            "OutputFormat": f"{_FORMATS}.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": f"{_FORMATS}.serde.ParquetHiveSerDe"},
        },
    }
