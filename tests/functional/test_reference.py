"""The lean way to DynamoDB against botocore's own client: the same calls, the same answers, the same items."""

import base64
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cuatro.adapters.aws import THROTTLED, JsonService, LeanService
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.partiql import change, insertion
from cuatro.errors import Refused, Unavailable
from tests.functional.suite import Suite


class BotocoreService:
    """JsonService by the plain client."""

    def __init__(self) -> None:
        self._client = boto3.client("dynamodb")

    def call(self, operation: str, body: bytes) -> bytes:
        method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")
        try:
            answer = getattr(self._client, method)(**json.loads(body, object_hook=_binary))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in THROTTLED:
                raise Unavailable(code) from error
            raise Refused(operation, code, "") from error
        answer.pop("ResponseMetadata")
        return json.dumps(answer, default=lambda value: base64.b64encode(bytes(value)).decode()).encode()


def _binary(value: dict[str, Any]) -> dict[str, Any]:
    return {"B": base64.b64decode(value["B"])} if set(value) == {"B"} else value


SERVICES = {"lean": lambda: LeanService("dynamodb", "DynamoDB_20120810", "1.0"), "botocore": BotocoreService}


def _everything(dynamo: Dynamo) -> list[Any]:
    """All that the functions do, as a list of what came of it."""
    item = {"card_id": "ä", "s": bytes(range(256)), "v": 1, "f": 0.1, "l": ["x", 2], "m": {"k": True}, "none": None}
    first, second = insertion("cards", item), insertion("cards", {"card_id": "b", "s": b"", "v": 1})
    update = change("cards", {"s": b"new", "v": 2}, {"card_id": "ä", "v": 1})
    results: list[Any] = [dynamo.write([first, second]), dynamo.write([first, update]), dynamo.write([update])]
    many = [f"k{n}" for n in range(120)]
    dynamo.put_all("terminals", [{"terminal_id": key, "n": number} for number, key in enumerate(many)])
    results.append(
        dynamo.read(
            {
                "cards": Keys("card_id", ["ä", "b", "absent"], ("card_id", "s", "v")),
                "terminals": Keys("terminal_id", many),
            }
        )
    )
    dynamo.update("cards", {"card_id": "b"}, "SET b = :b ADD v :one", {":b": "stolen", ":one": 1})
    try:
        dynamo.update("cards", {"card_id": "b"}, "REMOVE b", {}, "attribute_not_exists(card_id)")
    except Refused as refused:
        results.append(refused.code)
    results.append(dynamo.read({"cards": Keys("card_id", ["ä", "b"])}))
    return results


def test_both_ways_give_the_same(suite: Suite) -> None:
    answers = []
    for make in SERVICES.values():
        answers.append(_everything(Dynamo(make())))
        suite.wire.calls.clear()
        for table, key in (("cards", "card_id"), ("terminals", "terminal_id")):
            for each in suite.items(table):
                boto3.client("dynamodb").delete_item(TableName=table, Key={key: {"S": each}})
    lean, reference = answers
    assert lean == reference
    assert [each.status for each in lean[1]] == ["conflict", "done"]
    assert lean[2][0].item["v"] == 2
    assert len(lean[3]["terminals"].items) == 120


@pytest.mark.parametrize("make", SERVICES.values(), ids=SERVICES)
def test_both_ways_tell_refusals_from_outages(suite: Suite, make: Callable[[], JsonService]) -> None:
    dynamo = Dynamo(make())
    suite.wire.refuse("BatchGetItem", "AccessDeniedException", times=1)
    with pytest.raises(Refused, match="AccessDenied"):
        dynamo.read({"cards": Keys("card_id", ["a"])})
    suite.wire.refuse("BatchGetItem", "ThrottlingException")
    with pytest.raises(Unavailable):
        dynamo.read({"cards": Keys("card_id", ["a"])})
