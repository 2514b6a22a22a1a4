"""Plain Python values <-> DynamoDB's typed JSON.

Plain: str, int, float, bool, None, bytes, list, dict, and a frozenset of str that is not empty.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

Item = dict[str, Any]


class Attribute(msgspec.Struct, gc=False):
    """DynamoDB's typed JSON; exactly one field is set."""

    S: str | msgspec.UnsetType = msgspec.UNSET
    N: str | msgspec.UnsetType = msgspec.UNSET
    B: bytes | msgspec.UnsetType = msgspec.UNSET
    BOOL: bool | msgspec.UnsetType = msgspec.UNSET
    NULL: bool | msgspec.UnsetType = msgspec.UNSET
    SS: list[str] | msgspec.UnsetType = msgspec.UNSET
    L: "list[Attribute] | msgspec.UnsetType" = msgspec.UNSET
    M: "dict[str, Attribute] | msgspec.UnsetType" = msgspec.UNSET


def encoded(item: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values -> DynamoDB's typed JSON, None left out at the top level."""
    return {name: typed(value) for name, value in item.items() if value is not None}


def decoded(attributes: dict[str, Attribute]) -> Item:
    """DynamoDB's typed JSON -> plain values."""
    return {name: _plain(attribute) for name, attribute in attributes.items()}


def decoded_image(image: dict[str, Any]) -> Item:
    """The NewImage of a stream event as Lambda gives it (JSON objects) -> plain values."""
    return decoded(msgspec.convert(image, dict[str, Attribute]))


def typed(value: Any) -> dict[str, Any]:  # noqa: PLR0911 - one for each type
    match value:
        case bytes():
            return {"B": value}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | float():
            return {"N": repr(value)}
        case frozenset():
            return {"SS": sorted(value)}
        case list() | tuple():
            return {"L": [typed(each) for each in value]}
        case dict():
            return {"M": encoded(value)}
        case None:
            return {"NULL": True}
    raise TypeError(f"DynamoDB holds no {type(value).__name__}")


def _plain(attribute: Attribute) -> Any:  # noqa: PLR0911 - one for each type
    if attribute.S is not msgspec.UNSET:
        return attribute.S
    if attribute.B is not msgspec.UNSET:
        return attribute.B
    if attribute.N is not msgspec.UNSET:
        number = attribute.N
        return int(number) if number.lstrip("-").isdigit() else float(number)
    if attribute.BOOL is not msgspec.UNSET:
        return attribute.BOOL
    if attribute.L is not msgspec.UNSET:
        return [_plain(each) for each in attribute.L]
    if attribute.M is not msgspec.UNSET:
        return decoded(attribute.M)
    if attribute.SS is not msgspec.UNSET:
        return frozenset(attribute.SS)
    return None
