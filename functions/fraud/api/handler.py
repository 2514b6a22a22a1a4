"""REST API -> authorizations, labels, cards, decisions. x-correlation-id comes in, is made if absent, and goes out."""

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from chalice.app import Chalice

from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.http import answered, body_of, routed
from functions.fraud.api import cards, decisions, labels
from functions.fraud.api.authorize import authorize
from functions.fraud.api.settings import Settings

logger = Logger()
metrics = Metrics()
app = Chalice(app_name="fraud", configure_logs=False)


@app.route("/authorizations", methods=["POST"])
@answered
def post_authorization() -> dict[str, Any]:
    answer = authorize(body_of(app), logger.get_correlation_id() or "", settings(Settings), dynamo(), metrics)
    logger.info("authorization", **{name: answer[name] for name in ("transaction_id", "outcome", "score", "rules")})
    return answer


@app.route("/labels", methods=["POST"])
@answered
def post_labels() -> dict[str, Any]:
    return labels.store_labels(body_of(app), time.time(), settings(Settings), dynamo())


@app.route("/cards/{card_id}")
@answered
def get_card(card_id: str) -> dict[str, Any]:
    return cards.show(card_id, settings(Settings), dynamo())


@app.route("/cards/{card_id}/block", methods=["POST"])
@answered
def post_block(card_id: str) -> dict[str, Any]:
    return _logged("blocked", cards.block_card(card_id, body_of(app), settings(Settings), dynamo()))


@app.route("/cards/{card_id}/unblock", methods=["POST"])
@answered
def post_unblock(card_id: str) -> dict[str, Any]:
    return _logged("unblocked", cards.unblock_card(card_id, body_of(app), settings(Settings), dynamo()))


@app.route("/decisions/{transaction_id}")
@answered
def get_decision(transaction_id: str) -> dict[str, Any]:
    return decisions.show(transaction_id, settings(Settings), dynamo())


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return routed(app, event, context, logger, metrics)


def _logged(what: str, answer: dict[str, Any]) -> dict[str, Any]:
    logger.info(what, **answer)
    return answer
