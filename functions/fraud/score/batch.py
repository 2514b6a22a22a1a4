"""Arrivals -> read states -> fold -> score all at once -> decide -> write cards, then terminals: each decided once.

A card's state and its decisions commit in one write, so a transaction whose tag the card's history holds is decided.
Terminals follow: a crash in between leaves them behind, and the repeated delivery folds what they lack. Whoever loses
a compare-and-set decides again, from what is there then.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from cuatro.errors import Unavailable
from cuatro.events import Transaction
from functions.fraud.features import Frame
from functions.fraud.history import History
from functions.fraud.outbox import DecidedTransaction, encode
from functions.fraud.score.scorer import Arrival, Scorer
from functions.fraud.score.terminals import Terminals
from functions.fraud.state import Answers, Reads, State, Stored, Write

ROUNDS = 8
"""Rounds of compare-and-set before a transaction is given back to its stream."""
_CONTENDED = "too many concurrent writers"


@dataclass
class Result:
    """decided: now. duplicates: decided before. failed: position in the input -> why; to be delivered again.

    A position may be decided and failed: its terminal does not know of it yet.
    """

    decided: list[DecidedTransaction] = field(default_factory=list)
    duplicates: list[Transaction] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)
    conflicts: int = 0


def decide_all(
    arrivals: Sequence[Arrival],
    state: State,
    scorer: Scorer,
    clock: Callable[[], float],
    *,
    terminals_too: bool = True,
) -> Result:
    """Decide each transaction once. clock: unix seconds.

    terminals_too=False leaves the terminals to whoever sees the transactions on the stream.
    """
    batch = _Batch(arrivals, state, scorer, clock)
    batch.decide_cards()
    if terminals_too:
        batch.write_terminals()
    return batch.result


class _Batch:
    def __init__(self, arrivals: Sequence[Arrival], state: State, scorer: Scorer, clock: Callable[[], float]) -> None:
        self.arrivals, self.state, self.scorer, self.clock = arrivals, state, scorer, clock
        self.result = Result()
        self.cards: dict[str, Stored] = {}
        self.terminals = Terminals()
        self.done: list[int] = []  # positions whose card holds them, in order: decided now or before

    def decide_cards(self) -> None:
        """Rounds of read, decide, write; what lost a compare-and-set takes part in the next one."""
        waiting = list(range(len(self.arrivals)))
        for _ in range(ROUNDS):
            waiting = self._readable(waiting)
            if not waiting:
                return
            waiting = self._round(waiting)
        self._fail(waiting, _CONTENDED)

    def write_terminals(self) -> None:
        """Rounds of write and, for terminals that somebody else has written meanwhile, fold again."""
        for _ in range(ROUNDS):
            if not self.terminals.behind:
                return
            answers = self.terminals.write(self.state.write_terminals)
            self.result.conflicts += len(answers.conflicts)
            for terminal, why in answers.failed.items():
                self._fail(self._done_at(terminal), why)
            unknown = [terminal for terminal, stored in answers.conflicts.items() if stored is None]
            current, why = self._read((), unknown) if unknown else (Reads({}, {}), "")
            for terminal, stored in answers.conflicts.items():
                if stored := stored or current.terminals.get(terminal):
                    self.terminals.stored[terminal] = stored
                    self._refold(terminal)
                else:
                    self._fail(self._done_at(terminal), why)
        for terminal in self.terminals.behind:
            self._fail(self._done_at(terminal), _CONTENDED)

    def _readable(self, waiting: list[int]) -> list[int]:
        """Read the states that are not known yet; returns the positions whose states are known then."""
        transactions = [self.arrivals[position].transaction for position in waiting]
        cards = dict.fromkeys(each.card_id for each in transactions if each.card_id not in self.cards)
        stored = self.terminals.stored
        terminals = dict.fromkeys(each.terminal_id for each in transactions if each.terminal_id not in stored)
        if not cards and not terminals:
            return waiting
        found, why = self._read(cards, terminals)
        self.cards.update(found.cards)
        stored.update(found.terminals)
        readable: list[int] = []
        unreadable: list[int] = []
        for position, each in zip(waiting, transactions, strict=True):
            known = each.card_id in self.cards and each.terminal_id in stored
            (readable if known else unreadable).append(position)
        self._fail(unreadable, why)
        return readable

    def _read(self, cards: Collection[str], terminals: Collection[str]) -> tuple[Reads, str]:
        """What could be read, and why the rest could not."""
        try:
            return self.state.read(cards, terminals), "throttled"
        except Unavailable as error:
            return Reads({}, {}), str(error)

    def _round(self, waiting: list[int]) -> list[int]:
        """Fold, score, decide, write; returns the positions whose card somebody else has written meanwhile."""
        cards: dict[str, History] = {}
        frame = Frame()
        new: list[int] = []
        held: list[int] = []  # new ones and duplicates: all but the damaged
        for position in waiting:
            each = self.arrivals[position]
            transaction = each.transaction
            try:
                terminal = self.terminals.history(transaction.terminal_id)
                card = cards.get(transaction.card_id)
                if card is None:
                    card = cards[transaction.card_id] = History.unpack(self.cards[transaction.card_id].history)
            except ValueError as error:
                self._fail([position], f"damaged state: {error}")
                continue
            held.append(position)
            if each.tag not in card:
                new.append(position)
                frame.append(each.time, each.base_amount, card, terminal)
                card.add(each.tag, each.time, each.base_amount)
            self.terminals.fold(each)
        arrivals = [self.arrivals[position] for position in new]
        blocked = [self.cards[each.transaction.card_id].blocked is not None for each in arrivals]
        decisions = self.scorer.decisions(arrivals, blocked, frame.matrix(), self.clock()) if new else []
        answers = self._write_cards(decisions, cards)
        return self._settle(held, dict(zip(new, decisions, strict=True)), answers)

    def _write_cards(self, decisions: Iterable[DecidedTransaction], cards: dict[str, History]) -> Answers:
        outboxes: dict[str, list[DecidedTransaction]] = {}
        for decision in decisions:
            outboxes.setdefault(decision.card_id, []).append(decision)
        writes = []
        for key, outbox in outboxes.items():
            before, history = self.cards[key], cards[key]
            # The block of a card must not expire with its history.
            expires = None if before.blocked is not None else history.expires_at
            writes.append(Write(key, before, history.pack(), expires, encode(outbox)))
        return self.state.write_cards(writes) if writes else Answers({}, {})

    def _settle(self, held: list[int], decisions: dict[int, DecidedTransaction], answers: Answers) -> list[int]:
        """Note what became of each position; returns those to decide again."""
        again: list[int] = []
        stale: dict[str, None] = {}
        for position in held:
            transaction = self.arrivals[position].transaction
            if transaction.card_id in answers.conflicts:
                again.append(position)
            elif transaction.card_id in answers.failed:
                self._fail([position], answers.failed[transaction.card_id])
            else:
                self.done.append(position)
                if position in decisions:
                    self.result.decided.append(decisions[position])
                else:
                    self.result.duplicates.append(transaction)
                continue
            stale[transaction.terminal_id] = None
        self.result.conflicts += len(answers.conflicts)
        for key, stored in answers.conflicts.items():
            if stored is None:
                del self.cards[key]  # the next round reads it
            else:
                self.cards[key] = stored
        for terminal in stale:
            self._refold(terminal)
        return again

    def _refold(self, terminal: str) -> None:
        try:
            self.terminals.refold(terminal, [self.arrivals[position] for position in self._done_at(terminal)])
        except ValueError as error:
            self._fail(self._done_at(terminal), f"damaged state: {error}")

    def _done_at(self, terminal: str) -> list[int]:
        return [position for position in self.done if self.arrivals[position].transaction.terminal_id == terminal]

    def _fail(self, positions: Iterable[int], why: str) -> None:
        self.result.failed.update(dict.fromkeys(positions, why))
