"""Avro schema of a dataset, as JSON -> its fields, and rows that are held against them; broken ones are refused.

Personalize's rules: a record of the types string, int, long, float, double, boolean and null, fields that each type of
dataset must have, names that are its own (USER_ID, ITEM_ID, TIMESTAMP, EVENT_TYPE, EVENT_VALUE, ...).
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local.aws.service import Input, Operation, Output, Service
from local.personalize import resources
from local.personalize.errors import InvalidInput
from local.personalize.resources import DATASET, SCHEMA

TYPES = {"string", "int", "long", "float", "double", "boolean", "null"}
REQUIRED = {
    "INTERACTIONS": {"USER_ID": {"string"}, "ITEM_ID": {"string"}, "TIMESTAMP": {"long"}},
    "ITEMS": {"ITEM_ID": {"string"}},
    "USERS": {"USER_ID": {"string"}},
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z\d_]*")
_INT = range(-(2**31), 2**31)
_LONG = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Field:
    """A column: its types, the null among them where it may be empty."""

    name: str
    types: frozenset[str]

    @property
    def optional(self) -> bool:
        """Whether a row may have none."""
        return "null" in self.types

    def fits(self, text: str) -> bool:
        """Whether a CSV's cell is a value of the field."""
        if text == "":
            return self.optional or self.types == {"string"}
        return any(_FITS[kind](text) for kind in self.types if kind != "null")


Fields = dict[str, Field]


def fields(text: str) -> Fields:
    """Fields of an Avro schema, in its order. Raises InvalidInputException."""
    try:
        schema = json.loads(text)
        listed = [(each["name"], each["type"]) for each in schema["fields"]]
        kind, name = schema["type"], schema["name"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidInput("Schema is not a valid Avro record schema: type, name and fields are expected.") from error
    if kind != "record" or not isinstance(name, str) or not listed:
        raise InvalidInput("Schema must be an Avro record with a name and at least one field.")
    found: Fields = {}
    for field, types in listed:
        if not isinstance(field, str) or not _NAME.fullmatch(field) or field in found:
            raise InvalidInput(f"Field {field!r} of the schema has no valid name of its own.")
        options = types if isinstance(types, list) else [types]
        if not options or not all(isinstance(option, str) and option in TYPES for option in options):
            raise InvalidInput(f"Field {field} has the type {types}: allowed are {', '.join(sorted(TYPES))}.")
        found[field] = Field(field, frozenset(options))
    return found


def suited(columns: Fields, dataset_type: str) -> None:
    """Raises InvalidInputException when a dataset of that type cannot have such a schema."""
    for name, types in REQUIRED[dataset_type].items():
        if name not in columns or not columns[name].types <= types | {"null"}:
            raise InvalidInput(f"A schema of {dataset_type} needs the field {name} of type {'/'.join(types)}.")
    if dataset_type != "INTERACTIONS" and len(columns) < 2:
        raise InvalidInput(f"A schema of {dataset_type} needs at least one field besides its id.")


def wrong(columns: Fields, row: Mapping[str, str]) -> str | None:
    """Name of the first field that a row of texts breaks; None for a good row."""
    return next((name for name, field in columns.items() if not field.fits(row.get(name) or "")), None)


def create(service: Service, given: Input) -> Output:
    """CreateSchema."""
    if "domain" in given:
        raise InvalidInput("Domain dataset groups are not served by the local platform, only by AWS.")
    columns = fields(given["schema"])
    if not any(REQUIRED[kind].keys() <= columns.keys() for kind in REQUIRED):
        raise InvalidInput("The schema fits no type of dataset: USER_ID, ITEM_ID and TIMESTAMP are missing.")
    arn = service.arn("schema", given["name"])
    resources.create(service, SCHEMA, arn, {"name": given["name"], "schema": given["schema"]}, given)
    return {"schemaArn": arn}


def delete(service: Service, given: Input) -> Output:
    """DeleteSchema."""
    resources.remove(service, SCHEMA, given["schemaArn"], {DATASET: "schemaArn"})
    return {}


def of(service: Service, arn: str) -> Fields:
    """Fields of a stored schema. Raises ResourceNotFoundException."""
    return fields(resources.find(service, SCHEMA, arn)["schema"])


def _number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _whole(text: str, within: range) -> bool:
    try:
        return int(text) in within
    except ValueError:
        return False


_FITS: dict[str, Callable[[str], bool]] = {
    "string": lambda _: True,
    "int": lambda text: _whole(text, _INT),
    "long": lambda text: _whole(text, _LONG),
    "float": _number,
    "double": _number,
    "boolean": lambda text: text.lower() in ("true", "false"),
}

OPERATIONS: dict[str, Operation] = {
    "CreateSchema": create, "DeleteSchema": delete, **resources.operations(SCHEMA),
}  # fmt: skip
