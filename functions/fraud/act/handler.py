"""Stream of the cards table -> what follows from the decisions in each outbox; what failed -> again."""

from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.dynamodb import dynamo
from cuatro.changes import changes, failures
from cuatro.config import settings
from functions.fraud.act.effects import act
from functions.fraud.act.settings import Settings
from functions.fraud.decide import Policy
from functions.fraud.outbox import DecidedTransaction, decode
from functions.fraud.score.loading import models
from functions.fraud.scoring import Scoring

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Raises Unavailable when nothing could be done."""
    setting = settings(Settings)
    decisions: list[DecidedTransaction] = []
    origin: dict[str, str] = {}  # transaction id -> its record
    damaged: list[str] = []
    for change in changes(event, ("d",)):
        try:
            outbox = decode(change.image["d"]) if change.image else []
        except msgspec.DecodeError:
            logger.exception("damaged outbox", sequence_number=change.number)
            damaged.append(change.number)
            continue
        decisions += outbox
        for each in outbox:
            origin.setdefault(each.transaction_id, change.number)
    block_on_decline = Policy.from_json(setting.policy).block_on_decline
    acted = act(decisions, setting, dynamo(), lambda: _models(setting), block_on_decline)
    metrics.add_metric("AlertsPublished", MetricUnit.Count, acted.alerts)
    logger.info("batch", acted=len(acted.inserted), alerts=acted.alerts, blocked=acted.blocked, failed=acted.failed)
    if acted.unknown:
        logger.warning("explained by the live model, which did not decide", decided_by=sorted(acted.unknown))
    return failures([*damaged, *(origin[transaction_id] for transaction_id in acted.failed)])


def _models(setting: Settings) -> list[Scoring]:
    live, shadow = models(setting.model_uri, setting.shadow_model_uri)
    return [live, shadow] if shadow else [live]
