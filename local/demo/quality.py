"""Decisions + the truth -> precision and recall of what was stopped, AP and ROC AUC of the scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from local.demo.decisions import Decision
from local.feed.transactions import Feed


@dataclass(frozen=True)
class Quality:
    """Over `decided` transactions after the warm-up; None where it is not defined (no fraud, or nothing stopped)."""

    decided: int
    frauds: int
    stopped: int
    caught: int
    precision: float | None
    recall: float | None
    money_recall: float | None
    average_precision: float | None
    roc_auc: float | None


def measure(feeds: Sequence[Feed], decisions: Mapping[str, Decision], since: datetime) -> Quality:
    """Compare what was decided about labelled transactions from `since` on; stopped = sent to review or declined."""
    pairs = [
        (item, decisions[item.transaction_id])
        for item in feeds
        if item.fraud is not None and item.transaction_id in decisions and (when := item.time) and when >= since
    ]
    frauds = [item for item, _ in pairs if item.fraud]
    stopped = [item for item, decision in pairs if decision.alerted]
    caught = [item for item in stopped if item.fraud]
    average_precision = roc_auc = None
    if frauds and len(frauds) < len(pairs):
        from sklearn.metrics import average_precision_score, roc_auc_score  # noqa: PLC0415 - takes a second

        truth, scores = [item.fraud for item, _ in pairs], [decision.score for _, decision in pairs]
        average_precision = float(average_precision_score(truth, scores))
        roc_auc = float(roc_auc_score(truth, scores))
    return Quality(
        decided=len(pairs),
        frauds=len(frauds),
        stopped=len(stopped),
        caught=len(caught),
        precision=_share(len(caught), len(stopped)),
        recall=_share(len(caught), len(frauds)),
        money_recall=_share(_amount(caught), _amount(frauds)),
        average_precision=average_precision,
        roc_auc=roc_auc,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest-rank percentile of at least one value; share in 0..1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _amount(feeds: Sequence[Feed]) -> float:
    return sum(amount for item in feeds if isinstance(amount := (item.fields or {}).get("amount"), int))
