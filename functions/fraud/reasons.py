"""Decisions -> reasons in plain words: what rules said, then what pushed the score."""

from collections.abc import Sequence

import numpy as np

from cuatro.currencies import formatted
from functions.fraud.decide import CARD_BLOCKED, HARD_LIMIT, TOO_MANY
from functions.fraud.explain import explain
from functions.fraud.outbox import DecidedTransaction
from functions.fraud.scoring import Scoring


def reasons_of(decisions: Sequence[DecidedTransaction], model: Scoring) -> list[list[str]]:
    """For each decision its reasons, the decisive first; none for what is approved.

    A decision of another version of the model (it changed meanwhile) gets the score instead of this model's reasons.
    """
    alerts = [each for each in decisions if each.outcome != "approve"]
    own = [each for each in alerts if each.model_version == model.version]
    pushed = explain(np.stack([np.frombuffer(each.features, "<f4") for each in own]), model) if own else []
    texts = {
        each.transaction_id: [f"{reason.text} (+{reason.push:.2f})" for reason in found]
        for each, found in zip(own, pushed, strict=True)
    }
    return [
        [*_ruled(each), *(texts.get(each.transaction_id) or [f"the model's score is {each.score:.2f}"])]
        if each.outcome != "approve"
        else []
        for each in decisions
    ]


def _ruled(decision: DecidedTransaction) -> list[str]:
    words = {
        CARD_BLOCKED: "the card is blocked",
        HARD_LIMIT: f"{formatted(decision.amount, decision.currency)} is above the limit for one payment",
        TOO_MANY: "more payments within one hour than allowed",
    }
    return [words[rule] for rule in decision.rules if rule in words]
