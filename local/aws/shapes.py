"""JSON value <-> Python value of a botocore shape, and what of a value breaks the shape's constraints.

parsed: what came over the wire, SerializationException for a wrong type; problems: AWS's words for each broken
constraint; shaped: what goes over the wire, ValueError for what the model does not allow.
"""

import base64
import binascii
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.model import Shape
from botocore.utils import parse_timestamp

from local.aws.errors import AwsError, ValidationException

_JSON_NAMES = {str: "STRING_VALUE", bool: "TRUE_VALUE", int: "NUMBER_VALUE", float: "DECIMAL_VALUE"}
_JAVA = {"string": "String", "character": "String", "integer": "Integer", "long": "Long", "float": "Float",
         "double": "Double", "boolean": "Boolean"}  # fmt: skip
_SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,), "character": (str,), "integer": (int,), "long": (int,), "float": (int, float),
    "double": (int, float), "boolean": (bool,),
}  # fmt: skip

_LARGEST = {"integer": 2**31 - 1, "long": 2**63 - 1, "float": sys.float_info.max, "double": sys.float_info.max}


def parsed(shape: Shape, value: Any, path: str) -> Any:
    """A JSON value as Python, unknown members and nulls left out, times as unix seconds, blobs as bytes.

    Raises SerializationException as AWS does: "STRING_VALUE can not be converted to an Integer".
    """
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return value
    if kind == "structure":
        _expect(isinstance(value, dict), path, value)
        names = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        return {
            names[key][0]: parsed(names[key][1], inner, f"{path}.{key}")
            for key, inner in value.items()
            if key in names and inner is not None
        }
    if kind == "list":
        _expect(isinstance(value, list), path, value)
        return [parsed(shape.member, inner, f"{path}.{i}") for i, inner in enumerate(value)]
    if kind == "map":
        _expect(isinstance(value, dict), path, value)
        return {key: parsed(shape.value, inner, f"{path}.{key}") for key, inner in value.items() if inner is not None}
    return _parsed_scalar(kind, value, path)


def _parsed_scalar(kind: str, value: Any, path: str) -> Any:
    if kind == "timestamp":
        return _moment(value, path)
    if kind == "blob":
        try:
            return base64.b64decode(value, validate=True)
        except (TypeError, binascii.Error) as error:
            raise _wrong(path, value, "Blob") from error
    if not isinstance(value, _SCALARS[kind]) or (isinstance(value, bool) and kind != "boolean"):
        raise _wrong(path, value, _JAVA[kind])
    # NaN and Infinity, which Python takes for JSON, are within no bounds.
    if kind in _LARGEST and not -_LARGEST[kind] <= value <= _LARGEST[kind]:
        raise _wrong(path, value, _JAVA[kind])
    return value


def from_header(shape: Shape, text: str, path: str) -> Any:
    """A value that came as text in the path, the query or a header."""
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "timestamp":
            return parse_timestamp(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise _wrong(path, text, _JAVA.get(kind, "Date")) from error
    return text.lower() == "true" if kind == "boolean" else text


def validate(shape: Shape | None, value: dict[str, Any]) -> None:
    """Raises ValidationException with every broken constraint of an input, in AWS's words."""
    found = list(problems(shape, value, "")) if shape else []
    if found:
        many = "error" if len(found) == 1 else "errors"
        raise ValidationException(f"{len(found)} validation {many} detected: {'; '.join(found)}")


def problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Each broken constraint below a value that has the right types."""
    kind = shape.type_name
    if kind == "structure" and not getattr(shape, "is_document_type", False):
        for name in shape.required_members:
            if value.get(name) is None:
                yield f"Value null at '{_at(path, name)}' failed to satisfy constraint: Member must not be null"
        for name, inner in value.items():
            yield from problems(shape.members[name], inner, _at(path, name))
        return
    if kind == "list":
        for i, inner in enumerate(value, 1):
            yield from problems(shape.member, inner, f"{path}.{i}.member")
    if kind == "map":
        for key, inner in value.items():
            yield from problems(shape.key, key, f"{path}.key")
            yield from problems(shape.value, inner, f"{path}.{key}.member")
    for rule in _broken(shape, value):
        yield f"Value{_shown(value)} at '{path}' failed to satisfy constraint: Member must {rule}"


def shaped(shape: Shape, value: Any, path: str) -> Any:
    """A Python value as the wire has it; None and unknown members are left out.

    Raises ValueError when a required member is missing or a type is wrong: a mistake of ours, not of the caller.
    """
    kind = shape.type_name
    if kind == "structure" and not getattr(shape, "is_document_type", False):
        missing = [name for name in shape.required_members if value.get(name) is None]
        if missing:
            raise ValueError(f"{path} lacks {', '.join(missing)}")
        return {
            member.serialization.get("name", name): shaped(member, value[name], f"{path}.{name}")
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [shaped(shape.member, inner, f"{path}[{i}]") for i, inner in enumerate(value)]
    if kind == "map":
        return {key: shaped(shape.value, inner, f"{path}.{key}") for key, inner in value.items()}
    if kind == "timestamp":
        seconds = value.timestamp() if isinstance(value, datetime) else float(value)
        return round(seconds, 3)
    if kind == "blob":
        return base64.b64encode(value).decode()
    if kind in _SCALARS and not isinstance(value, _SCALARS[kind]):
        raise ValueError(f"{path} is {value!r}, not a {kind}")
    return value


def _broken(shape: Shape, value: Any) -> Iterator[str]:
    rules = shape.metadata
    if shape.type_name in ("string", "list", "map", "blob"):
        if "min" in rules and len(value) < rules["min"]:
            yield f"have length greater than or equal to {rules['min']}"
        if "max" in rules and len(value) > rules["max"]:
            yield f"have length less than or equal to {rules['max']}"
    elif shape.type_name in ("integer", "long", "float", "double"):
        if "min" in rules and value < rules["min"]:
            yield f"have value greater than or equal to {rules['min']}"
        if "max" in rules and value > rules["max"]:
            yield f"have value less than or equal to {rules['max']}"
    if shape.type_name == "string":
        if rules.get("enum") and value not in rules["enum"]:
            yield f"satisfy enum value set: [{', '.join(rules['enum'])}]"
        pattern = _pattern(rules["pattern"]) if "pattern" in rules else None
        if pattern and not pattern.fullmatch(value):
            yield f"satisfy regular expression pattern: {rules['pattern']}"


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """A model's pattern; None for one with classes that Python does not know, as \\p{L}: such are not checked."""
    try:
        return re.compile(text)
    except re.error:
        return None


def _moment(value: Any, path: str) -> float:
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            datetime.fromtimestamp(value, UTC)
            return float(value)
        return float(parse_timestamp(value).timestamp())
    except (TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        raise _wrong(path, value, "Date") from error


def _expect(fits: bool, path: str, value: Any) -> None:
    if not fits:
        kind = _JSON_NAMES.get(type(value), "START_ARRAY" if isinstance(value, list) else "START_OBJECT")
        raise AwsError("SerializationException", f"Unexpected token {kind} at {path.lstrip('.') or 'the body'}")


def _wrong(path: str, value: Any, java: str) -> AwsError:
    kind = _JSON_NAMES.get(type(value), "START_ARRAY" if isinstance(value, list) else "START_OBJECT")
    article = "an" if java[0] in "AEIOU" else "a"
    text = f"{kind} can not be converted to {article} {java} at {path.lstrip('.')}"
    return AwsError("SerializationException", text)


def _at(path: str, name: str) -> str:
    return f"{path}.{name[0].lower()}{name[1:]}" if path else f"{name[0].lower()}{name[1:]}"


def _shown(value: Any) -> str:
    if isinstance(value, bytes):  # a body is not shown
        return ""
    text = str(value)
    return f" '{text}'" if len(text) < 512 else f" '{text[:509]}...'"
