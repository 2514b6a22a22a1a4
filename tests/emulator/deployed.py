"""One pipeline of the deployed suite as a test sees it: put, call, read tables, logs and queues."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from local.platform.client import Connection
from local.platform.process import ROOT, Platform
from local.replay.stream import put
from tests.waiting import eventually

Item = dict[str, Any]


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def name(prefix: str) -> str:
    """An identifier that no other test has."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; body is decoded JSON, or text where it is none."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Deployed:
    """Connection to the platform, outputs of its stack and of the platform's. key: what records are put by."""

    platform: Platform
    connection: Connection
    outputs: dict[str, str]
    key: str
    began_ms: int = field(default_factory=lambda: int(time.time() * 1000))

    def client(self, service: str) -> Any:
        """boto3 client of the platform, by localstack-client; one of each."""
        if service not in self._clients:
            self._clients[service] = self.connection.client(service)
        return self._clients[service]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def put(self, *records: Item | bytes, key: str | None = None) -> None:
        """Records to the stream: as JSON by their key, bytes as they are."""
        rows = [
            (key or "bytes", record)
            if isinstance(record, bytes)
            else (key or str(record.get(self.key, "none")), json.dumps(record).encode())
            for record in records
        ]
        put(self.client("kinesis"), self.outputs["StreamName"], rows)

    def item(self, table: str, **key: str) -> Item | None:
        """One item as Python values, by the output that names its table; None if there is none."""
        answer = self.client("dynamodb").get_item(
            TableName=self.outputs[table], Key={k: {"S": v} for k, v in key.items()}, ConsistentRead=True
        )
        item = answer.get("Item")
        return {k: _plain(v) for k, v in item.items()} if item else None

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        signed: bool = True,
        keys: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The HTTP API; body as JSON unless it is bytes. keys: credentials other than the connection's."""
        url = self.connection.api_url(self.outputs["ApiUrl"]).rstrip("/") + path
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = AWSRequest(method, url, data=data, headers={"Content-Type": "application/json", **(headers or {})})
        if signed:
            credentials = keys or self.connection.credentials()
            SigV4Auth(credentials, "execute-api", self.connection.region).add_auth(request)
        sent = urllib.request.Request(url, data, dict(request.headers), method=method)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(sent, timeout=60) as response:  # noqa: S310
                return Answer(response.status, _decoded(response.read()), dict(response.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _decoded(error.read()), dict(error.headers))

    def logs(self, function: str, containing: str = "") -> list[str]:
        """Log lines of a function (by its output) since the session began, oldest first."""
        pages = self.client("logs").get_paginator("filter_log_events")
        group = f"/aws/lambda/{self.outputs[function]}"
        lines = [
            event["message"].rstrip()
            for page in pages.paginate(logGroupName=self._log_group(function, group), startTime=self.began_ms)
            for event in page["events"]
        ]
        return [line for line in lines if containing in line]

    def _log_group(self, function: str, otherwise: str) -> str:
        configuration = self.client("lambda").get_function_configuration(FunctionName=self.outputs[function])
        return str(configuration.get("LoggingConfig", {}).get("LogGroup") or otherwise)

    def cuatro(self, *arguments: str, given: str = "") -> str:
        """The command line, as a person would run it against this platform; its output. given: its standard input."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        done = subprocess.run(
            [sys.executable, "-m", "local.cli.main", *arguments],
            cwd=ROOT,
            env=kept | {"AWS_ENDPOINT_URL": self.platform.endpoint, "COLUMNS": "200", "NO_COLOR": "1"},
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def queue(self, prefix: str) -> "Queue":
        """A new queue that SNS and the bus may write to."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=name(prefix))["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = [
            {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sqs:SendMessage",
             "Resource": arn}
            for service in ("sns", "events")
        ]  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return Queue(sqs, url, arn)


@dataclass
class Queue:
    """Messages of a queue, kept as they come so that several questions can be asked."""

    sqs: Any
    url: str
    arn: str
    seen: list[Any] = field(default_factory=list)

    def messages(self) -> list[Any]:
        """All bodies so far, as JSON."""
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                self.seen.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return self.seen

    def first(self, wanted: Callable[[Any], bool], what: str) -> Any:
        """The first message for which `wanted` holds, once it is there."""
        return eventually(lambda: next((m for m in self.messages() if wanted(m)), None), what)


def _plain(value: Any) -> Any:
    found = TypeDeserializer().deserialize(value)
    if isinstance(found, Decimal):
        return float(found)
    return bytes(found.value) if isinstance(found, Binary) else found


def _decoded(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.decode(errors="replace")
