"""Parameters of a definition and what a start assigns to them -> their values, typed; wrong ones are refused."""

import math
import re
from dataclasses import dataclass
from typing import Any

from local.aws.errors import ValidationException

NAME = re.compile(r"^[A-Za-z0-9\-_]{1,256}$")
TYPES: dict[str, type | tuple[type, ...]] = {"String": str, "Integer": int, "Float": (int, float), "Boolean": bool}
MOST = 200
_MEMBERS = {"Name", "Type", "Description", "DefaultValue", "EnumValues"}


@dataclass(frozen=True)
class Parameter:
    """A declared parameter; without a default each start must assign it."""

    name: str
    type: str
    default: Any = None
    allowed: tuple[Any, ...] = ()

    def read(self, text: str) -> Any:
        """The value that a start assigns, which comes as text. Raises ValidationException."""
        try:
            value = self._typed(text)
        except ValueError:
            raise ValidationException(
                f"Assigned value [{text}] for parameter [{self.name}] is not of type {self.type}."
            ) from None
        return self.checked(value)

    def checked(self, value: Any) -> Any:
        """The value, when it is one of the allowed ones."""
        if self.allowed and value not in self.allowed:
            listed = ", ".join(map(str, self.allowed))
            raise ValidationException(f"Value [{value}] of parameter [{self.name}] is not one of [{listed}].")
        return value

    def _typed(self, text: str) -> Any:
        if self.type == "Integer":
            return int(text)
        if self.type == "Float":
            number = float(text)
            if not math.isfinite(number):
                raise ValueError(text)
            return number
        if self.type == "Boolean":
            return {"true": True, "false": False}[text.lower()] if text.lower() in ("true", "false") else _refuse(text)
        return text


def declared(definitions: object) -> dict[str, Parameter]:
    """The `Parameters` of a definition. Raises ValidationException."""
    if not isinstance(definitions, list):
        raise ValidationException("Unable to parse pipeline definition. Parameters: expecting start of Json Array.")
    if len(definitions) > MOST:
        raise ValidationException(f"Unable to parse pipeline definition. More than {MOST} parameters.")
    found: dict[str, Parameter] = {}
    for definition in definitions:
        parameter = _parameter(definition)
        if parameter.name in found:
            raise ValidationException(f"Unable to parse pipeline definition. Duplicate parameter [{parameter.name}].")
        found[parameter.name] = parameter
    return found


def assigned(parameters: dict[str, Parameter], given: list[dict[str, str]]) -> dict[str, Any]:
    """Name -> value for an execution. Raises ValidationException for unknown, repeated, wrong and missing ones."""
    names = [pair["Name"] for pair in given]
    unknown = sorted(set(names) - set(parameters))
    if unknown:
        raise ValidationException(f"Parameters [{', '.join(unknown)}] are not defined in the pipeline.")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValidationException(f"Parameters [{', '.join(repeated)}] are assigned more than once.")
    values = {name: parameter.default for name, parameter in parameters.items() if parameter.default is not None}
    values |= {pair["Name"]: parameters[pair["Name"]].read(pair["Value"]) for pair in given}
    missing = [name for name in parameters if name not in values]
    if missing:
        raise ValidationException(
            f"Parameters [{', '.join(missing)}] do not have default values and were not assigned values."
        )
    return values


def _parameter(definition: Any) -> Parameter:
    name = definition.get("Name") if isinstance(definition, dict) else None
    if not isinstance(name, str) or not NAME.match(name):
        raise ValidationException(
            f"Unable to parse pipeline definition. Parameter without a valid Name: {definition!r}."
        )
    kind = definition.get("Type", "String")
    unknown = sorted(set(definition) - _MEMBERS)
    if not isinstance(kind, str) or kind not in TYPES or unknown:
        wrong = f"unknown members {unknown}" if unknown else f"Type [{kind}] is not one of {sorted(TYPES)}"
        raise ValidationException(f"Unable to parse pipeline definition. Parameter [{name}]: {wrong}.")
    allowed = definition.get("EnumValues") or []
    default = definition.get("DefaultValue")
    if not isinstance(allowed, list):
        raise ValidationException(
            f"Unable to parse pipeline definition. Parameter [{name}]: EnumValues: expecting start of Json Array."
        )
    for value in [*allowed, *([] if default is None else [default])]:
        if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "Boolean"):
            raise ValidationException(
                f"Unable to parse pipeline definition. Parameter [{name}]: {value!r} is not of type {kind}."
            )
    parameter = Parameter(name, kind, default, tuple(allowed))
    if default is not None:
        parameter.checked(default)
    return parameter


def _refuse(text: str) -> bool:
    raise ValueError(text)
