"""Environment variables -> one frozen dataclass: each field is the variable of the same name in upper case."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


class Misconfigured(Exception):  # noqa: N818
    """A variable is missing or is not what its field's type says."""


def read(cls: type[T], environment: Mapping[str, str]) -> T:
    """Build `cls` (fields of type str, int or float). Raises Misconfigured, which names every variable at fault."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in fields(cls):  # type: ignore[arg-type]  # any dataclass
        name = field.name.upper()
        if name in environment:
            try:
                values[field.name] = _type(field)(environment[name])
            except ValueError:
                faults.append(f"{name}={environment[name]!r} is not of type {_type(field).__name__}")
        elif field.default is MISSING and field.default_factory is MISSING:
            faults.append(f"{name} is not set")
    if faults:
        raise Misconfigured("; ".join(faults))
    return cls(**values)


@cache
def settings(cls: type[T]) -> T:
    """`cls` from this process's environment, read once."""
    return read(cls, os.environ)


def _type(field: Field[Any]) -> type[Any]:
    if field.type not in {str, int, float}:
        raise TypeError(f"{field.name}: a setting is a str, int or float, not {field.type}")
    return field.type
