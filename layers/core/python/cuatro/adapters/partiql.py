"""Items and conditions -> conditional PartiQL statements, values always as parameters."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec


class Statement(msgspec.Struct, frozen=True, gc=False):
    """One conditional write: PartiQL with a ? for each parameter."""

    text: str
    parameters: Sequence[Any]


def insertion(table: str, item: Mapping[str, Any]) -> Statement:
    """Write a new item; a conflict if there is one with its key. None is left out."""
    item = {name: value for name, value in item.items() if value is not None}
    return Statement(_insert(table, tuple(item)), tuple(item.values()))


def change(table: str, values: Mapping[str, Any], where: Mapping[str, Any]) -> Statement:
    """Set attributes of the item whose key and other attributes equal `where`; a conflict if there is none."""
    return Statement(_update(table, tuple(values), tuple(where)), (*values.values(), *where.values()))


@cache
def _insert(table: str, names: tuple[str, ...]) -> str:
    return f"""INSERT INTO "{table}" VALUE {{{", ".join(f"'{name}': ?" for name in names)}}}"""


@cache
def _update(table: str, names: tuple[str, ...], conditions: tuple[str, ...]) -> str:
    # In quotes, since many a name is a reserved word.
    sets = " ".join(f'SET "{name}"=?' for name in names)
    where = " AND ".join(f'"{name}"=?' for name in conditions)
    return f'UPDATE "{table}" {sets} WHERE {where}'
