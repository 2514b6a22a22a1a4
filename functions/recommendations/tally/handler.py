"""Stream of the lists table -> the lake's lists and feedback, clicks of new items; what failed -> again."""

import time
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.dynamodb import dynamo
from cuatro.changes import changes, failures
from cuatro.config import settings
from cuatro.errors import Unavailable
from functions.recommendations import lists
from functions.recommendations.policy import policies
from functions.recommendations.tally.effects import Told, tally
from functions.recommendations.tally.settings import Settings

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Raises Unavailable when nothing could be done."""
    setting = settings(Settings)
    told: list[Told] = []
    numbers: list[str] = []  # of their records
    damaged: list[str] = []
    for change in changes(event, ("l", "d", "n")):
        if change.image is None:  # expired, or deleted with its user; what it told stays
            continue
        try:
            told.append(Told(lists.served(change.image), change.image["n"], lists.added_feedback(change.image)))
        except (msgspec.DecodeError, KeyError):
            logger.exception("damaged list", sequence_number=change.number)
            damaged.append(change.number)
        else:
            numbers.append(change.number)
    tallied = tally(told, setting, policies(setting.policy).whole.new_days, dynamo(), int(time.time()))
    metrics.add_metric("ListsRecorded", MetricUnit.Count, tallied.lists)
    metrics.add_metric("FeedbackRecorded", MetricUnit.Count, tallied.feedback)
    logger.info("batch", lists=tallied.lists, feedback=tallied.feedback, failed=tallied.failed)
    if tallied.shelved.damaged:
        logger.error("damaged shelves were begun anew", shelves=sorted(tallied.shelved.damaged))
    if told and len(tallied.failed) == len(told):
        raise Unavailable(tallied.failed[0])
    return failures([*damaged, *(numbers[position] for position in tallied.failed)])
