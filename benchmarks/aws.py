"""AWS request -> canned answer at once: what is left of a call is the CPU that the caller itself spends on it.

Reads find the seeded items, writes succeed and are forgotten, so every round meets the same state. The same answers
come in two ways: in place of botocore's HTTP session (`stubbed`), and from a loopback server for fresh processes
(`serving`).
"""

import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock
from urllib.parse import parse_qs

import botocore.awsrequest
import botocore.httpsession
import msgspec

Item = dict[str, dict[str, Any]]  # DynamoDB's typed JSON: {"card_id": {"S": "c1"}, ...}


class CannedAws:
    """DynamoDB, SNS, EventBridge, Kinesis, Firehose and S3 as far as the contestants call them.

    `calls` counts requests by service and operation; `spent_ns` is the CPU time that answering took, to be subtracted;
    while `keep` is set, request bodies are appended to `kept`.
    """

    def __init__(self, tables: dict[str, tuple[str, dict[str, Item]]]) -> None:
        """tables: name -> (name of the key attribute, key -> item)."""
        self.items = {
            table: (attribute, {key: msgspec.json.encode(item) for key, item in items.items()})
            for table, (attribute, items) in tables.items()
        }
        self.calls: Counter[str] = Counter()
        self.spent_ns = 0
        self.keep = False
        self.kept: list[tuple[str, Any]] = []

    def answer(self, method: str, headers: Any, body: bytes) -> tuple[str, bytes]:
        """Content type and body of the answer. Raises ValueError for a call that no contestant should make."""
        target = headers.get("X-Amz-Target")
        if target is None and method == "PUT":
            operation = "s3.PutObject"
        elif target is None:
            operation = "sns." + parse_qs(body.decode())["Action"][0]
        else:
            target = target if isinstance(target, str) else target.decode()
            service, _, name = target.partition(".")
            operation = f"{service.split('_')[0].lower()}.{name}"
        self.calls[operation] += 1
        if self.keep:
            self.kept.append((operation, msgspec.json.decode(body) if target else body))
        if operation.startswith("sns."):
            return "text/xml", self._sns(operation, body)
        if operation == "s3.PutObject":
            return "application/xml", b""
        return "application/x-amz-json-1.0", self._json(operation, body)

    def _json(self, operation: str, body: bytes) -> bytes:  # noqa: C901, PLR0911 - one for each operation
        match operation:
            case "dynamodb.GetItem":
                request = msgspec.json.decode(body)
                found = self._found(request["TableName"], request["Key"])
                return b'{"Item":%b}' % found if found else b"{}"
            case "dynamodb.BatchGetItem":
                answers = []
                for table, wanted in msgspec.json.decode(body)["RequestItems"].items():
                    found_all = filter(None, (self._found(table, key) for key in wanted["Keys"]))
                    answers.append(b'"%b":[%b]' % (table.encode(), b",".join(found_all)))
                return b'{"Responses":{%b},"UnprocessedKeys":{}}' % b",".join(answers)
            case "dynamodb.BatchExecuteStatement":
                return b'{"Responses":[%b]}' % b",".join([b"{}"] * body.count(b'"Statement":'))
            case "dynamodb.BatchWriteItem":
                return b'{"UnprocessedItems":{}}'
            case "dynamodb.PutItem" | "dynamodb.UpdateItem" | "dynamodb.TransactWriteItems":
                return b"{}"
            case "awsevents.PutEvents":
                ids = b",".join([b'{"EventId":"e"}'] * body.count(b'"DetailType":'))
                return b'{"FailedEntryCount":0,"Entries":[%b]}' % ids
            case "kinesis.PutRecords":
                ids = b",".join([b'{"SequenceNumber":"1","ShardId":"s"}'] * body.count(b'"PartitionKey":'))
                return b'{"FailedRecordCount":0,"Records":[%b]}' % ids
            case "firehose.PutRecord":
                return b'{"RecordId":"1"}'
            case "firehose.PutRecordBatch":
                ids = b",".join([b'{"RecordId":"1"}'] * body.count(b'"Data":'))
                return b'{"FailedPutCount":0,"RequestResponses":[%b]}' % ids
        raise ValueError(f"no canned answer for {operation}")

    def _found(self, table: str, key: Item) -> bytes | None:
        attribute, items = self.items[table]
        return items.get(key[attribute]["S"])

    @staticmethod
    def _sns(operation: str, body: bytes) -> bytes:
        name = operation.removeprefix("sns.")
        if name == "Publish":
            result = "<MessageId>m</MessageId>"
        else:
            ids = [value[0] for key, value in parse_qs(body.decode()).items() if key.endswith(".Id")]
            members = "".join(f"<member><Id>{one}</Id><MessageId>m</MessageId></member>" for one in ids)
            result = f"<Failed/><Successful>{members}</Successful>"
        meta = "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
        space = "http://sns.amazonaws.com/doc/2010-03-31/"
        return f'<{name}Response xmlns="{space}"><{name}Result>{result}</{name}Result>{meta}</{name}Response>'.encode()


class _Raw:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self) -> Iterator[bytes]:
        yield self.body


def _headers(kind: str, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": kind,
        "Content-Length": str(len(body)),
        "x-amzn-RequestId": "r",
        "x-amz-crc32": str(zlib.crc32(body)),  # DynamoDB sends it and botocore checks it
    }


@contextmanager
def stubbed(aws: CannedAws) -> Iterator[None]:
    """Every botocore client of this process talks to `aws`: it serialises, signs and parses, but nothing is sent."""

    def send(_session: object, request: Any) -> botocore.awsrequest.AWSResponse:
        start = time.process_time_ns()
        body = request.body or b""
        kind, answer = aws.answer(request.method, request.headers, body.encode() if isinstance(body, str) else body)
        headers = _headers(kind, answer)
        aws.spent_ns += time.process_time_ns() - start
        response = botocore.awsrequest.AWSResponse(request.url, 200, headers, _Raw(answer))
        _ = response.content  # as the real session does: read before it returns
        return response

    with mock.patch.object(botocore.httpsession.URLLib3Session, "send", send):
        yield


@contextmanager
def serving(aws: CannedAws) -> Iterator[str]:
    """A loopback HTTP server that gives the same answers; yields its address, for AWS_ENDPOINT_URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kind, answer = aws.answer(self.command, self.headers, body)
            self.send_response(200)
            for name, value in _headers(kind, answer).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        do_PUT = do_POST  # noqa: N815 - http.server's naming

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
