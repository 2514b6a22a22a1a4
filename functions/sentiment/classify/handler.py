"""Firehose batch of posts -> rows and scored lines, each post once; as collected -> the raw lake; bad ones -> S3."""

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from cuatro.adapters import rejections
from cuatro.adapters.dynamodb import dynamo
from cuatro.adapters.publishing import put_each
from cuatro.config import settings
from cuatro.errors import Unavailable
from cuatro.posts import raw_line
from functions.sentiment.classify import records, report
from functions.sentiment.classify.batch import Table, settle
from functions.sentiment.classify.judging import judge
from functions.sentiment.classify.settings import Settings
from functions.sentiment.policy import policy as policy_of

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Raises Unavailable when anything is left to do: Firehose tries the batch again, and what is done stays done."""
    start = time.time()
    setting = settings(Settings)
    policy = policy_of(setting.policy)
    decoded = records.decode(event, start, policy.max_age_days * 86_400)
    if decoded.rejections:
        rejections.store(setting.rejected_bucket, "sentiment", decoded.rejections)
    table = Table(setting.posts_table, policy.post_days, policy.repost_window_h)
    result = settle(decoded.arrivals, table, dynamo(), judge(setting, policy), start)
    told = list(result.scored)
    lost = put_each(setting.raw_delivery, [raw_line(decoded.arrivals[at].post) for at in told])
    result.failed |= {told[number]: "the lake did not take the post as it came" for number in lost}
    report.batch(logger, metrics, result, decoded.rejections, time.time() - start)
    if result.failed:
        raise Unavailable(next(iter(result.failed.values())))
    return records.answer(event, decoded, result.scored)
