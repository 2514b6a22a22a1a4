"""A state machine that waits by a task token -> a task for people, once for each question; or a question withdrawn."""

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.auditing import Audit
from cuatro.adapters.dynamodb import dynamo
from cuatro.adapters.human_review import reviewers_of
from cuatro.config import settings
from functions.review.ask.opening import cancel, open_task
from functions.review.ask.settings import Settings
from functions.review.asking import call_of
from functions.review.store import Reviews

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{"task": its id, "state"}. Raises Rejected for what is no question, Unavailable."""
    setting, call, now = settings(Settings), call_of(event), int(time.time() * 1000)
    reviews, elsewhere = Reviews(setting.reviews_table, dynamo()), reviewers_of(setting.flow_definition_arn)
    audit = Audit(setting.audit_queue_url)
    if call.cancel:
        task = cancel(call.cancel, reviews, elsewhere, audit, now)
        metrics.add_metric("TasksCancelled", MetricUnit.Count, int(task is not None))
        logger.info("withdrawn", task=task.task if task else None)
        return {"task": task.task if task else None, "state": task.end if task else None}
    opened = open_task(call, reviews, elsewhere, audit, now)
    metrics.add_metric("TasksOpened", MetricUnit.Count, int(opened.is_new))
    logger.info("asked", task=opened.task.task, queue=opened.task.ask.queue, is_new=opened.is_new)
    return {"task": opened.task.task, "state": opened.task.end or "open"}
