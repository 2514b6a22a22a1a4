"""What the gateway decides before MiniStack sees a request: which service answers, which IAM actions PartiQL needs."""

import asyncio
import json
from typing import Any

import pytest

from local.emulator import partiql
from local.emulator.routing import Gateway, signed_service
from local.platform.account import ACCOUNT, IDENTITY_PATH, REGION


async def ask(gateway: Gateway, scope: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    await gateway(scope, receive, send)
    return sent


def answering(name: str) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"from": name})

    return app


def signed_for(service: str) -> dict[str, Any]:
    authorization = f"AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/{service}/aws4_request, SignedHeaders=host"
    return {"type": "http", "path": "/", "headers": [(b"authorization", authorization.encode())]}


@pytest.mark.parametrize(
    ("scope", "answers"),
    [
        (signed_for("sagemaker"), "ours"),
        (signed_for("dynamodb"), "ministack"),
        ({"type": "http", "path": "/", "headers": []}, "ministack"),
        ({"type": "http", "path": "/", "headers": [(b"authorization", b"Bearer sagemaker")]}, "ministack"),
        ({"type": "http", "path": "/", "headers": [],
          "query_string": b"X-Amz-Credential=test%2F20261123%2Fus-east-1%2Fsagemaker%2Faws4_request"}, "ours"),
        ({"type": "lifespan"}, "ministack"),
    ],
)  # fmt: skip
def test_requests_go_to_the_service_they_are_signed_for(scope: dict[str, Any], answers: str) -> None:
    gateway = Gateway(answering("ministack"), {"sagemaker": answering("ours")}, {})
    assert asyncio.run(ask(gateway, scope)) == [{"from": answers}]


def test_the_gateway_says_whose_platform_it_is() -> None:
    gateway = Gateway(answering("ministack"), {"sagemaker": answering("ours")}, {"pid": 7})
    answer = asyncio.run(ask(gateway, {"type": "http", "path": IDENTITY_PATH, "headers": []}))
    assert json.loads(answer[1]["body"]) == {"pid": 7, "services": ["sagemaker"]}
    assert signed_service({"headers": [(b"authorization", b"AWS4-HMAC-SHA256 Credential=broken")]}) is None


@pytest.mark.parametrize(
    ("scope", "scheme"),
    [
        ({**signed_for("sqs"), "scheme": "http"}, b"https"),  # loopback takes the place of TLS for the SDKs
        ({**signed_for("execute-api"), "scheme": "http"}, b"http"),
        ({**signed_for("execute-api"), "scheme": "https"}, b"https"),
        ({"type": "http", "path": "/", "headers": [], "scheme": "http"}, b"http"),
        ({"type": "http", "path": "/", "headers": [], "scheme": "https"}, b"https"),
    ],
)
def test_an_api_is_told_how_a_request_came_whatever_the_client_says(scope: dict[str, Any], scheme: bytes) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["headers"])

    claims = [(b"X-Forwarded-Proto", b"https"), (b"x-forwarded-for", b"203.0.113.7"), (b"x-forwarded-port", b"443")]
    scope = {**scope, "headers": [*scope["headers"], *claims], "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 9)}
    asyncio.run(ask(Gateway(app, {}, {}), scope))
    told = [(name, value) for name, value in seen[0] if name.lower().startswith(b"x-forwarded-")]
    assert told == [(b"x-forwarded-for", b"127.0.0.1"), (b"x-forwarded-port", b"9"), (b"x-forwarded-proto", scheme)]


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ('UPDATE "cards" SET v=? WHERE card_id=? AND v=?', ("dynamodb:PartiQLUpdate", "table/cards")),
        ("insert into decisions value {'id': ?}", ("dynamodb:PartiQLInsert", "table/decisions")),
        ('DELETE FROM "a-b.c" WHERE id=?', ("dynamodb:PartiQLDelete", "table/a-b.c")),
        ('SELECT a, b FROM "t"."by-time" WHERE x=?', ("dynamodb:PartiQLSelect", "table/t/index/by-time")),
        ("nonsense", ("dynamodb:PartiQLSelect", None)),
    ],
)
def test_partiql_is_checked_as_on_aws(statement: str, check: tuple[str, str | None]) -> None:
    body = json.dumps({"Statements": [{"Statement": statement}] * 2}).encode()
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:{check[1]}" if check[1] else "*"
    assert partiql.checks("dynamodb:BatchExecuteStatement", body, REGION, ACCOUNT) == [(check[0], arn)]
    assert partiql.checks("dynamodb:GetItem", body, REGION, ACCOUNT) == []
