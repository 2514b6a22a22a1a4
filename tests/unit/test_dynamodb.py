"""DynamoDB in few calls: values, chunks, what each statement comes to."""

import json
from typing import Any
from unittest import mock

import msgspec
import pytest

from cuatro.adapters import aws
from cuatro.adapters.attributes import decoded_image, encoded
from cuatro.adapters.aws import ATTEMPTS
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.partiql import Statement, change, insertion
from cuatro.errors import Unavailable


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "_BASE_DELAY_S", 0)


def test_plain_values_survive_dynamodb_s_json() -> None:
    item = {
        "s": "ä", "i": -7, "big": 10**30, "f": 0.25, "b": b"\x00\xff", "t": True, "n": [1, None, "x"],
        "m": {"k": [b"y"]},
        "neg": -1.5e-7,
    }  # fmt: skip
    wire = json.loads(msgspec.json.encode(encoded(item)))
    assert decoded_image(wire) == item
    assert encoded({"absent": None}) == {}
    with pytest.raises(TypeError, match="set"):
        encoded({"x": {1}})


class Scripted:
    """A JsonService that answers from a list, and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), []

    def call(self, operation: str, body: bytes) -> bytes:
        self.asked.append((operation, json.loads(body)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer).encode()


def test_reads_take_100_keys_a_call_over_all_tables() -> None:
    empty = {"Responses": {}, "UnprocessedKeys": {}}
    service = Scripted(empty, empty, empty)
    with mock.patch("cuatro.adapters.dynamodb._PARALLEL", 1):
        found = Dynamo(service).read(
            {
                "a": Keys("id", [f"k{n}" for n in range(150)], ("id", "time")),
                "b": Keys("key", [f"k{n}" for n in range(60)]),
            }
        )
    assert found == {"a": ({}, set()), "b": ({}, set())}
    sizes = [sum(len(each["Keys"]) for each in body["RequestItems"].values()) for _, body in service.asked]
    assert sorted(sizes) == [10, 100, 100]
    first = next(body["RequestItems"]["a"] for _, body in service.asked if "a" in body["RequestItems"])
    assert first["ProjectionExpression"] == "#0,#1"
    assert first["ExpressionAttributeNames"] == {"#0": "id", "#1": "time"}
    assert first["ConsistentRead"] is True


def test_nothing_to_read_or_write_is_no_call() -> None:
    dynamo = Dynamo(Scripted())
    assert dynamo.read({"a": Keys("id", [])}) == {"a": ({}, set())}
    assert dynamo.write([]) == []


def test_each_statement_has_its_own_fate() -> None:
    old = {"id": {"S": "2"}, "v": {"N": "7"}}
    service = Scripted(
        {"Responses": [
            {"TableName": "a"},
            {"Error": {"Code": "ConditionalCheckFailed", "Message": "", "Item": old}},
            {"Error": {"Code": "DuplicateItem", "Message": ""}},
            {"Error": {"Code": "ProvisionedThroughputExceeded", "Message": ""}},
            {"Error": {"Code": "AccessDenied", "Message": ""}},
        ]},
        {"Responses": [{"TableName": "a"}]},
    )  # fmt: skip
    statements = [Statement("UPDATE", [n]) for n in range(5)]
    results = Dynamo(service).write(statements)
    assert [(each.status, each.item, each.code) for each in results] == [
        ("done", None, ""), ("conflict", {"id": "2", "v": 7}, ""), ("conflict", None, ""), ("done", None, ""),
        ("failed", None, "AccessDenied"),
    ]  # fmt: skip
    assert [each["Parameters"] for each in service.asked[1][1]["Statements"]] == [[{"N": "3"}]], "only the throttled"


def test_a_call_that_fails_fails_its_25_statements_only() -> None:
    service = Scripted(Unavailable("down"), {"Responses": [{}] * 5})
    with mock.patch("cuatro.adapters.dynamodb._each", lambda function, chunks: [function(chunk) for chunk in chunks]):
        results = Dynamo(service).write([Statement("UPDATE", [n]) for n in range(30)])
    assert [each.status for each in results] == ["failed"] * 25 + ["done"] * 5


def test_puts_are_repeated_until_all_are_taken() -> None:
    left = {"UnprocessedItems": {"a": [{"PutRequest": {"Item": {"id": {"S": "2"}}}}]}}
    service = Scripted(left, {"UnprocessedItems": {}})
    Dynamo(service).put_all("a", [{"id": "1"}, {"id": "2"}])
    assert [len(body["RequestItems"]["a"]) for _, body in service.asked] == [2, 1]
    with pytest.raises(Unavailable, match="throttled"):
        Dynamo(Scripted(*[left] * ATTEMPTS)).put_all("a", [{"id": "2"}])


def test_statements_keep_values_out_of_the_text() -> None:
    assert insertion("t", {"id": "x'; DROP", "none": None, "n": 1}) == Statement(
        """INSERT INTO "t" VALUE {'id': ?, 'n': ?}""", ("x'; DROP", 1)
    )
    assert change("t", {"a": 1, "b": 2}, {"id": "x", "v": 3}) == Statement(
        'UPDATE "t" SET "a"=? SET "b"=? WHERE "id"=? AND "v"=?', (1, 2, "x", 3)
    )


def test_a_query_gives_a_page_and_where_the_next_one_begins() -> None:
    items = [{"id": {"S": "2"}, "t": {"N": "9"}}, {"id": {"S": "1"}, "t": {"N": "7"}}]
    last = {"id": {"S": "1"}, "b": {"S": "x"}, "t": {"N": "7"}}
    service = Scripted({"Items": items, "LastEvaluatedKey": last, "Count": 2}, {"Items": [], "Count": 0})
    page = Dynamo(service).query("a", "by_b", {"b": "x"}, 2)
    assert page.items == [{"id": "2", "t": 9}, {"id": "1", "t": 7}]
    assert Dynamo(service).query("a", "by_b", {"b": "x"}, 2, page.start) == ([], None)
    (first, asked), (_, again) = service.asked
    assert first == "Query"
    assert (asked["IndexName"], asked["Limit"], asked["ScanIndexForward"]) == ("by_b", 2, False)
    assert asked["ExpressionAttributeValues"] == {":v": {"S": "x"}}
    assert "ExclusiveStartKey" not in asked
    assert again["ExclusiveStartKey"] == last


def test_a_scan_reads_all_pages() -> None:
    first = {"Items": [{"id": {"S": "1"}}], "LastEvaluatedKey": {"id": {"S": "1"}}}
    service = Scripted(first, {"Items": []}, {"Items": [{"id": {"S": "2"}}]})
    assert Dynamo(service).scan("a", ("id",)) == [{"id": "1"}]
    assert [body.get("ExclusiveStartKey") for _, body in service.asked] == [None, {"id": {"S": "1"}}]
    assert service.asked[1][1]["ExpressionAttributeNames"] == {"#0": "id"}
    assert Dynamo(service).scan("a") == [{"id": "2"}]
    assert "ProjectionExpression" not in service.asked[2][1]
