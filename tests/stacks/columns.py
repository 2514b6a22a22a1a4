"""A struct that functions write as JSON -> the columns that a table of the lake must have."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

ATOMS = {str: "string", int: "int", float: "double", bool: "boolean"}


def glue_type(kind: Any) -> str:
    """The Glue type of a Python type that msgspec encodes as JSON."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {types.UnionType, Union, Annotated}:
        return glue_type(next(each for each in arguments if each is not type(None)))
    if origin is Literal:
        return ATOMS[type(arguments[0])]
    if origin in {list, tuple}:
        return f"array<{glue_type(arguments[0])}>"
    if origin is dict:
        return f"map<{glue_type(arguments[0])},{glue_type(arguments[1])}>"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return f"struct<{','.join(f'{name}:{found}' for name, found in columns(kind).items())}>"
    return ATOMS.get(kind, "string")  # times and ids are text


def columns(struct: type[msgspec.Struct]) -> dict[str, str]:
    return {field.encode_name: glue_type(field.type) for field in msgspec.structs.fields(struct)}
