"""An API carries bytes both ways, asks its authorizer, and refuses what AWS refuses: too large, or by nobody known."""

import base64
import hashlib
import http.client
import json
import ssl
from collections.abc import Callable

import pytest

from local.platform.process import Platform
from tests.local.apis import Api, rest_api
from tests.local.conftest import Function

BINARY = ["multipart/related", "application/dicom"]
TYPE = 'multipart/related; type="application/dicom"; boundary=b'
HANDLER = """
import base64, hashlib, json
def handler(event, context):
    if event["path"] == "/broken":
        raise ValueError("the patient's name")
    if event["path"] == "/large":
        return {"statusCode": 200, "body": "x" * int(event["queryStringParameters"]["bytes"])}
    if event["path"] == "/bytes":
        body = base64.b64encode(bytes(range(256))).decode()
        of = {"Content-Type": "application/dicom"}
        return {"statusCode": 200, "isBase64Encoded": True, "body": body, "headers": of}
    body = event["body"] or ""
    data = base64.b64decode(body) if event["isBase64Encoded"] else body.encode()
    told = {"encoded": event["isBase64Encoded"], "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data),
            "authorizer": event["requestContext"].get("authorizer"), "type": event["headers"].get("content-type")}
    return {"statusCode": 202, "body": json.dumps(told)}
"""
AUTHORIZER = """
def handler(event, context):
    token = event["authorizationToken"]
    if token == "Bearer broken":
        raise RuntimeError("no secret")
    if token not in ("Bearer good", "Bearer denied"):
        raise Exception("Unauthorized")
    effect = "Allow" if token == "Bearer good" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "sender", "policyDocument": policy, "context": {"sender": "north"}}
"""


@pytest.fixture(scope="module")
def made(function: Callable[..., Function]) -> Function:
    return function(HANDLER, MemorySize=512)


@pytest.fixture(scope="module")
def api(bare: Platform, made: Function) -> Api:
    return rest_api(bare, made, binaryMediaTypes=BINARY)


@pytest.fixture(scope="module")
def guarded(bare: Platform, made: Function, function: Callable[..., Function]) -> Api:
    return rest_api(bare, made, function(AUTHORIZER), binaryMediaTypes=BINARY)


def test_bytes_come_as_they_were_sent(api: Api) -> None:
    data = bytes(range(256)) * 4000
    seen = api.call("/studies", data, Content_Type=TYPE).json
    assert seen == {"encoded": True, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "authorizer": None,
                    "type": TYPE}  # fmt: skip
    assert not api.call("/studies", b"{}", Content_Type="application/json").json["encoded"]


def test_a_body_in_chunks_is_a_body(api: Api) -> None:
    data = bytes(range(256)) * 100
    context = ssl.create_default_context(cafile=str(api.platform.authority))
    connection = http.client.HTTPSConnection("localhost", api.platform.secure_port, context=context, timeout=30)
    path = api.url("/studies", secure=True).partition(str(api.platform.secure_port))[2]
    chunks = (data[at : at + 1000] for at in range(0, len(data), 1000))
    connection.request(
        "POST", path, chunks, {"Content-Type": TYPE, "Transfer-Encoding": "chunked"}, encode_chunked=True
    )
    with connection.getresponse() as answer:
        assert json.load(answer)["sha256"] == hashlib.sha256(data).hexdigest()
    connection.close()


def test_bytes_go_out_to_whoever_accepts_them(api: Api) -> None:
    accepted = api.call("/bytes", Accept="application/dicom")
    assert accepted.body == bytes(range(256))
    assert accepted.headers["Content-Type"] == "application/dicom"
    assert base64.b64decode(api.call("/bytes", Accept="text/plain").body) == bytes(range(256))


def test_an_authorizer_lets_in_and_tells_who_it_is(guarded: Api) -> None:
    seen = guarded.call("/studies", b"x", Authorization="Bearer good", Content_Type=TYPE).json
    assert seen["authorizer"]["sender"] == "north"
    assert seen["authorizer"]["principalId"] == "sender"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Authorization": "Bearer other"}, 401), ({"Authorization": "Bearer denied"}, 403),
     ({"Authorization": "Bearer broken"}, 500)],
)  # fmt: skip
def test_an_authorizer_keeps_others_out(guarded: Api, headers: dict[str, str], status: int) -> None:
    answer = guarded.call("/studies", b"x", Content_Type=TYPE, **headers)
    assert (answer.status, b"secret" in answer.body) == (status, False)


@pytest.mark.parametrize(("size", "status"), [(4_600_000, 202), (4_800_000, 413), (10_500_000, 413)])
def test_a_request_is_as_large_as_lambda_takes_it(api: Api, size: int, status: int) -> None:
    answer = api.call("/studies", b"x" * size, Content_Type=TYPE)  # a third more in base64
    assert answer.status == status
    if status == 413:
        assert set(answer.json) == {"message"}
    assert api.call("/studies", b"still there", Content_Type=TYPE).status == 202


def test_a_response_is_as_large_as_lambda_gives_it(api: Api) -> None:
    assert len(api.call("/large?bytes=6000000").body) == 6_000_000
    refused = api.call("/large?bytes=6300000")
    assert (refused.status, refused.json) == (502, {"message": "Internal server error"})


def test_nobody_sees_what_a_function_raised(api: Api) -> None:
    answer = api.call("/broken")
    assert (answer.status, answer.json) == (502, {"message": "Internal server error"})
