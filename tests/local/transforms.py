"""Functions that transform what a delivery stream takes, and the streams that they stand in."""

import base64
import json
from collections.abc import Callable
from typing import Any

from local.platform.client import Connection
from tests.local.conftest import Function, name, role
from tests.local.lake import Lake
from tests.waiting import eventually

# Tells each call, then does with each record what its "do" says; as a whole it fails while the file GO is missing.
TRANSFORM = """
import base64, json, os, time

def handler(event, context):
    print("CALLED", json.dumps({
        "stream": event["deliveryStreamArn"], "region": event["region"], "as": context.invoked_function_arn,
        "ids": [each["recordId"] for each in event["records"]],
        "n": [json.loads(base64.b64decode(each["data"]))["n"] for each in event["records"]],
        "at": [each["approximateArrivalTimestamp"] for each in event["records"]]}))
    go = os.environ.get("GO")
    if go == "never":
        raise RuntimeError("no")
    if go and not os.path.exists(go):
        raise RuntimeError("not yet")
    answers = []
    for each in event["records"]:
        record = json.loads(base64.b64decode(each["data"]))
        do = record.get("do", "Ok")
        if do == "omit":
            continue
        answer = {"recordId": each["recordId"], "result": do}
        if do == "Ok":
            line = json.dumps({**record, "label": "positive"}) + os.environ.get("END", "\\n")
            answer["data"] = base64.b64encode(line.encode()).decode()
            keys = {key: record[key] for key in ("brand", "dt") if key in record}
            answer["metadata"] = {"partitionKeys": keys}
        answers.append(answer)
    if any(json.loads(base64.b64decode(each["data"])).get("do") == "twice" for each in event["records"]):
        answers = [{**answer, "result": "Dropped"} for answer in answers] * 2
    return {"records": answers}
"""

PLACE = "brand=!{partitionKeyFromLambda:brand}/dt=!{partitionKeyFromLambda:dt}/"


def post(number: int, brand: str = "acme", dt: str = "2026-11-23", **more: Any) -> dict[str, Any]:
    return {"n": number, "brand": brand, "dt": dt} | more


def processor(kind: str, **parameters: str) -> dict[str, Any]:
    return {
        "Type": kind,
        "Parameters": [{"ParameterName": key, "ParameterValue": value} for key, value in parameters.items()],
    }


def partitioned(*processors: dict[str, Any], place: str = PLACE, prefix: str, **more: Any) -> dict[str, Any]:
    """Settings of a destination that sorts by keys below `prefix`/."""
    return {
        "Prefix": f"{prefix}/{place}",
        "ErrorOutputPrefix": f"errors/{prefix}/!{{firehose:error-output-type}}/",
        "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 64},
        "DynamicPartitioningConfiguration": {"Enabled": True},
        "ProcessingConfiguration": {"Enabled": True, "Processors": list(processors)},
    } | more


def stream(lake: Lake, settings: dict[str, Any], **statement: Any) -> str:
    """A delivery stream with a role that may do everything, or what `statement` says."""
    this = name("delivery")
    lake.here.client("firehose").create_delivery_stream(
        DeliveryStreamName=this,
        DeliveryStreamType="DirectPut",
        ExtendedS3DestinationConfiguration={
            "RoleARN": role(lake.here, "firehose", **statement), "BucketARN": f"arn:aws:s3:::{lake.bucket}",
        } | settings,
    )  # fmt: skip
    return this


def put(here: Connection, delivery: str, *records: Any) -> list[str]:
    """Puts documents; their record ids."""
    answer = here.client("firehose").put_record_batch(
        DeliveryStreamName=delivery, Records=[{"Data": json.dumps(each).encode()} for each in records]
    )
    assert answer["FailedPutCount"] == 0
    return [each["RecordId"] for each in answer["RequestResponses"]]


def calls(function: Function) -> list[dict[str, Any]]:
    """What each call of the function told."""
    return [json.loads(line) for line in function.lines("CALLED ")]


def called_with(function: Function, wanted: int, after: int = 0) -> list[dict[str, Any]]:
    """The calls but for the first ones, when they had as many records as wanted."""

    def found() -> list[dict[str, Any]] | None:
        told = calls(function)[after:]
        return told if sum(len(each["ids"]) for each in told) == wanted else None

    return eventually(found, f"calls with {wanted} records")


def lines(lake: Lake, prefix: str) -> dict[str, list[dict[str, Any]]]:
    """Directory below the prefix -> the records in its objects."""
    found: dict[str, list[dict[str, Any]]] = {}
    for key, data in lake.objects(prefix).items():
        found.setdefault(key.rpartition("/")[0], []).extend(json.loads(line) for line in data.splitlines())
    return found


def count(found: dict[str, list[dict[str, Any]]]) -> int:
    return sum(len(each) for each in found.values())


def failed(lake: Lake, prefix: str, wanted: int) -> Callable[[], list[dict[str, Any]] | None]:
    """The failures of a stream, when there are as many as wanted."""

    def found() -> list[dict[str, Any]] | None:
        told = lake.failures(f"errors/{prefix}/processing-failed/")
        return told if len(told) >= wanted else None

    return found


def raw(failure: dict[str, Any]) -> Any:
    """The document of a record that failed."""
    return json.loads(base64.b64decode(failure["rawData"]))
