"""De-identified results of a study -> the same with their patient, in the bucket of identified data."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.auditing import Audit
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.errors import Rejected
from functions.imaging.progress import more, progress_of
from functions.imaging.reidentify.effects import give_back
from functions.imaging.reidentify.settings import Settings
from functions.imaging.study_state import standing

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """State with "report" -> the same with "results": keys and UIDs of our own. Raises Rejected, Unavailable,
    Refused."""
    setting, progress = settings(Settings), progress_of(event)
    standing(dynamo(), setting.studies_table, progress)
    if progress.report is None:
        raise Rejected("there is no report to give back", "report", "missing_field")
    results = give_back(progress, progress.report, setting)
    Audit(setting.audit_queue_url).record(
        "reidentify", progress.study, actor="function:reidentify", outcome="success", purpose="treatment",
        correlation=progress.correlation, details={"results": len(results)},
    )  # fmt: skip
    metrics.add_metric("ResultsReidentified", MetricUnit.Count, len(results))
    logger.info("reidentified", study=progress.study, revision=progress.revision, results=len(results))
    return more(event, results=results)
