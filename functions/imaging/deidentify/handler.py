"""One valid instance -> its image without anything that identifies, in the other bucket; or rejected, kept, told why.

The only step of a reading that holds both keys: what it reads cannot leave but through `leave`.
"""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.auditing import Audit
from cuatro.config import settings
from cuatro.errors import Rejected
from functions.imaging.deidentify.leave import leave
from functions.imaging.deidentify.settings import Settings
from functions.imaging.rejection import keep

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{"study", "revision", "instance", ...} -> the same with "state": "deidentified", "masked": boxes; or "rejected".

    Raises Unavailable or Refused. Codes of rejections: burned_in_text, not_deidentified, and those of validation.
    """
    setting, study, instance = settings(Settings), str(event["study"]), str(event["instance"])
    try:
        left = leave(setting, study, instance)
    except Rejected as rejected:
        keep(setting.identified_bucket, setting.instances_table, instance, rejected.code)
        metrics.add_metric("InstancesRejected", MetricUnit.Count, 1)
        logger.warning("rejected", study=study, instance=instance, code=rejected.code, reason=rejected.reason)
        told: dict[str, Any] = {"state": "rejected", "code": rejected.code}
    else:
        metrics.add_metric("InstancesDeidentified", MetricUnit.Count, 1)
        metrics.add_metric("BoxesMasked", MetricUnit.Count, left.boxes)
        logger.info("deidentified", study=study, instance=instance, masked=left.boxes, share=round(left.share, 4))
        told = {"state": "deidentified", "masked": left.boxes}
    Audit(setting.audit_queue_url).record(
        "deidentify", instance, actor="function:deidentify", purpose="research", correlation=study,
        outcome="success" if told["state"] == "deidentified" else "failed",
        details={"code": str(told.get("code", "deidentified")), "masked": int(told.get("masked", 0))},
    )  # fmt: skip
    return {**event, **told}
