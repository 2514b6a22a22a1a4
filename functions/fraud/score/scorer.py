"""Arrivals and their rows of features -> decisions: one call of the model for all rows, then the policy for each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cuatro.errors import ModelMismatch
from cuatro.events import Transaction, milliseconds
from functions.fraud.decide import Policy, decide
from functions.fraud.features import FEATURES
from functions.fraud.history import tag_of
from functions.fraud.outbox import DecidedTransaction, Shadow
from functions.fraud.scoring import Scoring

_COUNT_1H = FEATURES.index("card_count_1h")


class Arrival(NamedTuple):
    """A checked transaction as the domain counts it.

    base_amount: minor units of the base currency. time: unix seconds. arrived: unix milliseconds.
    """

    transaction: Transaction
    base_amount: int
    time: int
    tag: int
    arrived: int


@dataclass(frozen=True)
class Scorer:
    """What decides. The shadow model is scored and recorded, and never acts; shadow_failed hears why it did not."""

    model: Scoring
    policy: Policy
    shadow: Scoring | None = None
    shadow_failed: Callable[[Exception], None] = lambda _error: None

    def arrival(self, transaction: Transaction, arrived: int) -> Arrival:
        """Raises Rejected when the amount cannot be converted."""
        amount = self.policy.in_base(transaction.amount, transaction.currency)
        seconds = int(transaction.time.timestamp())
        return Arrival(transaction, amount, seconds, tag_of(transaction.transaction_id), arrived)

    def decisions(
        self, arrivals: Sequence[Arrival], blocked: Sequence[bool], matrix: NDArray[np.float32], now: float
    ) -> list[DecidedTransaction]:
        """One for each arrival and row; blocked: is the card? now: unix seconds."""
        if not arrivals:
            return []
        policy, decided_at = self.policy, int(now * 1000)
        scores = self.model.score(matrix).tolist()
        version, thresholds = self.model.version, policy.thresholds(self.model.thresholds)
        counts = matrix[:, _COUNT_1H].tolist()
        shadows = self._shadows(arrivals, blocked, matrix, counts)
        decisions = []
        for row, (transaction, base_amount, _, _, arrived) in enumerate(arrivals):
            score = scores[row]
            outcome, rules = decide(policy, thresholds, score, base_amount, counts[row], blocked[row])
            decisions.append(
                DecidedTransaction(
                    transaction_id=transaction.transaction_id,
                    card_id=transaction.card_id,
                    terminal_id=transaction.terminal_id,
                    merchant_id=transaction.merchant_id,
                    amount=transaction.amount,
                    currency=transaction.currency,
                    time=milliseconds(transaction.time),
                    channel=transaction.channel,
                    correlation_id=transaction.correlation_id or transaction.transaction_id,
                    outcome=outcome,
                    score=score,
                    rules=rules,
                    features=matrix[row].tobytes(),
                    model_version=version,
                    decided_at=decided_at,
                    latency_ms=max(0, decided_at - arrived),
                    shadow=shadows[row],
                )
            )
        return decisions

    def _shadows(
        self,
        arrivals: Sequence[Arrival],
        blocked: Sequence[bool],
        matrix: NDArray[np.float32],
        counts: Sequence[float],
    ) -> Sequence[Shadow | None]:
        if self.shadow is None:
            return [None] * len(arrivals)
        try:
            scores = self.shadow.score(matrix).tolist()
            thresholds = self.policy.thresholds(self.shadow.thresholds)
        except Exception as error:  # noqa: BLE001 - whatever it is: the shadow acts on nothing, and must stop nothing
            self.shadow_failed(error)
            return [None] * len(arrivals)
        if not all(map(isfinite, scores)):  # JSON has no other numbers: the lake's lines could not be read
            self.shadow_failed(ModelMismatch(f"scores of {self.shadow.version} are not finite"))
            return [None] * len(arrivals)
        return [
            Shadow(
                self.shadow.version,
                score,
                decide(self.policy, thresholds, score, each.base_amount, count, is_blocked)[0],
            )
            for each, is_blocked, score, count in zip(arrivals, blocked, scores, counts, strict=True)
        ]
