"""Rows of the tables of studies and instances -> what an operator may see: pseudonyms, states, outcomes."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from functions.imaging.pseudonym import LENGTH, Pseudonyms
from local.feed.events import rfc3339
from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS

SHOWN = 50
_SCANNED = 5_000
_plain = TypeDeserializer()


def newest(connection: Connection, most: int = SHOWN) -> list[dict[str, Any]]:
    """The studies that came last, newest first; of very many not all are looked at."""
    pages = (
        connection.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=_outputs(connection)["StudiesTable"], PaginationConfig={"MaxItems": _SCANNED})
    )
    rows = [_row(item) for page in pages for item in page["Items"]]
    return [told(row) for row in sorted(rows, key=lambda row: -row["t"])[:most]]


def one(connection: Connection, name: str) -> dict[str, Any]:
    """A study with its instances. name: its pseudonym, or the Study Instance UID. Raises PlatformError."""
    outputs = _outputs(connection)
    client = connection.client("dynamodb")
    study = name if len(name) == LENGTH and "." not in name else _pseudonyms(connection, outputs).study(name)
    found = client.get_item(TableName=outputs["StudiesTable"], Key={"study": {"S": study}}).get("Item")
    if found is None:
        raise PlatformError(f"There is no study {name}.", "`cuatro studies` shows those that came last.")
    pages = client.get_paginator("query").paginate(
        TableName=outputs["InstancesTable"],
        IndexName="by_study",
        KeyConditionExpression="study = :study",
        ExpressionAttributeValues={":study": {"S": study}},
    )
    instances = [_row(item) for page in pages for item in page["Items"]]
    refused = Counter(each.get("why", "") for each in instances if each["s"] == "rejected")
    return {
        **told(_row(found)),
        "instance_states": dict(Counter(each["s"] for each in instances)),
        "refused": dict(refused),
        "instance_ids": sorted(each["instance"] for each in instances),
    }


def told(row: dict[str, Any]) -> dict[str, Any]:
    """One study's row in words."""
    return {
        "study": row["study"],
        "state": row["s"],
        "revision": int(row.get("r", 0)),
        "instances": int(row.get("c", 0)),
        "waiting": int(row.get("w", 0)),
        "modalities": sorted(row.get("m", ())),
        "sender": row.get("o", ""),
        "patient": row.get("p", ""),
        "last_arrival": rfc3339(datetime.fromtimestamp(int(row.get("t", 0)) / 1000, UTC)),
        "outcome": json.loads(row["v"]) if row.get("v") else None,
        "execution": row.get("e", ""),
    }


def _row(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain.deserialize(value) for name, value in item.items()}


def _outputs(connection: Connection) -> dict[str, str]:
    return connection.outputs(STACKS["imaging"])


def _pseudonyms(connection: Connection, outputs: dict[str, str]) -> Pseudonyms:
    secret = connection.client("secretsmanager").get_secret_value(SecretId=outputs["PseudonymSecret"])["SecretString"]
    return Pseudonyms(secret.encode())
