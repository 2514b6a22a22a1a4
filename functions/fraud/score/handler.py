"""Kinesis batch of transactions -> decisions in the cards' outboxes; bad records -> S3; what failed -> again."""

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from cuatro.adapters import rejections
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.errors import Unavailable
from functions.fraud.score import report, stream
from functions.fraud.score.batch import decide_all
from functions.fraud.score.loading import scorer
from functions.fraud.score.settings import Settings
from functions.fraud.state import DynamoState

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Raises Unavailable when nothing of the batch could be done."""
    start = time.time()
    setting, records = settings(Settings), event["Records"]
    decider = scorer(setting.model_uri, setting.shadow_model_uri, setting.policy)
    state = DynamoState(dynamo(), setting.cards_table, setting.terminals_table)

    decoded = stream.decode(records, decider, start, setting.max_age_days)
    result = decide_all(decoded.arrivals, state, decider, time.time)
    failed = {decoded.positions[position]: why for position, why in result.failed.items()}

    # What comes after the first failure is delivered again: its rejections are stored then.
    end = min(failed, default=len(records))
    rejected = {position: each for position, each in decoded.rejections.items() if position < end}
    if rejected:
        try:
            rejections.store(setting.rejected_bucket, "fraud", list(rejected.values()))
        except Unavailable as error:
            failed |= dict.fromkeys(rejected, str(error))
            rejected = {}
    report.batch(logger, metrics, result, rejected.values(), failed, len(records), time.time() - start)
    if len(failed) == len(records):
        raise Unavailable(failed[0])
    return stream.failures(records, failed)
