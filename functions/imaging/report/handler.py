"""A study's readings and its review -> structured report and secondary captures, de-identified."""

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.auditing import Audit
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.times import text_of
from functions.imaging.progress import Report, more, progress_of
from functions.imaging.report.effects import write
from functions.imaging.report.settings import Settings
from functions.imaging.study_state import standing

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """State with "routing", and "review" where there was one -> the same with "report". Raises Rejected, Unavailable,
    Refused."""
    setting, progress = settings(Settings), progress_of(event)
    standing(dynamo(), setting.studies_table, progress)
    secondary = write(progress, setting.deidentified_bucket)
    Audit(setting.audit_queue_url).record(
        "report", progress.study, actor="function:report", outcome="success", purpose="treatment",
        correlation=progress.correlation, details={"captures": len(secondary)},
    )  # fmt: skip
    metrics.add_metric("StudiesReported", MetricUnit.Count, 1)
    logger.info("reported", study=progress.study, revision=progress.revision, captures=len(secondary))
    return more(event, report=Report(made_at=text_of(int(time.time() * 1000)), secondary=secondary))
