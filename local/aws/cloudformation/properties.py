"""CloudFormation's properties -> an operation's input: what a template says in text becomes the type that AWS wants."""

from collections.abc import Callable
from typing import Any

from botocore.model import Shape


def fitted(shape: Shape, value: Any, path: str) -> Any:
    """A property's value as the shape has it: "3" for an integer is 3, "true" for a boolean is True.

    Raises ValueError for a property that the operation does not know, as CloudFormation does.
    """
    kind = shape.type_name
    if kind == "structure":
        unknown = [name for name in value if name not in shape.members]
        if unknown:
            raise ValueError(f"extraneous key [{path}/{unknown[0]}] is not permitted, or not served here")
        return {name: fitted(shape.members[name], inner, f"{path}/{name}") for name, inner in value.items()}
    if kind == "list":
        return [fitted(shape.member, inner, f"{path}/{i}") for i, inner in enumerate(value)]
    if kind == "map":
        return {str(key): fitted(shape.value, inner, f"{path}/{key}") for key, inner in value.items()}
    return _SCALARS[kind](value) if kind in _SCALARS else value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "integer": int, "long": int, "float": float, "double": float, "string": _text,
    "boolean": lambda value: str(value).lower() == "true",
}  # fmt: skip
