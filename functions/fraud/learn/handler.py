"""Stream of the labels table -> terminals' risk, decisions and the lake, all labels at once; what failed -> again."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.dynamodb import dynamo
from cuatro.changes import changes, failures
from cuatro.config import settings
from cuatro.errors import Rejected, Unavailable
from functions.fraud.learn.fold import fold
from functions.fraud.learn.labels import StoredLabel, label_of
from functions.fraud.learn.settings import Settings

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Raises Unavailable when nothing could be done."""
    labels: list[StoredLabel] = []
    numbers: list[str] = []  # of the labels' records
    bad: dict[str, str] = {}
    for change in changes(event):
        if change.image is None:  # a label was deleted by hand; what it taught stays
            continue
        try:
            labels.append(label_of(change.image))
        except Rejected as rejected:
            bad[change.number] = rejected.reason
        else:
            numbers.append(change.number)
    lost = fold(labels, settings(Settings), dynamo())
    failed = bad | {numbers[position]: why for position, why in lost.items()}
    learned = len(labels) - len(lost)
    metrics.add_metric("LabelsLearned", MetricUnit.Count, learned)
    logger.info("batch", learned=learned, frauds=sum(label.fraud for label in labels), failed=failed)
    if lost and not learned:
        raise Unavailable(next(iter(lost.values())))
    return failures(failed)
