"""Ids of cards and terminals -> their stored states, and back by compare-and-set on a version.

A card's write carries its new decisions (the outbox), so a state without its decisions, or the reverse, cannot exist.
"""

from collections.abc import Collection, Sequence
from functools import cache
from typing import NamedTuple, Protocol

from cuatro.adapters.dynamodb import Dynamo, Item, Statement, Written


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


class DynamoState:
    """Two tables: cards(card_id, s, v, d, b, x) and terminals(terminal_id, s, v, x)."""

    def __init__(self, dynamo: Dynamo, cards_table: str, terminals_table: str) -> None:
        self._dynamo = dynamo
        self._cards = _Table(cards_table, "card_id")
        self._terminals = _Table(terminals_table, "terminal_id")

    def read(self, cards: Collection[str], terminals: Collection[str]) -> Reads:
        """One read for each distinct key, 100 keys a call."""
        one, two = self._cards, self._terminals
        answers = self._dynamo.read(
            {
                one.name: (one.key, cards, f"{one.key}, s, v, b"),
                two.name: (two.key, terminals, f"{two.key}, s, v"),
            }
        )
        return Reads(_stored(*answers[one.name], cards), _stored(*answers[two.name], terminals))

    def write_cards(self, writes: Sequence[Write]) -> Answers:
        """One conditional write for each card, 25 a call."""
        return self._write(self._cards, writes)

    def write_terminals(self, writes: Sequence[Write]) -> Answers:
        """One conditional write for each terminal, 25 a call."""
        return self._write(self._terminals, writes)

    def _write(self, table: "_Table", writes: Sequence[Write]) -> Answers:
        answers = Answers({}, {})
        for write, written in zip(writes, self._dynamo.write([table.statement(each) for each in writes]), strict=True):
            if written.status == "failed":
                answers.failed[write.key] = written.code
            elif written.status == "conflict" and not _own(write, written):
                answers.conflicts[write.key] = None if written.item is None else _state(written.item)
        return answers


class _Table(NamedTuple):
    name: str
    key: str

    def statement(self, write: Write) -> Statement:
        values: dict[str, str | int | bytes] = {"s": write.history, "v": write.before.version + 1}
        if write.outbox is not None:
            values["d"] = write.outbox
        if write.expires is not None:  # a blocked card never expires, or its block would expire with it
            values["x"] = write.expires
        if write.before.version:
            text = _update(self.name, self.key, tuple(values))
            return Statement(text, (*values.values(), write.key, write.before.version))
        return Statement(_insert(self.name, (self.key, *values)), (write.key, *values.values()))


@cache
def _update(table: str, key: str, names: tuple[str, ...]) -> str:
    return f'UPDATE "{table}" {" ".join(f"SET {name}=?" for name in names)} WHERE {key}=? AND v=?'


@cache
def _insert(table: str, names: tuple[str, ...]) -> str:
    return f"""INSERT INTO "{table}" VALUE {{{", ".join(f"'{name}': ?" for name in names)}}}"""


def _own(write: Write, written: Written) -> bool:
    """Is the conflict with this very write, done by an attempt whose answer was lost?"""
    item = written.item
    return (
        item is not None
        and item.get("v") == write.before.version + 1
        and item.get("d") == write.outbox
        and (item.get("s") == write.history)
    )


def _stored(items: dict[str, Item], unread: set[str], wanted: Collection[str]) -> dict[str, Stored]:
    return {key: _state(items[key]) if key in items else NOTHING for key in wanted if key not in unread}


def _state(item: Item) -> Stored:
    return Stored(item.get("s"), item["v"], item.get("b"))


NOTHING = Stored()
