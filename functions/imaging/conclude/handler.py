"""The end of a reading, good or bad, or stopped -> the study's row and instances, the bus, what is counted."""

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.times import text_of
from functions.imaging.conclude.effects import conclude
from functions.imaging.conclude.settings import Settings
from functions.imaging.outcome import state_of
from functions.imaging.progress import progress_of

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """All that is known of a reading -> {"study", "revision", "state"}; or EventBridge's word that it was stopped.

    Raises Rejected, Unavailable or Refused.
    """
    setting, progress = settings(Settings), progress_of(_stopped(event["detail"]) if "detail" in event else event)
    outcome = conclude(progress, setting, dynamo(), text_of(int(time.time() * 1000)))
    state = state_of(progress) if outcome else "erased"
    metrics.add_metric(f"Studies{state.capitalize()}", MetricUnit.Count, 1)
    if outcome and outcome.by == "review":
        metrics.add_metric("StudiesReviewed", MetricUnit.Count, 1)
    if outcome and outcome.delivery in {"refused", "failed"}:
        metrics.add_metric("StudiesUndelivered", MetricUnit.Count, 1)
    log = logger.error if state == "failed" else logger.info
    log("concluded", study=progress.study, revision=progress.revision, state=state,
        by=outcome.by if outcome else "", error=outcome.error if outcome else "")  # fmt: skip
    return {"study": progress.study, "revision": progress.revision, "state": state}


def _stopped(detail: dict[str, Any]) -> dict[str, Any]:
    """Of an execution that somebody aborted, or that came to its time limit: no state of it can tell any more."""
    study, _, revision = str(detail["name"]).rpartition("-")
    return {"study": study, "revision": int(revision), "failed": {"error": f"Execution.{detail['status']}"}}
