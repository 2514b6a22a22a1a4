"""Interactions, lists and feedback in the lake: what the tables' columns are, and who delivers them.

The columns are the fields of what the functions write (a test holds that). Times are text in RFC 3339, with whatever
offset the sender gave: from_iso8601_timestamp(time) in Athena.
"""

from typing import NamedTuple

from aws_cdk import aws_kinesis as kinesis

from cdk.constructs.delivery import Delivery
from cdk.constructs.lake import Lake
from cdk.constructs.lake_tables import LakeTables

INTERACTIONS = {
    "version": "int",
    "event_id": "string",
    "user_id": "string",
    "item_id": "string",
    "kind": "string",
    "time": "string",
    "value": "double",
    "context": "map<string,string>",
    "list_id": "string",
    "correlation_id": "string",
}
LISTS = {
    "version": "int",
    "list_id": "string",
    "user_id": "string",
    "served_at": "string",
    "arm": "string",
    "experiment": "string",
    "model_version": "string",
    "context": "map<string,string>",
    "items": "array<struct<item:string,score:double,because:string,source:string,propensity:double,among:string>>",
    "explored": "int",
    "candidates": "array<struct<item:string,propensity:double>>",
    "shadow": "struct<version:string,items:array<string>>",
    "latency_ms": "double",
}
FEEDBACK = {
    "version": "int",
    "list_id": "string",
    "user_id": "string",
    "event_id": "string",
    "kind": "string",
    "items": "array<struct<item:string,place:int>>",
    "time": "string",
    "arm": "string",
    "experiment": "string",
}
KEEPS = ("interactions", "lists", "feedback")


class Kept(NamedTuple):
    """The tables, and the deliveries that fill them."""

    tables: LakeTables
    interactions: Delivery
    lists: Delivery
    feedback: Delivery


def kept(lake: Lake, stream: kinesis.Stream) -> Kept:
    """Interactions as Parquet straight from the stream, lists and feedback as the lines that `tally` sends."""
    tables = lake.tables()
    interactions = tables.table("interactions", INTERACTIONS, parquet=True)
    tables.table("lists", LISTS)
    tables.table("feedback", FEEDBACK)
    return Kept(
        tables,
        lake.delivery("interactions", source=stream, table=interactions),
        lake.delivery("lists"),
        lake.delivery("feedback"),
    )
