"""Schedule -> one network's new posts about each brand -> Firehose; a source that fails never stops the others."""

import time
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters import rejections, secrets
from cuatro.adapters.dynamodb import dynamo
from cuatro.adapters.publishing import put_each
from cuatro.adapters.web import Web
from cuatro.config import settings
from cuatro.errors import Unavailable
from cuatro.posts import encode
from functions.sentiment.poll.networks import source_of
from functions.sentiment.poll.report import lines, unusable
from functions.sentiment.poll.run import Outlets, run
from functions.sentiment.poll.settings import Settings
from functions.sentiment.poll.watched import tasks
from functions.sentiment.sources.source import Session
from functions.sentiment.sources.state import save

logger = Logger()
metrics = Metrics()
SPARE_S = 20
"""Seconds before the function's end in which no page is begun: the longest call, and Firehose."""


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """event: {"brand": one of them} or anything else for all. Raises Unavailable when Firehose takes nothing.

    Who asks by hand has mended something, maybe: places that failed do not wait, and secrets are read anew.
    """
    setting, start, by_hand = settings(Settings), time.time(), event.get("source") != "aws.events"
    if by_hand:
        _forget()
    source, table = source_of(setting.network), setting.cursors_table
    outlets = Outlets(
        deliver=lambda posts: put_each(setting.posts_delivery, [encode(post) for post in posts]),
        save=lambda row, state: save(row, state, table, dynamo(), time.time()),
        clock=time.time,
        end=start + context.get_remaining_time_in_millis() / 1000 - SPARE_S,
        key=secrets.text(setting.pseudonym_secret_arn).encode(),
        correlation_id=context.aws_request_id,
        eager=by_hand,
    )
    web = Web(private=setting.allow_private_hosts == "1")
    session = Session(web, secrets.document(setting.secret_arn), start, _tokens(setting.secret_arn))
    found = tasks(source, event.get("brand"), setting.brands_table, table, dynamo())
    report = run(source, found.tasks, session, outlets)
    for name, count in lines(report, found.damaged).items():
        metrics.add_metric(name, MetricUnit.Count, count)
    told: dict[str, Any] = {"network": setting.network, "posts": report.posts, "pages": report.pages}
    told |= {"polled": report.polled, "waiting": report.waiting, "limited": report.limited, "failed": report.failed}
    logger.info("poll", extra=told)
    if report.unusable:
        rejections.store(setting.rejected_bucket, "sentiment", unusable(report.unusable, context.aws_request_id, start))
    if any(why.startswith("denied") for why in report.failed.values()):
        _forget()
    if report.undelivered:
        raise Unavailable(report.undelivered)
    return told


def _forget() -> None:
    secrets.forget()
    _tokens.cache_clear()


@cache
def _tokens(_secret_arn: str) -> dict[str, str]:
    """What this process logged in for, from poll to poll."""
    return {}
