"""The lean way to AWS: endpoint, signature, retries, checksums."""

import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import EndpointConnectionError
from botocore.httpsession import URLLib3Session

from cuatro.adapters import aws
from cuatro.adapters.aws import ATTEMPTS, LeanService
from cuatro.errors import Refused, Unavailable

Answer = Callable[[AWSPreparedRequest], tuple[int, bytes, dict[str, str]]]


class Raw:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self) -> Iterator[bytes]:
        yield self.body


class Server:
    """In place of URLLib3Session.send; answers in order, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.requests = list(answers), []

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        status, body, headers = answer(request)
        return AWSResponse(request.url, status, headers, Raw(body))


def ok(body: bytes = b"{}", crc: int | None = None) -> Answer:
    return lambda _request: (200, body, {"x-amz-crc32": str(zlib.crc32(body) if crc is None else crc)})


def error(status: int, code: str) -> Answer:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "why"}).encode()
    return lambda _request: (status, body, {})


def broken(request: AWSPreparedRequest) -> tuple[int, bytes, dict[str, str]]:
    raise EndpointConnectionError(endpoint_url=request.url)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_PROFILE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(aws, "_BASE_DELAY_S", 0)
    _forget()
    yield
    _forget()


def _forget() -> None:
    for cached in (aws._session, aws._found_credentials, aws._client):
        cached.cache_clear()


def service() -> LeanService:
    return LeanService("dynamodb", "DynamoDB_20120810", "1.0")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Server]:
    def start(*answers: Answer) -> Server:
        server = Server(*answers)
        monkeypatch.setattr(URLLib3Session, "send", lambda _session, request: server.send(request))
        return server

    return start


@pytest.mark.parametrize(
    ("variables", "region", "url"),
    [
        ({}, "eu-west-1", "https://dynamodb.eu-west-1.amazonaws.com/"),
        ({}, "cn-north-1", "https://dynamodb.cn-north-1.amazonaws.com.cn/"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "eu-west-1", "http://127.0.0.1:4566/"),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:2/"},
            "eu-west-1", "http://127.0.0.1:2/",
        ),
    ],
)  # fmt: skip
def test_the_endpoint_is_botocore_s(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], region: str, url: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    server = serve(ok())
    service().call("ListTables", b"{}")
    assert server.requests[0].url == url


def test_requests_are_signed_for_service_region_and_session(serve: Callable[..., Server]) -> None:
    server = serve(ok())
    service().call("ListTables", b"{}")
    headers = server.requests[0].headers
    assert "/eu-west-1/dynamodb/aws4_request" in headers["Authorization"]
    assert "x-amz-target" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "token"
    assert headers["X-Amz-Target"] == "DynamoDB_20120810.ListTables"
    assert headers["Content-Type"] == "application/x-amz-json-1.0"


@pytest.mark.parametrize(
    "fault",
    [
        error(400, "ProvisionedThroughputExceededException"), error(400, "ThrottlingException"),
        error(500, "InternalServerError"),
        error(503, ""), error(429, "Whatever"), broken, ok(b"{}", crc=1), lambda _: (502, b"<html>bad gateway", {}),
    ],
)  # fmt: skip
def test_what_may_pass_is_tried_again_and_not_for_ever(serve: Callable[..., Server], fault: Answer) -> None:
    server = serve(fault, fault, ok(b'{"fine":1}'))
    assert service().call("GetItem", b"{}") == b'{"fine":1}'
    assert len(server.requests) == 3
    server = serve(fault)
    with pytest.raises(Unavailable, match="GetItem"):
        service().call("GetItem", b"{}")
    assert len(server.requests) == ATTEMPTS


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "ConditionalCheckFailedException"])
def test_a_refusal_is_not_tried_again(serve: Callable[..., Server], code: str) -> None:
    server = serve(error(400, code))
    with pytest.raises(Refused) as caught:
        service().call("GetItem", b"{}")
    assert (caught.value.code, len(server.requests)) == (code, 1)


def test_waits_grow_and_are_random(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(aws, "_BASE_DELAY_S", 0.05)
    monkeypatch.setattr(aws.random, "uniform", lambda _low, high: high)
    for attempt in (1, 2, 3, 10):
        aws.backoff(attempt, waits.append)
    assert waits == [0.1, 0.2, 0.4, 1.0]


def test_without_credentials_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(Unavailable, match="credentials"):
        service().call("GetItem", b"{}")
