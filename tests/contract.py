"""Raw answers of the local services -> what in them botocore's service models do not allow.

botocore itself forgives: it drops unknown members, takes missing ones for absent and checks no value. A program in
another language would not, so here every member is looked at before botocore has parsed it.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import OperationModel, Shape

# Codes that any AWS service answers, besides those that its model lists for the operation.
COMMON = {
    "AccessDeniedException", "ExpiredTokenException", "IncompleteSignatureException", "InternalFailure",
    "InvalidSignatureException", "MissingAuthenticationTokenException", "SerializationException",
    "ServiceUnavailable", "ThrottlingException", "UnknownOperationException", "UnrecognizedClientException",
    "ValidationException", "ValidationError",
}  # fmt: skip
# Where the service models are wrong about what AWS answers: this one asks for an ARN of Personalize.
MISTAKEN = ("DescribeDatasetImportJob.datasetImportJob.roleArn is 'arn:aws:iam:",)
KNOWN_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "long": (int,), "float": (int, float), "double": (int, float),
    "boolean": (bool,), "timestamp": (int, float),
}  # fmt: skip


def broken(operation: OperationModel, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
    """Everything in an answer that the operation's model does not allow; empty when it is as AWS would answer."""
    if "x-amzn-RequestId" not in headers:
        return ["no x-amzn-RequestId"]
    if status >= 300:
        return list(_error(operation, headers, body))
    shape = operation.output_shape
    expected = operation.http.get("responseCode", 200)
    if status != expected:
        return [f"status {status}, not {expected}"]
    if shape is None:
        return [] if body in (b"", b"{}") else [f"a body where there is none: {body[:80]!r}"]
    payload = shape.serialization.get("payload")
    if payload:
        return list(_headers(shape, headers))
    found = [*_headers(shape, headers), *problems(shape, json.loads(body or b"{}"), operation.name)]
    return [problem for problem in found if not problem.startswith(MISTAKEN)]


def problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """What of a JSON value breaks its shape."""
    if getattr(shape, "is_document_type", False):
        return
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(shape, value, path)
    elif kind == "list":
        if not isinstance(value, list):
            yield f"{path} is {value!r}, not a list"
            return
        for i, inner in enumerate(value):
            yield from problems(shape.member, inner, f"{path}[{i}]")
        yield from _size(shape, value, path)
    elif kind == "map":
        if not isinstance(value, dict):
            yield f"{path} is {value!r}, not a map"
            return
        for key, inner in value.items():
            yield from problems(shape.key, key, f"{path} key")
            yield from problems(shape.value, inner, f"{path}.{key}")
        yield from _size(shape, value, path)
    else:
        yield from _scalar(shape, value, path)


def _structure(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is {value!r}, not a structure"
        return
    members = {
        member.serialization.get("name", name): (name, member)
        for name, member in shape.members.items()
        if not member.serialization.get("location")
    }
    for key, inner in value.items():
        if key not in members:
            yield f"{path}.{key} is not in the model"
        elif inner is None:
            yield f"{path}.{key} is null"
        else:
            yield from problems(members[key][1], inner, f"{path}.{key}")
    given = {members[key][0] for key in value if key in members}
    located = {name for name, member in shape.members.items() if member.serialization.get("location")}
    for name in set(shape.required_members) - given - located:
        yield f"{path}.{name} is required and missing"


def _scalar(shape: Shape, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "blob":
        try:
            base64.b64decode(value, validate=True)
        except (TypeError, binascii.Error):
            yield f"{path} is {value!r}, not base64"
        return
    if not isinstance(value, KNOWN_TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{path} is {value!r}, not a {kind}"
        return
    rules = shape.metadata
    if kind == "string":
        if rules.get("enum") and value not in rules["enum"]:
            yield f"{path} is {value!r}, not one of {rules['enum']}"
        pattern = _pattern(rules["pattern"]) if "pattern" in rules else None
        if pattern and not pattern.fullmatch(value):
            yield f"{path} is {value!r}, which does not match {rules['pattern']}"
        yield from _size(shape, value, path)
    elif kind in ("integer", "long", "float", "double") and not (
        rules.get("min", value) <= value <= rules.get("max", value)
    ):
        yield f"{path} is {value!r}, beyond its limits"


def _size(shape: Shape, value: Any, path: str) -> Iterator[str]:
    rules = shape.metadata
    if not rules.get("min", 0) <= len(value) <= rules.get("max", len(value)):
        yield f"{path} has length {len(value)}, beyond {rules.get('min')}..{rules.get('max')}"


def _headers(shape: Shape, headers: Mapping[str, str]) -> Iterator[str]:
    for name, member in shape.members.items():
        if member.serialization.get("location") == "header":
            value = headers.get(member.serialization.get("name", name))
            if value is None and name in shape.required_members:
                yield f"header {name} is required and missing"
            elif value is not None and member.type_name == "string":
                yield from _scalar(member, value, f"header {name}")


def _error(operation: OperationModel, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    told = json.loads(body)
    code = told.get("__type", "")
    modelled = {shape.name: shape for shape in operation.error_shapes}
    if code == "InternalFailure":
        yield f"{operation.name} failed by a mistake of the service: {told}"
    if code not in COMMON and code not in modelled:
        yield f"{operation.name} failed with {code!r}, which neither it nor every service has"
    if not (told.get("message") or told.get("Message")):
        yield f"{operation.name} failed with {code} and says no more: {told}"
    if code in modelled:
        rest = {key: value for key, value in told.items() if key not in ("__type", "message", "Message")}
        yield from (found for found in problems(modelled[code], rest, code) if "Message" not in found)


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """The pattern; None for one that Python's expressions cannot say."""
    try:
        return re.compile(text)
    except re.error:
        return None
