"""States of cards and terminals in memory, with compare-and-set, and faults drawn from a source of chance."""

import random
from collections.abc import Collection, Sequence

from cuatro.errors import Unavailable
from functions.fraud.outbox import DecidedTransaction, decode
from functions.fraud.state import Answers, Reads, Stored, Write


class Crash(BaseException):
    """The process ends here."""


class States:
    """What DynamoState promises. `rates`: probability of each fault of each key or call."""

    def __init__(self, chance: random.Random | None = None, rate: float = 0.0) -> None:
        self.cards: dict[str, Stored] = {}
        self.terminals: dict[str, Stored] = {}
        self.decided: list[DecidedTransaction] = []  # what outboxes ever held, in order of commit
        self.chance, self.rate = chance or random.Random(0), rate

    def read(self, cards: Collection[str], terminals: Collection[str]) -> Reads:
        if self._fault():
            raise Unavailable("test")
        return Reads(
            {key: self.cards.get(key, Stored()) for key in cards if not self._fault()},
            {key: self.terminals.get(key, Stored()) for key in terminals if not self._fault()},
        )

    def write_cards(self, writes: Sequence[Write]) -> Answers:
        return self._write(self.cards, writes)

    def write_terminals(self, writes: Sequence[Write]) -> Answers:
        return self._write(self.terminals, writes)

    def _write(self, table: dict[str, Stored], writes: Sequence[Write]) -> Answers:
        answers = Answers({}, {})
        for write in writes:
            if self._fault():
                raise Crash
            now = table.get(write.key, Stored())
            if self._fault():
                answers.failed[write.key] = "throttled"
            elif now.version != write.before.version:
                answers.conflicts[write.key] = now if now.version % 2 else None
            else:
                table[write.key] = Stored(write.history, now.version + 1, now.blocked)
                if write.outbox is not None:
                    self.decided += decode(write.outbox)
                if self._fault():  # done, but the answer says otherwise
                    answers.failed[write.key] = "lost"
        return answers

    def _fault(self) -> bool:
        return self.rate > 0 and self.chance.random() < self.rate
