"""Batches of transactions against states in memory: decided once each, from what was there."""

import random
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuatro.events import Transaction
from functions.fraud.decide import Policy
from functions.fraud.features import FEATURES
from functions.fraud.history import History
from functions.fraud.score import batch
from functions.fraud.score.batch import Result, decide_all
from functions.fraud.score.scorer import Arrival, Scorer
from functions.fraud.state import Stored
from tests.unit.states_in_memory import Crash, States

NOW = 1_790_000_000


class AmountModel:
    """Scores amount / 100 EUR."""

    version = "test"

    def __init__(self) -> None:
        self.thresholds = {"review": 0.5, "decline": 0.9}
        self.baseline = [0.0] * len(FEATURES)

    def score(self, matrix: np.ndarray) -> np.ndarray:
        return (matrix[:, FEATURES.index("amount")] / 100).clip(0, 1)


SCORER = Scorer(AmountModel(), Policy())


def arrival(number: int, card: str = "c-1", terminal: str = "s-1", amount: int = 1000) -> Arrival:
    transaction = Transaction(
        version=1, transaction_id=f"t-{number}", card_id=card, terminal_id=terminal, amount=amount, currency="EUR",
        time=datetime.fromtimestamp(NOW + number, UTC),
    )  # fmt: skip
    return SCORER.arrival(transaction, (NOW + number) * 1000)


def run(arrivals: list[Arrival], states: States) -> Result:
    return decide_all(arrivals, states, SCORER, lambda: NOW + 1000.0)


def transactions(states: dict[str, Stored]) -> dict[str, list[int]]:
    return {key: sorted(History.unpack(stored.history).tags) for key, stored in states.items()}


def test_a_batch_is_one_write_a_key_and_one_call_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    states, calls = States(), []
    score = AmountModel.score
    monkeypatch.setattr(AmountModel, "score", lambda self, matrix: (calls.append(len(matrix)), score(self, matrix))[1])
    result = run([arrival(n, f"c-{n % 3}", f"s-{n % 2}", 1010 * (n + 1)) for n in range(9)], states)
    assert calls == [9]
    assert [each.outcome for each in result.decided] == ["approve"] * 4 + ["review"] * 4 + ["decline"]
    assert {stored.version for stored in (*states.cards.values(), *states.terminals.values())} == {1}
    assert result.decided[0].latency_ms == 1_000_000
    assert sorted(states.decided, key=lambda each: each.time) == result.decided


def test_transactions_of_a_batch_see_those_before_them() -> None:
    states = States()
    count = FEATURES.index("card_count_1h")
    result = run([arrival(1), arrival(2), arrival(3, card="c-2")], states)
    seen = [np.frombuffer(each.features, "<f4")[count] for each in result.decided]
    assert seen == [0, 1, 0]


def test_the_same_batch_again_decides_nothing_and_writes_nothing() -> None:
    states = States()
    arrivals = [arrival(1), arrival(2), arrival(2)]
    assert len(run(arrivals, states).duplicates) == 1
    result = run(arrivals, states)
    assert (len(result.decided), len(result.duplicates), result.failed) == (0, 3, {})
    assert states.cards["c-1"].version == states.terminals["s-1"].version == 1


def test_without_terminals_too_the_terminal_is_only_read() -> None:
    states = States()
    decide_all([arrival(1)], states, SCORER, lambda: 0.0, terminals_too=False)
    assert states.terminals == {}
    run([arrival(1)], states)
    assert len(states.decided) == 1
    assert len(History.unpack(states.terminals["s-1"].history)) == 1


def test_a_blocked_card_keeps_its_block_and_has_no_expiry(monkeypatch: pytest.MonkeyPatch) -> None:
    states = States()
    states.cards["c-1"] = Stored(None, 1, "stolen")
    expiries = []
    write_cards = states.write_cards
    monkeypatch.setattr(
        states, "write_cards", lambda writes: (expiries.append(writes[0].expires), write_cards(writes))[1]
    )
    result = run([arrival(1)], states)
    assert (result.decided[0].rules, states.cards["c-1"].blocked, expiries) == (("card_blocked",), "stolen", [None])


@settings(max_examples=150, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 11), min_size=1, max_size=40),
    sizes=st.lists(st.integers(1, 8), min_size=1),
    seed=st.integers(0, 2**32),
)
def test_any_order_duplication_and_faults_end_in_the_same_decided_set(
    numbers: list[int], sizes: list[int], seed: int
) -> None:
    """Deliveries as Lambda makes them: repeated from the first failure, or whole after a crash, with two consumers."""
    chance = random.Random(seed)
    states = States(chance, rate=0.08)
    arrivals = [arrival(n, f"c-{n % 3}", f"s-{n % 4}") for n in numbers]
    batches = []
    while arrivals:
        size = sizes[len(batches) % len(sizes)]
        batches.append(arrivals[:size])
        arrivals = arrivals[size:]
    for deliveries in range(400):
        if not batches:
            break
        if deliveries > 300:
            states.rate = 0.0
        waiting = batches.pop(chance.randrange(len(batches)))
        try:
            failed = run(waiting, states).failed
        except Crash:
            failed = {0: "crash"}
        if failed:
            batches.append(waiting[min(failed) :])
    assert not batches
    ids = [each.transaction_id for each in states.decided]
    assert sorted(ids) == sorted({f"t-{n}" for n in numbers}), "each is decided exactly once"
    expected_cards: dict[str, set[int]] = {}
    expected_terminals: dict[str, set[int]] = {}
    for n in numbers:
        each = arrival(n, f"c-{n % 3}", f"s-{n % 4}")
        expected_cards.setdefault(each.transaction.card_id, set()).add(each.tag)
        expected_terminals.setdefault(each.transaction.terminal_id, set()).add(each.tag)
    assert transactions(states.cards) == {key: sorted(tags) for key, tags in expected_cards.items()}
    assert transactions(states.terminals) == {key: sorted(tags) for key, tags in expected_terminals.items()}


def test_endless_conflicts_give_the_transaction_back(monkeypatch: pytest.MonkeyPatch) -> None:
    states = States()
    write_cards = states.write_cards

    def contended(writes: list) -> object:
        for write in writes:
            if write.key == "c-1":
                states.cards["c-1"] = Stored(None, write.before.version + 1)
        return write_cards(writes)

    monkeypatch.setattr(states, "write_cards", contended)
    result = run([arrival(1), arrival(2, card="c-2")], states)
    assert list(result.failed) == [0]
    assert result.conflicts == batch.ROUNDS
    assert transactions(states.terminals) == {"s-1": [arrival(2).tag]}, "it does not count what is not decided"
