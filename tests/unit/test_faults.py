"""Faults of the local platform: the calls that match fail as AWS would fail them, all others pass untouched."""

import asyncio
import json
from typing import Any

from local.faults import PATH, Faults

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20261123/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


def call(app: Faults, body: bytes = b"", path: str = "/", method: str = "POST", **headers: str) -> tuple[int, bytes]:
    sent: list[dict[str, Any]] = []
    incoming = iter(
        [{"type": "http.request", "body": body[:3], "more_body": True}, {"type": "http.request", "body": body[3:]}]
    )

    async def receive() -> dict[str, Any]:
        return next(incoming)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], sent[1]["body"]


def inject(app: Faults, **fault: Any) -> list[dict[str, Any]]:
    return json.loads(call(app, json.dumps(fault).encode(), path=PATH)[1])


def dynamodb(app: Faults, operation: str, body: bytes = b"{}") -> tuple[int, bytes]:
    return call(app, body, authorization=SIGNED.format("dynamodb"), x_amz_target=f"DynamoDB_20120810.{operation}")


def test_matching_calls_fail_as_often_as_asked_and_others_pass() -> None:
    app = Faults(echo)
    inject(app, service="dynamodb", operation="BatchGetItem", times=2)
    assert dynamodb(app, "PutItem", b'{"a": 1}') == (200, b'{"a": 1}')
    for _ in range(2):
        status, body = dynamodb(app, "BatchGetItem")
        assert (status, json.loads(body)["__type"]) == (400, "ThrottlingException")
    assert dynamodb(app, "BatchGetItem", b'{"b": 2}') == (200, b'{"b": 2}')
    assert json.loads(call(app, path=PATH, method="GET")[1])[0]["failed"] == 2


def test_a_fault_can_be_for_one_key_only() -> None:
    app = Faults(echo)
    inject(app, service="dynamodb", contains="card-7")
    assert dynamodb(app, "PutItem", b'{"card": "card-7"}')[0] == 400
    assert dynamodb(app, "PutItem", b'{"card": "card-8"}')[0] == 200


def test_query_protocol_gets_an_xml_error_and_clearing_ends_it() -> None:
    app = Faults(echo)
    inject(app, service="sns", operation="PublishBatch", code="InternalError", status=500)
    form = {"authorization": SIGNED.format("sns"), "content_type": "application/x-www-form-urlencoded"}
    status, body = call(app, b"Action=PublishBatch&TopicArn=a", **form)
    assert (status, b"<Code>InternalError</Code>" in body) == (500, True)
    assert call(app, b"Action=ListTopics", **form)[0] == 200
    call(app, path=PATH, method="DELETE")
    assert call(app, b"Action=PublishBatch&TopicArn=a", **form)[0] == 200


def test_unsigned_calls_pass() -> None:
    app = Faults(echo)
    inject(app, service="dynamodb")
    assert call(app, b"health")[0] == 200
