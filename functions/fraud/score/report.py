"""What became of a batch -> metrics once a batch, one log line a batch and one for each rejection and alert."""

from collections import Counter
from collections.abc import Mapping, Sequence

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.rejections import Rejection
from cuatro.records import report_latencies, report_rejected
from functions.fraud.outbox import DecidedTransaction
from functions.fraud.score.batch import Result

_OUTCOME_METRICS = {"approve": "Approved", "review": "Reviewed", "decline": "Declined"}


def decisions(metrics: Metrics, result: Result) -> Counter[str]:
    """Metrics of decisions, for the stream and the API alike; returns the number of each outcome."""
    outcomes: Counter[str] = Counter(each.outcome for each in result.decided)
    metrics.add_metric("TransactionsScored", MetricUnit.Count, len(result.decided))
    if result.decided:
        for outcome, name in _OUTCOME_METRICS.items():
            metrics.add_metric(name, MetricUnit.Count, outcomes[outcome])
        report_latencies(metrics, "EventToDecision", [each.latency_ms for each in result.decided])
    if any(each.shadow for each in result.decided):
        disagreements = sum(each.shadow is not None and each.shadow.outcome != each.outcome for each in result.decided)
        metrics.add_metric("ShadowDisagreements", MetricUnit.Count, disagreements)
    if result.conflicts:
        metrics.add_metric("StateConflicts", MetricUnit.Count, result.conflicts)
    return outcomes


def batch(  # noqa: PLR0913, PLR0917 - the whole story of a batch
    logger: Logger,
    metrics: Metrics,
    result: Result,
    rejected: Sequence[Rejection],
    failed: Mapping[int, str],
    records: int,
    seconds: float,
) -> None:
    """Tell everything once."""
    outcomes = decisions(metrics, result)
    # A transaction that came by the API was decided there; its copy on the stream is no duplicate.
    duplicates = sum(each.channel != "api" for each in result.duplicates)
    if duplicates:
        metrics.add_metric("Duplicates", MetricUnit.Count, duplicates)
    report_rejected(logger, metrics, rejected)
    for decision in result.decided:
        if decision.outcome != "approve":
            alert(logger, decision)
    logger.info(
        "batch",
        records=records,
        decided=len(result.decided),
        outcomes=dict(outcomes),
        duplicates=len(result.duplicates),
        rejected=len(rejected),
        failed=len(failed),
        why=sorted(set(failed.values()))[:3],
        conflicts=result.conflicts,
        ms=round(seconds * 1000, 1),
    )


def alert(logger: Logger, decision: DecidedTransaction) -> None:
    """One line for what is not approved."""
    logger.info(
        decision.outcome,
        transaction_id=decision.transaction_id,
        card_id=decision.card_id,
        score=round(decision.score, 4),
        rules=list(decision.rules),
        model_version=decision.model_version,
        correlation_id=decision.correlation_id,
    )
