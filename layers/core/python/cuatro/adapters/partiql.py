"""Items and conditions -> conditional PartiQL statements, values always as parameters; and what became of them."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

import msgspec

from cuatro.adapters.attributes import Attribute, Item, decoded, typed


class Statement(msgspec.Struct, frozen=True, gc=False):
    """One conditional write: PartiQL with a ? for each parameter."""

    text: str
    parameters: Sequence[Any]


class Written(msgspec.Struct, frozen=True, gc=False):
    """What became of a statement. `conflict`: its condition did not hold; `item` is then what was there, if known.

    `failed`: DynamoDB's code of what may succeed later.
    """

    status: Literal["done", "conflict", "failed"]
    item: Item | None = None
    code: str = ""


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


def request(statement: Statement) -> dict[str, Any]:
    """For BatchExecuteStatement."""
    return {
        "Statement": statement.text,
        "Parameters": [typed(value) for value in statement.parameters],
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def executed(answer: bytes) -> list[Written]:
    """BatchExecuteStatement's answer, in the order of the statements."""
    return [_result(each.Error) for each in _EXECUTED.decode(answer).Responses]


class _Failure(msgspec.Struct):
    Code: str = ""
    Message: str = ""
    Item: dict[str, Attribute] | None = None


class _Response(msgspec.Struct):
    Error: _Failure | None = None


class _Executed(msgspec.Struct):
    Responses: list[_Response]


_EXECUTED = msgspec.json.Decoder(_Executed)
_DONE = Written("done")


def _result(failure: _Failure | None) -> Written:
    if failure is None:
        return _DONE
    if failure.Code in {"ConditionalCheckFailed", "DuplicateItem"}:
        return Written("conflict", decoded(failure.Item) if failure.Item else None)
    return Written("failed", code=failure.Code or failure.Message)
