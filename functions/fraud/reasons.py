"""Decisions -> reasons in plain words: what rules said, then what pushed the score."""

from collections.abc import Sequence

import numpy as np

from cuatro.currencies import formatted
from functions.fraud.decide import CARD_BLOCKED, HARD_LIMIT, TOO_MANY
from functions.fraud.explain import explain
from functions.fraud.outbox import DecidedTransaction
from functions.fraud.scoring import Scoring


def reasons_of(decisions: Sequence[DecidedTransaction], models: Sequence[Scoring]) -> list[list[str]]:
    """For each decision its reasons, the decisive first; none for what is approved.

    The model whose version made a decision explains it; where none of them did, the first one, the live model, does.
    """
    explainers = {model.version: model for model in reversed(models)}
    alerts: dict[str, list[DecidedTransaction]] = {}
    for each in decisions:
        if each.outcome != "approve":
            alerts.setdefault(explainers.get(each.model_version, models[0]).version, []).append(each)
    texts: dict[str, list[str]] = {}
    for version, own in alerts.items():
        pushed = explain(np.stack([np.frombuffer(each.features, "<f4") for each in own]), explainers[version])
        for each, found in zip(own, pushed, strict=True):
            texts[each.transaction_id] = [f"{reason.text} (+{reason.push:.2f})" for reason in found]
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
