"""Results of a study -> the server of the sender who wants them pushed."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.auditing import Audit
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.errors import Rejected
from functions.imaging.deliver.effects import destination_of, push
from functions.imaging.deliver.settings import Settings
from functions.imaging.policy import policy as policy_of
from functions.imaging.progress import Delivery, more, progress_of
from functions.imaging.study_state import standing

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """State with "results" -> the same with "delivery". Raises Unavailable or Refused, Rejected for a study that is not
    there any more."""
    setting, progress = settings(Settings), progress_of(event)
    row = standing(dynamo(), setting.studies_table, progress)
    wanted = destination_of(str(row["o"]), setting) if policy_of(setting.policy).push_results else None
    if wanted is None or not progress.results:
        metrics.add_metric("ResultsKept", MetricUnit.Count, len(progress.results))
        return more(event, delivery=Delivery(state="none"))
    try:
        delivery = push(progress, wanted, setting)
    except Rejected as rejected:
        logger.warning("not delivered", study=progress.study, code=rejected.code)
        delivery = Delivery(state="refused", refused=len(progress.results))
    Audit(setting.audit_queue_url).record(
        "deliver", progress.study, actor="function:deliver", purpose="treatment", correlation=progress.correlation,
        outcome="success" if delivery.state == "delivered" else "failed", details={"status": delivery.status},
    )  # fmt: skip
    metrics.add_metric(f"Results{delivery.state.capitalize()}", MetricUnit.Count, len(progress.results))
    logger.info("delivered", study=progress.study, state=delivery.state, status=delivery.status)
    return more(event, delivery=delivery)
