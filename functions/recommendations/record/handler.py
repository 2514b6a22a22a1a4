"""Kinesis batch of interactions -> profiles with what they newly know; bad records -> S3; what failed -> again."""

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from cuatro import records
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.errors import Unavailable
from cuatro.interactions import decode_interaction
from functions.recommendations.policy import policies
from functions.recommendations.record import report
from functions.recommendations.record.batch import Arrival, Table, record_all
from functions.recommendations.record.settings import Settings

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Raises Unavailable when nothing of the batch could be done."""
    start = time.time()
    setting, batch = settings(Settings), event["Records"]
    table = Table(setting.profiles_table, policies(setting.policy).whole.profile_days)

    def arrival(data: bytes, arrived_ms: int) -> Arrival:
        return Arrival(decode_interaction(data, start, setting.max_age_days * 86_400), len(data), arrived_ms)

    decoded = records.decode(batch, arrival)
    result = record_all(decoded.items, table, dynamo(), time.time)
    failed = {decoded.positions[position]: why for position, why in result.failed.items()}
    rejected = records.keep(decoded, failed, setting.rejected_bucket, "recommendations")
    report.batch(logger, metrics, result, rejected, failed, len(batch), time.time() - start)
    if len(failed) == len(batch):
        raise Unavailable(failed[0])
    return records.failures(batch, failed)
