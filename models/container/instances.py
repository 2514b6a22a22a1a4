"""A body of instances, {"instances": [...]} or JSON Lines -> checked instances; what is wrong names its instance."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from cuatro.errors import Rejected

T = TypeVar("T")
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
Check = Callable[[bytes | msgspec.Raw, str], T]
"""(an instance's bytes, where it stands, in words) -> the instance. Raises Rejected."""


class _Instances(msgspec.Struct):
    instances: list[msgspec.Raw]


def from_json(body: bytes, check: Check[T], example: str) -> list[T]:
    """example: an instance as a caller should write it. Raises Rejected."""
    try:
        several = msgspec.json.decode(body, type=_Instances).instances
    except UNREADABLE as error:
        raise Rejected(f'not {{"instances": [{example}, ...]}}: {error}') from None
    return [check(one, f"instance {number}") for number, one in enumerate(several, 1)]


def from_lines(body: bytes, check: Check[T]) -> list[T]:
    """Blank lines are passed over. Raises Rejected."""
    lines = enumerate(body.splitlines(), 1)
    return [check(line, f"line {number}") for number, line in lines if line.strip()]
