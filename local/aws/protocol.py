"""HTTP request -> (client, operation, input) and output or error -> HTTP answer, by botocore's service models.

The models tell how AWS's own clients speak: control planes by X-Amz-Target and JSON, most runtimes by path, headers and
body. So an operation is known, parsed and answered here without a line about it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, StructureShape

from local.aws.errors import AwsError
from local.aws.shapes import from_header, parsed, shaped


@dataclass(frozen=True)
class Request:
    """An HTTP request. raw_path as it was sent (percent-encoded), headers with lower-case names."""

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Call:
    """An operation of one of the clients, and how its request's path names resources."""

    client: str
    operation: OperationModel
    path: Mapping[str, str]

    @property
    def name(self) -> str:
        """AWS's name of the operation."""
        return str(self.operation.name)

    @property
    def by_path(self) -> bool:
        """Whether the operation is called by its path (REST), not by X-Amz-Target."""
        return by_path(self.client)


@dataclass(frozen=True)
class Protocol:
    """What the clients of one service say.

    partly_modelled: errors that some operations have; the others tell the same as a ValidationException, as AWS does.
    """

    clients: tuple[str, ...]
    partly_modelled: frozenset[str] = frozenset()

    def find(self, request: Request) -> Call:
        """The operation that a request calls. Raises UnknownOperationException."""
        target = request.headers.get("x-amz-target", "")
        if target:
            prefix, _, name = target.partition(".")
            for client in self.clients:
                if not by_path(client) and model(client).metadata["targetPrefix"] == prefix:
                    if name in model(client).operation_names:
                        return Call(client, model(client).operation_model(name), {})
                    break
        for method, pattern, client, name in self._routes if not target else ():
            found = pattern.fullmatch(request.raw_path)
            if found and method == request.method:
                path = {key: unquote(value) for key, value in found.groupdict().items()}
                return Call(client, model(client).operation_model(name), path)
        raise AwsError("UnknownOperationException", "The requested operation is not recognized by the service.")

    def failure(self, call: Call | None, error: AwsError) -> Answer:
        """The answer that tells an error."""
        code = error.code
        modelled = {shape.name: shape for shape in call.operation.error_shapes} if call else {}
        if code in self.partly_modelled - modelled.keys():
            code = "ValidationException"
        if code == "ValidationException" and code not in modelled and "ValidationError" in modelled:
            code = "ValidationError"
        spelled = "Message" if code in modelled and "Message" in modelled[code].members else "message"
        body = {"__type": code, spelled: error.message, **error.members}
        content_type = _content_type(call) if call else "application/x-amz-json-1.1"
        return Answer(error.status, {"Content-Type": content_type, "x-amzn-ErrorType": code}, json.dumps(body).encode())

    @cached_property
    def _routes(self) -> tuple[tuple[str, re.Pattern[str], str, str], ...]:
        """(method, path, client, operation) of the clients that call by path."""
        found = []
        for client in filter(by_path, self.clients):
            for name in model(client).operation_names:
                http = model(client).operation_model(name).http
                pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(http["requestUri"]))
                found.append((http["method"], re.compile(pattern), client, name))
        return tuple(found)


@cache
def model(client: str) -> ServiceModel:
    """botocore's description of a client's service."""
    return ServiceModel(Loader().load_service_model(client, "service-2"), client)


def by_path(client: str) -> bool:
    """Whether a client's operations are called by their paths."""
    return str(model(client).metadata["protocol"]) == "rest-json"


def read(call: Call, request: Request) -> dict[str, Any]:
    """The operation's input. Raises SerializationException for a body that cannot be read or holds wrong types."""
    shape = call.operation.input_shape
    if shape is None:
        return {}
    if not call.by_path:
        return dict(parsed(shape, _json(request.body), ""))
    found = _located(shape, call.path, request)
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name == "blob":
        found[payload] = request.body
    elif payload and request.body:
        found[payload] = parsed(shape.members[payload], _json(request.body), payload)
    elif request.body:
        found |= parsed(shape, _json(request.body), "")
    return found


def answer(call: Call, output: Mapping[str, Any]) -> Answer:
    """The answer with an operation's output: unknown members dropped, required ones there, times as the model says.

    Raises ValueError for an output that is not what the model promises.
    """
    shape = call.operation.output_shape
    status = int(call.operation.http.get("responseCode", 200))
    if shape is None:
        return Answer(status, {"Content-Type": _content_type(call)}, b"{}" if call.by_path else b"")
    members = shaped(shape, output, call.name)
    headers = {"Content-Type": _content_type(call)}
    body = {}
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        if wire not in members:
            continue
        location = member.serialization.get("location")
        if location == "header":
            headers[wire] = str(members[wire])
        elif location == "statusCode":
            status = int(members[wire])
        elif location is None:
            body[wire] = members[wire]
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name == "blob":
        headers.setdefault("Content-Type", "application/octet-stream")
        return Answer(status, headers, bytes(output.get(payload) or b""))
    return Answer(status, headers, json.dumps(body).encode())


def _located(shape: StructureShape, path: Mapping[str, str], request: Request) -> dict[str, Any]:
    """Members that stand in the path, the query or the headers."""
    query = parse_qs(request.query, keep_blank_values=True)
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                found[name] = from_header(member, path[wire], name)
            case "querystring" if wire in query:
                values = query[wire]
                found[name] = values if member.type_name == "list" else from_header(member, values[0], name)
            case "header" if wire.lower() in request.headers:
                found[name] = from_header(member, request.headers[wire.lower()], name)
    return found


def _json(body: bytes) -> Any:
    try:
        found = json.loads(body or b"{}")
        if b"\\ud" in body.lower():  # half of a character cannot be stored anywhere
            json.dumps(found, ensure_ascii=False).encode()
    except ValueError as error:
        raise AwsError("SerializationException", f"The body is not JSON: {error}") from error
    return found


def _content_type(call: Call) -> str:
    return "application/json" if call.by_path else "application/x-amz-json-1.1"
