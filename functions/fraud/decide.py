"""Score, amount, velocity, block -> approve, review or decline, with the rules that said so.

Thresholds and rules come from configuration (POLICY, JSON), thresholds of 0 from the model's metadata.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from cuatro.errors import Rejected
from cuatro.events import Outcome

CARD_BLOCKED = "card_blocked"
HARD_LIMIT = "hard_limit"
TOO_MANY = "too_many_in_1h"
SCORE_DECLINE = "score_decline"
SCORE_REVIEW = "score_review"


class Thresholds(NamedTuple):
    """Scores from which a transaction is reviewed or declined."""

    review: float
    decline: float


@dataclass(frozen=True)
class Policy:
    """Scores are probabilities, amounts minor units of base_currency; 0 switches a limit off.

    rates: one minor unit of a currency -> minor units of the base currency. The base currency needs no entry.
    """

    review_at: float = 0.0
    decline_at: float = 0.0
    hard_limit: int = 0
    max_1h_count: int = 0
    base_currency: str = "EUR"
    rates: Mapping[str, float] = field(default_factory=dict)
    block_on_decline: bool = False

    @classmethod
    def from_json(cls, text: str) -> "Policy":
        """Raises msgspec.ValidationError, which names the field."""
        return msgspec.json.decode(text, type=cls)

    def in_base(self, amount: int, currency: str) -> int:
        """Minor units of `currency` -> minor units of the base currency. Raises Rejected for one without a rate."""
        if currency == self.base_currency:
            return amount
        rate = self.rates.get(currency)
        if rate is None:
            raise Rejected(f"{currency} has no rate to {self.base_currency} in the policy", "currency", "no_rate")
        return round(amount * rate)

    def thresholds(self, of_model: Mapping[str, float]) -> Thresholds:
        """The policy's thresholds, or the model's where the policy has none. Raises ValueError if there are none."""
        review, decline = self.review_at or of_model.get("review"), self.decline_at or of_model.get("decline")
        if review is None or decline is None or review > decline:
            raise ValueError(f"no usable thresholds: review at {review}, decline at {decline}")
        return Thresholds(review, decline)


def decide(  # noqa: PLR0913, PLR0917 - what a decision depends on
    policy: Policy, thresholds: Thresholds, score: float, amount: int, count_1h: float, blocked: bool
) -> tuple[Outcome, tuple[str, ...]]:
    """The outcome and every rule that holds, the decisive one first.

    amount: base minor units; count_1h: the card's transactions in the hour before this one.
    """
    declines = []
    if blocked:
        declines.append(CARD_BLOCKED)
    if policy.hard_limit and amount > policy.hard_limit:
        declines.append(HARD_LIMIT)
    if score >= thresholds.decline:
        declines.append(SCORE_DECLINE)
    reviews = []
    if policy.max_1h_count and count_1h >= policy.max_1h_count:
        reviews.append(TOO_MANY)
    if thresholds.review <= score < thresholds.decline:
        reviews.append(SCORE_REVIEW)
    outcome: Outcome = "decline" if declines else "review" if reviews else "approve"
    return outcome, (*declines, *reviews)
