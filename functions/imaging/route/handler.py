"""Readings of a study's instances -> its route, and what a reviewer is asked."""

from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.auditing import Audit
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from functions.imaging.policy import policy as policy_of
from functions.imaging.progress import progress_of
from functions.imaging.route.settings import Settings
from functions.imaging.routing import asked, routed
from functions.imaging.study_state import enter, standing

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """State with "items" -> the same with "routing"; its "ask" is for the review queue. Raises Rejected, Unavailable,
    Refused."""
    setting, progress = settings(Settings), progress_of(event)
    standing(dynamo(), setting.studies_table, progress)
    routing = routed(progress.items)
    told = msgspec.to_builtins(routing)
    if routing.route == "review":
        told["ask"] = asked(progress, routing, policy_of(setting.policy), setting.deidentified_bucket)
        enter(dynamo(), setting.studies_table, progress, "review")
    Audit(setting.audit_queue_url).record(
        "route", progress.study, actor="function:route", outcome="success", purpose="treatment",
        correlation=progress.correlation, details={"route": routing.route, "priority": routing.priority},
    )  # fmt: skip
    metrics.add_metric(f"Routed{routing.route.capitalize()}", MetricUnit.Count, 1)
    logger.info("routed", study=progress.study, revision=progress.revision, route=routing.route, why=routing.why)
    return {**event, "routing": told}
