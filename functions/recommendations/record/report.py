"""What became of a batch -> metrics once a batch, one log line a batch and one for each rejection."""

from collections.abc import Mapping, Sequence

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.rejections import Rejection
from cuatro.records import report_latencies, report_rejected
from functions.recommendations.record.batch import Result


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
    metrics.add_metric("InteractionsRecorded", MetricUnit.Count, result.recorded)
    if result.latencies_ms:
        report_latencies(metrics, "EventToProfile", result.latencies_ms)
    for name, count in (("Duplicates", result.duplicates), ("ProfileConflicts", result.conflicts)):
        if count:
            metrics.add_metric(name, MetricUnit.Count, count)
    report_rejected(logger, metrics, rejected)
    logger.info(
        "batch",
        records=records,
        recorded=result.recorded,
        profiles=result.profiles,
        duplicates=result.duplicates,
        rejected=len(rejected),
        failed=len(failed),
        why=sorted(set(failed.values()))[:3],
        conflicts=result.conflicts,
        ms=round(seconds * 1000, 1),
    )
