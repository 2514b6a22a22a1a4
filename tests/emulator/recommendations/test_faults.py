"""What goes wrong in the deployed stack: poison in the stream, a table that does not answer, a role that may not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.credentials import Credentials

from local.replay.rejected import rejections
from tests.emulator.conftest import Faults
from tests.emulator.deployed import name
from tests.emulator.recommendations.shop import Shop, interaction
from tests.emulator.roles import denied, role_of
from tests.waiting import eventually


@pytest.fixture(scope="module")
def as_record(shop: Shop) -> Iterator[boto3.Session]:
    with role_of(shop, "RecordFunction") as session:
        yield session


@pytest.fixture(scope="module")
def as_api(shop: Shop) -> Iterator[boto3.Session]:
    with role_of(shop, "ApiFunction") as session:
        yield session


def test_poison_is_kept_with_its_reason_and_the_rest_is_recorded(shop: Shop) -> None:
    user = name("u")
    good = [interaction(user_id=user) for _ in range(20)]
    bad: dict[bytes, tuple[str, str]] = {
        b"\x00\xff poison " + name("p").encode(): ("", "malformed_json"),
        json.dumps(interaction(kind="stare")).encode(): ("kind", "wrong_type"),
        json.dumps(interaction(user_id="a/b")).encode(): ("user_id", "invalid_value"),
        json.dumps(interaction(version=7)).encode(): ("version", "unknown_version"),
        json.dumps(interaction(time="yesterday")).encode(): ("time", "invalid_time"),
    }
    mixed: list[Any] = list(good)
    for place, data in enumerate(bad):
        mixed.insert(place * 3, data)
    shop.put(*mixed, key="poisoned")
    shop.knows(user, *(each["item_id"] for each in good))

    def kept() -> dict[bytes, tuple[str, str]] | None:
        found = rejections(shop.client("s3"), shop.outputs["RejectedBucket"], "recommendations")
        ours = {each.data: (each.field, each.code) for each in found if each.data in bad}
        return ours if len(ours) == len(bad) else None

    told = eventually(kept, "the rejected records")
    assert {data: field for data, (field, _) in told.items()} == {data: field for data, (field, _) in bad.items()}
    assert all(code for _, code in told.values())
    assert "unknown_version" in shop.cuatro("replay", "recommendations", "--dry-run")


def test_a_corrected_record_is_recorded_by_replay(shop: Shop, tmp_path: Path) -> None:
    user, stare = name("u"), name("stare")
    wrong = interaction(user_id=user, kind=stare)
    data = json.dumps(wrong).encode()
    shop.put(wrong)
    bucket = shop.outputs["RejectedBucket"]
    eventually(
        lambda: any(each.data == data for each in rejections(shop.client("s3"), bucket, "recommendations")),
        "the rejected record",
    )
    file = tmp_path / "rejected.jsonl"
    shop.cuatro("replay", "recommendations", "--out", str(file))
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    (row,) = (each for each in rows if isinstance(each.get("record"), dict) and each["record"].get("kind") == stare)
    row["record"]["kind"] = "view"
    file.write_text(json.dumps(row) + "\n")
    assert "1 records sent again" in shop.cuatro("replay", "recommendations", "--from", str(file))
    assert shop.knows(user, wrong["item_id"]).counters == {"view": 1}
    assert all(each.data != data for each in rejections(shop.client("s3"), bucket, "recommendations"))


def test_a_table_that_is_throttled_loses_no_interaction(shop: Shop, faults: Faults) -> None:
    user = name("u")
    sent = [interaction(user_id=user, kind="click") for _ in range(3)]
    faults.inject("dynamodb", operation="BatchExecuteStatement", code="ThrottlingException", status=400, times=4)
    shop.put(*sent)
    found = shop.knows(user, *(each["item_id"] for each in sent))
    assert found.counters == {"click": 3}
    assert faults.failed() >= 1


def test_a_list_is_answered_while_the_tables_are_away(shop: Shop, faults: Faults) -> None:
    user = shop.somebody()
    whole = shop.shown(user, k=5)
    assert whole["degraded"] == []
    faults.inject("dynamodb", operation="BatchGetItem", code="InternalServerError", status=500)
    answer = shop.list_of(user, k=5)
    faults.end()
    assert answer.status == 200, answer
    assert len(answer.body["items"]) == 5, "what is popular is in memory"
    assert answer.body["degraded"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_record_role_can_do_its_job_and_nothing_else(shop: Shop, as_record: boto3.Session) -> None:
    def client(service: str) -> Any:
        return as_record.client(service, endpoint_url=shop.platform.endpoint)

    out, dynamodb = shop.outputs, client("dynamodb")
    keys = {out["ProfilesTable"]: {"Keys": [{"user_id": {"S": name("u")}}]}}
    assert dynamodb.batch_get_item(RequestItems=keys)["Responses"][out["ProfilesTable"]] == []
    assert denied(dynamodb.scan, TableName=out["ProfilesTable"])
    assert denied(dynamodb.delete_item, TableName=out["ProfilesTable"], Key={"user_id": {"S": "u"}})
    assert denied(dynamodb.put_item, TableName=out["ItemsTable"], Item={"item_id": {"S": "i"}})
    assert denied(dynamodb.get_item, TableName=out["ListsTable"], Key={"list_id": {"S": "l"}})
    assert denied(client("s3").list_objects_v2, Bucket=out["LakeBucket"])
    assert denied(client("firehose").put_record, DeliveryStreamName=out["ListsDelivery"], Record={"Data": b"x"})
    assert denied(client("kinesis").put_record, StreamName=out["StreamName"], Data=b"x", PartitionKey="x")


def test_the_api_role_reads_what_lists_are_made_of_and_writes_lists_alone(shop: Shop, as_api: boto3.Session) -> None:
    def client(service: str) -> Any:
        return as_api.client(service, endpoint_url=shop.platform.endpoint)

    out, dynamodb = shop.outputs, client("dynamodb")
    for table, key in (("ProfilesTable", "user_id"), ("ItemsTable", "item_id"), ("ShelvesTable", "shelf")):
        wanted = {out[table]: {"Keys": [{key: {"S": name("x")}}]}}
        assert dynamodb.batch_get_item(RequestItems=wanted)["Responses"][out[table]] == []
        assert denied(dynamodb.put_item, TableName=out[table], Item={key: {"S": "x"}})
        assert denied(dynamodb.scan, TableName=out[table])
    assert denied(client("kinesis").get_shard_iterator, StreamName=out["StreamName"], ShardId="shardId-000000000000",
                  ShardIteratorType="LATEST")  # fmt: skip
    assert denied(client("s3").list_objects_v2, Bucket=out["LakeBucket"])
    assert denied(client("lambda").invoke, FunctionName=out["RecordFunction"])


def test_the_api_needs_permission_to_be_called(shop: Shop, as_record: boto3.Session) -> None:
    keys = as_record.get_credentials().get_frozen_credentials()
    credentials = Credentials(keys.access_key, keys.secret_key, keys.token)
    assert shop.call("GET", "/recommendations/u", keys=credentials).status == 403
