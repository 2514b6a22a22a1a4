"""Every AWS call of this process -> moto, through one wire on which tests count calls and cause faults.

moto's BatchExecuteStatement ignores conditions; the one here has DynamoDB's semantics for the statements that we use.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import botocore.retries.standard
import moto
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.core.utils import method_names_from_class
from moto.dynamodb.models import DynamoDBBackend

from cuatro.adapters import aws

_methods = cache(method_names_from_class)


@dataclass
class _Fault:
    operation: str
    times: int
    action: Callable[[AWSPreparedRequest], AWSResponse | None] | None = None
    edit: Callable[[Any], Any] | None = None
    edit_text: Callable[[str], str] | None = None
    lost: bool = False


class Wire:
    """calls counts operations. Faults are used up in the order in which they were set."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._faults: list[_Fault] = []
        self._throttled: Counter[str] = Counter()
        self._lock = threading.RLock()
        self.doubles: dict[str, Callable[[AWSPreparedRequest], tuple[int, str]]] = {}
        """What moto lacks: the first label of a service's host -> status and JSON of an answer."""
        self._stubber = BotocoreStubber()

    def down(self, operation: str, times: int = 1_000) -> None:
        """The connection breaks."""
        self._faults.append(_Fault(operation, times, self._broken))

    def refuse(self, operation: str, code: str, times: int = 1_000, status: int = 400) -> None:
        """An error answer."""
        body = json.dumps({"__type": f"com.amazonaws#{code}", "message": "test"})
        if operation in {"Publish", "PublishBatch"}:
            body = f"<ErrorResponse><Error><Code>{code}</Code><Message>test</Message></Error></ErrorResponse>"
        self._faults.append(_Fault(operation, times, lambda request: _response(request, status, body)))

    def lose_answer(self, operation: str, times: int = 1) -> None:
        """The service does it, and the connection breaks before it answers."""
        self._faults.append(_Fault(operation, times, lost=True))

    def edit(self, operation: str, change: Callable[[Any], Any], times: int = 1) -> None:
        """The service does it; its JSON answer is changed."""
        self._faults.append(_Fault(operation, times, edit=change))

    def edit_text(self, operation: str, change: Callable[[str], str], times: int = 1) -> None:
        """The same for an answer that is not JSON."""
        self._faults.append(_Fault(operation, times, edit_text=change))

    def first(self, operation: str, action: Callable[[], None], times: int = 1) -> None:
        """Something happens just before the service gets the call."""
        self._faults.append(_Fault(operation, times, lambda _request: action()))

    def throttle(self, key: str, times: int) -> None:
        """Statements about the item of this key, whatever its table, are not executed."""
        self._throttled[key] = times

    def execute(self, backend: DynamoDBBackend, statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """BatchExecuteStatement."""
        assert 1 <= len(statements) <= 25
        answers = []
        for each in statements:
            keys = [key for key in self._throttled if {"S": key} in each["Parameters"] and self._throttled[key]]
            for key in keys:
                self._throttled[key] -= 1
            error = {"Error": {"Code": "ThrottlingError", "Message": "test"}}
            answers.append(error if keys else _execute(backend, each))
        return answers

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """No faults within."""
        faults, self._faults = self._faults, []
        yield
        self._faults = faults

    def repair(self) -> None:
        """No more faults."""
        self._faults.clear()
        self._throttled.clear()

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """In place of URLLib3Session.send."""
        with self._lock:
            operation = _operation(request)
            self.calls[operation] += 1
            fault = next((each for each in self._faults if each.operation == operation and each.times), None)
            if fault:
                fault.times -= 1
                if fault.action and (answer := fault.action(request)) is not None:
                    return answer
            status, headers, body = self._processed(request)
            if fault and fault.lost:
                self._broken(request)
            if fault and fault.edit:
                headers, body = {}, json.dumps(fault.edit(json.loads(body)))
            if fault and fault.edit_text:
                headers, body = {}, fault.edit_text(body)
            return AWSResponse(request.url, status, headers, MockRawResponse(body))

    def _processed(self, request: AWSPreparedRequest) -> tuple[int, Any, str]:
        host = urlsplit(request.url).hostname or ""
        double = self.doubles.get(host.partition(".")[0])
        if double is None:
            answer: tuple[int, Any, str] = self._stubber.process_request(request)
            return answer
        status, body = double(request)
        return status, {}, body

    @staticmethod
    def _broken(request: AWSPreparedRequest) -> AWSResponse:
        raise ConnectionClosedError(endpoint_url=request.url)


def _response(request: AWSPreparedRequest, status: int, body: str) -> AWSResponse:
    return AWSResponse(request.url, status, {}, MockRawResponse(body))


def _operation(request: AWSPreparedRequest) -> str:
    target = request.headers.get("X-Amz-Target")
    if target:
        return (target if isinstance(target, str) else target.decode()).rpartition(".")[2]
    if request.method == "POST" and request.body:
        body = request.body.decode(errors="replace") if isinstance(request.body, bytes) else request.body
        return parse_qs(body).get("Action", ["POST"])[0]
    return {"PUT": "PutObject", "GET": "GetObject"}.get(request.method, request.method)


_INSERT = re.compile(r"""INSERT INTO "([^"]+)" VALUE \{(.*)\}$""")
_UPDATE = re.compile(r"""UPDATE "([^"]+)" (SET .*) WHERE (.*)$""")


def _execute(backend: DynamoDBBackend, statement: dict[str, Any]) -> dict[str, Any]:
    text, parameters = statement["Statement"], list(statement["Parameters"])
    if insert := _INSERT.match(text):
        table = insert.group(1)
        item = dict(zip(re.findall(r"'(\w+)': \?", insert.group(2)), parameters, strict=True))
        if _stored(backend, table, item) is not None:
            return {"Error": {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"}}
        backend.put_item(table, item)
        return {"TableName": table}
    update = _UPDATE.match(text)
    assert update, text
    table = update.group(1)
    names = re.findall(r'SET "(\w+)"=\?', update.group(2))
    conditions = dict(zip(re.findall(r'"(\w+)"=\?', update.group(3)), parameters[len(names) :], strict=True))
    item = _stored(backend, table, conditions)
    if item is None or any(item.get(name) != value for name, value in conditions.items()):
        error = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
        if item and statement.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
            error["Item"] = item
        return {"Error": error, "TableName": table}
    backend.put_item(table, {**item, **dict(zip(names, parameters, strict=False))})
    return {"TableName": table}


def _stored(backend: DynamoDBBackend, table: str, attributes: dict[str, Any]) -> dict[str, Any] | None:
    key = backend.get_table(table).hash_key_attr
    found = backend.get_item(table, {key: attributes[key]})
    return found.to_json()["Attributes"] if found else None


@contextmanager
def wired() -> Iterator[Wire]:
    """AWS in memory for as long as the block runs; retries do not wait."""
    wire = Wire()
    with (
        moto.mock_aws(),
        mock.patch("moto.core.models.botocore_stubber.enabled", False),
        mock.patch.object(URLLib3Session, "send", lambda _session, request: wire.send(request)),
        mock.patch.object(
            DynamoDBBackend,
            "batch_execute_statement",
            lambda backend, each: wire.execute(backend, each),  # noqa: PLW0108
        ),
        # A class has the same methods at every request; moto looks each time.
        mock.patch("moto.core.responses.method_names_from_class", _methods),
        mock.patch.object(aws, "_BASE_DELAY_S", 0),
        mock.patch.object(botocore.retries.standard.ExponentialBackoff, "delay_amount", return_value=0),
    ):
        yield wire
