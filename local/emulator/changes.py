"""PartiQL write -> a change in the table's stream, as for any other write.

MiniStack writes the item and tells nobody, so a function that reads the table's stream would never hear of it.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/emulator shows that they hold
from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb

Item = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Write = Callable[..., Answer]


def install() -> None:
    """Replace MiniStack's PartiQL writes by ones that also reach the stream."""
    dynamodb._partiql_insert = _insert(dynamodb._partiql_insert)
    dynamodb._partiql_update = _change(dynamodb._partiql_update)
    dynamodb._partiql_delete = _change(dynamodb._partiql_delete)


def _insert(write: Write) -> Write:
    def insert(table: Item, parsed: Item) -> Answer:
        answer = write(table, parsed)
        if answer[0] == 200:
            item = parsed["item"]
            dynamodb._emit_stream_event(parsed["table"], "INSERT", None, item["M"] if set(item) == {"M"} else item)
        return answer

    return insert


def _change(write: Write) -> Write:
    def change(table: Item, parsed: Item, data: Item | None = None) -> Answer:
        before = _item(table, parsed)
        answer = write(table, parsed, data)
        if answer[0] == 200 and before is not None:
            after = _item(table, parsed)
            dynamodb._emit_stream_event(parsed["table"], "REMOVE" if after is None else "MODIFY", before, after)
        return answer

    return change


def _item(table: Item, parsed: Item) -> Item | None:
    key, sort_key, _, error = dynamodb._partiql_key_target(table, parsed)
    found: Item | None = None if error else table["items"].get(key, {}).get(sort_key)
    return found
