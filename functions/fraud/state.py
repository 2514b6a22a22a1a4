"""Ids of cards and terminals -> their stored states, and back by compare-and-set on a version.

A card's write carries its new decisions (the outbox), so a state without its decisions, or the reverse, cannot exist.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from cuatro.adapters.attributes import Item
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.partiql import Statement, Written, change, insertion


class Stored(NamedTuple):
    """What is stored for a card or terminal. version 0: nothing is. history: packed. blocked: why, cards only."""

    history: bytes | None = None
    version: int = 0
    blocked: str | None = None


class Write(NamedTuple):
    """A new state in place of the one read. expires: unix seconds, None = never. outbox: packed, cards only."""

    key: str
    before: Stored
    history: bytes
    expires: int | None
    outbox: bytes | None = None


class Answers(NamedTuple):
    """What became of writes, by key: somebody was first (what is there now; None = read it), or it failed (why)."""

    conflicts: dict[str, Stored | None]
    failed: dict[str, str]


class Reads(NamedTuple):
    """States by key; a key that could not be read is absent."""

    cards: dict[str, Stored]
    terminals: dict[str, Stored]


class State(Protocol):
    """Where the states are. Raises Unavailable when nothing can be read."""

    def read(self, cards: Collection[str], terminals: Collection[str]) -> Reads: ...
    def write_cards(self, writes: Sequence[Write]) -> Answers: ...
    def write_terminals(self, writes: Sequence[Write]) -> Answers: ...


class Table(NamedTuple):
    """A table of states: s = history, v = version, x = expiry, and for cards d = outbox, b = block."""

    name: str
    key: str
    names: tuple[str, ...]

    @classmethod
    def cards(cls, name: str) -> "Table":
        return cls(name, "card_id", ("card_id", "s", "v", "b"))

    @classmethod
    def terminals(cls, name: str) -> "Table":
        return cls(name, "terminal_id", ("terminal_id", "s", "v"))


class DynamoState:
    """The two tables."""

    def __init__(self, dynamo: Dynamo, cards_table: str, terminals_table: str) -> None:
        self._dynamo = dynamo
        self._cards, self._terminals = Table.cards(cards_table), Table.terminals(terminals_table)

    def read(self, cards: Collection[str], terminals: Collection[str]) -> Reads:
        """One read for each distinct key, 100 keys a call."""
        return Reads(*read(self._dynamo, [(self._cards, cards), (self._terminals, terminals)]))

    def write_cards(self, writes: Sequence[Write]) -> Answers:
        """One conditional write for each card, 25 a call."""
        return write(self._dynamo, self._cards, writes)

    def write_terminals(self, writes: Sequence[Write]) -> Answers:
        """One conditional write for each terminal, 25 a call."""
        return write(self._dynamo, self._terminals, writes)


def read(dynamo: Dynamo, wanted: Sequence[tuple[Table, Collection[str]]]) -> list[dict[str, Stored]]:
    """For each table its states by key; a key that stayed throttled is absent. Raises Unavailable."""
    found = dynamo.read({table.name: Keys(table.key, keys, table.names) for table, keys in wanted})
    return [
        {
            key: _state(found[table.name].items[key]) if key in found[table.name].items else _NOTHING
            for key in keys
            if key not in found[table.name].unread
        }
        for table, keys in wanted
    ]


def write(dynamo: Dynamo, table: Table, writes: Sequence[Write]) -> Answers:
    """Compare-and-set of each state by itself."""
    answers = Answers({}, {})
    for each, written in zip(writes, dynamo.write([_statement(table, each) for each in writes]), strict=True):
        if written.status == "failed":
            answers.failed[each.key] = written.code
        elif written.status == "conflict" and not _own(each, written):
            answers.conflicts[each.key] = None if written.item is None else _state(written.item)
    return answers


def _statement(table: Table, write: Write) -> Statement:
    values: Item = {"s": write.history, "v": write.before.version + 1}
    if write.outbox is not None:
        values["d"] = write.outbox
    if write.expires is not None:
        values["x"] = write.expires
    if write.before.version:
        return change(table.name, values, {table.key: write.key, "v": write.before.version})
    return insertion(table.name, {table.key: write.key, **values})


def _own(write: Write, written: Written) -> bool:
    """Is the conflict with this very write, done by an attempt whose answer was lost?"""
    item = written.item
    return (
        item is not None
        and item.get("v") == write.before.version + 1
        and item.get("d") == write.outbox
        and (item.get("s") == write.history)
    )


def _state(item: Item) -> Stored:
    return Stored(item.get("s"), item["v"], item.get("b"))


_NOTHING = Stored()
