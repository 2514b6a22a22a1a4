"""AWS request -> answer from memory at once: objects that are put can be got, rows stand, messages are forgotten.

What is left of a call is the CPU that the caller itself spends on it, as with benchmarks.aws, which knows no objects.
"""

import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlsplit

import botocore.awsrequest
import botocore.httpsession
import msgspec

from benchmarks.imaging.workload import SECRET


class Store:
    """objects: content by bucket/key. rows: DynamoDB's items by table. `spent_ns` is the CPU that answering took."""

    def __init__(self, objects: dict[str, bytes], rows: dict[str, dict[str, Any]]) -> None:
        self.objects, self.rows = dict(objects), rows
        self.calls: Counter[str] = Counter()
        self.spent_ns = 0

    def answer(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        """Status, headers, body."""
        target = request.headers.get("X-Amz-Target")
        if target is None:
            return self._object(request)
        operation = (target if isinstance(target, str) else target.decode()).rpartition(".")[2]
        self.calls[operation] += 1
        body = self._json(operation, msgspec.json.decode(request.body))
        return 200, {"Content-Type": "application/x-amz-json-1.0"}, msgspec.json.encode(body)

    def _json(self, operation: str, body: Any) -> dict[str, Any]:
        if operation == "BatchGetItem":
            return {
                "Responses": {table: [self.rows[table]] for table in body["RequestItems"]},
                "UnprocessedKeys": {},
            }
        if operation == "BatchExecuteStatement":
            return {"Responses": [{} for _ in body["Statements"]]}
        if operation == "PutEvents":
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in body["Entries"]]}
        answers: dict[str, dict[str, Any]] = {
            "GetSecretValue": {"SecretString": SECRET},
            "SendMessage": {"MessageId": "m", "MD5OfMessageBody": ""},
        }
        return answers.get(operation, {})

    def _object(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(request.url)
        bucket, _, rest = str(parts.hostname).partition(".")
        key = unquote(parts.path).lstrip("/")
        place = f"{bucket}/{key}" if rest.startswith("s3") else key
        self.calls[{"PUT": "PutObject", "GET": "GetObject"}.get(request.method, request.method)] += 1
        if request.method == "PUT":
            self.objects[place] = _sent(request.body)
            return 200, {"ETag": '"e"'}, b""
        content = self.objects[place]
        span = request.headers.get("Range")
        if span:
            text = span if isinstance(span, str) else span.decode()
            content = content[: int(text.rpartition("-")[2]) + 1]
        return (206 if span else 200), {"ETag": '"e"', "Content-Type": "application/octet-stream"}, content


def _sent(body: Any) -> bytes:
    """What is put, without the frames that botocore sends it in (aws-chunked); they are made all the same."""
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    while body.read(1 << 20):
        pass
    raw = body._raw  # noqa: SLF001 - a touch point of the benchmarks alone
    raw.seek(0)
    content: bytes = raw.read()
    return content


class _Raw(BytesIO):
    """The part of urllib3's response that botocore reads."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


@contextmanager
def stubbed(store: Store) -> Iterator[None]:
    """Every botocore client of this process talks to `store`."""

    def send(_session: object, request: Any) -> botocore.awsrequest.AWSResponse:
        start = time.process_time_ns()
        status, headers, body = store.answer(request)
        told = {**headers, "Content-Length": str(len(body)), "x-amzn-RequestId": "r"}
        if "X-Amz-Target" in request.headers:
            told["x-amz-crc32"] = str(zlib.crc32(body))
        store.spent_ns += time.process_time_ns() - start
        return botocore.awsrequest.AWSResponse(request.url, status, told, _Raw(body))

    with mock.patch.object(botocore.httpsession.URLLib3Session, "send", send):
        yield
