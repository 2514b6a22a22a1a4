"""The clock, or a finished human loop of A2I -> tasks looked at: answered, freed, reminded of, expired, collected."""

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.auditing import Audit
from cuatro.adapters.dynamodb import dynamo
from cuatro.adapters.human_review import reviewers_of
from cuatro.config import settings
from functions.review.remind.run import Done, collect, remind
from functions.review.remind.settings import Settings
from functions.review.store import Reviews

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """What was done, by numbers. Raises Unavailable; what one task's asker did not take waits for the next round."""
    setting, now = settings(Settings), int(time.time() * 1000)
    reviews, audit = Reviews(setting.reviews_table, dynamo()), Audit(setting.audit_queue_url)
    elsewhere = reviewers_of(setting.flow_definition_arn)
    loop = (event.get("detail") or {}).get("humanLoopName")
    if loop and elsewhere is not None:
        task = collect(loop, elsewhere, reviews, audit, now)
        logger.info("collected", task=loop, state=task.end if task else None)
        return {"collected": int(task is not None)}
    return _report(remind(reviews, setting.review_topic_arn, audit, now))


def _report(done: Done) -> dict[str, Any]:
    numbers = {
        "AnswersSent": len(done.told),
        "AnswersUndelivered": len(done.untold),
        "LeasesLapsed": len(done.lapsed),
        "TasksOverdue": len(done.overdue),
        "TasksExpired": len(done.expired),
        "RemindersFailed": len(done.unreminded),
        "AnswersAbandoned": len(done.abandoned),
    }
    for name, number in numbers.items():
        metrics.add_metric(name, MetricUnit.Count, number)
    if done.untold or done.unreminded or done.abandoned:
        logger.error(
            "left for the next round", untold=done.untold, unreminded=done.unreminded, abandoned=done.abandoned
        )
    logger.info("reminded", done={name: number for name, number in numbers.items() if number})
    return numbers
