"""What became of a batch -> metrics once a batch, one log line a batch and one for each rejection; never a text."""

from collections import Counter
from collections.abc import Sequence

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.rejections import Rejection
from cuatro.events import milliseconds
from cuatro.records import report_latencies, report_rejected
from functions.sentiment.classify.batch import Result


def batch(logger: Logger, metrics: Metrics, result: Result, rejections: Sequence[Rejection], seconds: float) -> None:
    """Tell everything once."""
    fresh = [result.scored[at] for at in result.fresh]
    reviewed = result.judged.reviewed if result.judged else None
    counts = {
        "Duplicates": result.duplicates,
        "Reposts": sum(each.repost for each in fresh),
        "Unsure": sum(each.unsure for each in fresh),
        "SecondOpinions": reviewed.asked if reviewed else 0,
        "SecondOpinionsUnpaid": reviewed.unpaid if reviewed else 0,
        "SecondOpinionsUnanswered": reviewed.unanswered if reviewed else 0,
        "ShadowFailed": int(bool(result.judged and result.judged.problem)),
    }
    metrics.add_metric("PostsClassified", MetricUnit.Count, len(fresh))
    for name, count in counts.items():
        if count:
            metrics.add_metric(name, MetricUnit.Count, count)
    if reviewed and reviewed.spent_usd:
        metrics.add_metric("SecondOpinionCost", MetricUnit.NoUnit, reviewed.spent_usd)
    if fresh:
        metrics.add_metric("ClassifyLatency", MetricUnit.Milliseconds, seconds * 1000)
        waits = [max(0, milliseconds(each.classified_at) - milliseconds(each.collected_at)) for each in fresh]
        report_latencies(metrics, "PostToScored", waits)
    report_rejected(logger, metrics, rejections)
    logger.info(
        "batch",
        posts=len(fresh),
        labels=dict(Counter(each.label for each in fresh)),
        again=len(result.scored) - len(fresh),
        duplicates=result.duplicates,
        conflicts=result.conflicts,
        rejected=len(rejections),
        failed=len(result.failed),
        why=sorted(set(result.failed.values()))[:3],
        shadow=result.judged.problem if result.judged else "",
        second_opinion=reviewed.problem if reviewed else "",
        ms=round(seconds * 1000, 1),
    )
