"""Kinesis batch of transactions -> decisions in the cards' outboxes; bad records -> S3; what failed -> again."""

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from cuatro import records
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.errors import Unavailable
from cuatro.events import decode_transaction
from functions.fraud.score import report
from functions.fraud.score.batch import decide_all
from functions.fraud.score.loading import scorer
from functions.fraud.score.scorer import Arrival
from functions.fraud.score.settings import Settings
from functions.fraud.state import DynamoState

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Raises Unavailable when nothing of the batch could be done."""
    start = time.time()
    setting, batch = settings(Settings), event["Records"]
    decider = scorer(setting.model_uri, setting.shadow_model_uri, setting.policy)
    state = DynamoState(dynamo(), setting.cards_table, setting.terminals_table)

    def arrival(data: bytes, arrived_ms: int) -> Arrival:
        return decider.arrival(decode_transaction(data, start, setting.max_age_days * 86400), arrived_ms)

    decoded = records.decode(batch, arrival)
    result = decide_all(decoded.items, state, decider, time.time)
    failed = {decoded.positions[position]: why for position, why in result.failed.items()}
    rejected = records.keep(decoded, failed, setting.rejected_bucket, "fraud")
    report.batch(logger, metrics, result, rejected, failed, len(batch), time.time() - start)
    if len(failed) == len(batch):
        raise Unavailable(failed[0])
    return records.failures(batch, failed)
