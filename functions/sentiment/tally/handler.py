"""Stream of the posts table -> aggregates, bus, the lake's labels, search; what failed -> again."""

import time
from functools import partial
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.dynamodb import dynamo
from cuatro.changes import changes, failures
from cuatro.config import settings
from cuatro.errors import Rejected, Unavailable
from cuatro.posts import decode_scored
from functions.sentiment import outbox
from functions.sentiment.tally.effects import Index, Told, tally
from functions.sentiment.tally.settings import Settings

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
    for change in changes(event, ("p", "d", "n")):
        if change.image is None or "d" not in change.image:  # expired; or a row that is no post's
            continue
        try:
            scored, entry = decode_scored(change.image["p"]), outbox.decode(change.image["d"])
            told.append(Told(change.key["post"], scored, change.image["n"], entry))
        except (Rejected, msgspec.DecodeError, KeyError):
            logger.exception("damaged post", sequence_number=change.number)
            damaged.append(change.number)
        else:
            numbers.append(change.number)
    tallied = tally(told, setting, dynamo(), int(time.time()), _search(setting.search_endpoint))
    metrics.add_metric("PostsCounted", MetricUnit.Count, tallied.posts)
    metrics.add_metric("PostsRelabelled", MetricUnit.Count, tallied.labels)
    logger.info("batch", posts=tallied.posts, labels=tallied.labels, failed=tallied.failed)
    if tallied.folded.damaged:
        logger.error("damaged aggregates were begun anew", buckets=sorted(tallied.folded.damaged))
    if told and len(tallied.failed) == len(told):
        raise Unavailable(tallied.failed[0])
    return failures([*damaged, *(numbers[position] for position in tallied.failed)])


def _search(endpoint: str) -> Index | None:
    if not endpoint:
        return None
    from functions.sentiment.search.indexing import index  # noqa: PLC0415 - few suites use it

    return partial(index, endpoint)
