"""Messages of the quiet queue -> studies whose reading begins; those that failed -> delivered again."""

import time
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.errors import Refused, Unavailable
from functions.imaging.begin.begin import Message, decide
from functions.imaging.begin.settings import Settings
from functions.imaging.policy import policy

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """A message that is none stays in the queue, until it ends among the failures."""
    setting = settings(Settings)
    failed = []
    for record in event["Records"]:
        try:
            message = msgspec.json.decode(record["body"], type=Message)
            outcome = decide(message, setting, policy(setting.policy), dynamo(), time.time())
        except (Unavailable, Refused, msgspec.MsgspecError):
            logger.exception("failed", message_id=record["messageId"])
            failed.append(record["messageId"])
            continue
        if outcome.what in {"begun", "resumed"}:
            metrics.add_metric("StudiesBegun", MetricUnit.Count, 1)
        logger.info(outcome.what, study=outcome.study, revision=outcome.revision, instances=outcome.instances)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
