"""One instance of a study -> what the next steps need to know of it; or rejected, kept, and told why."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters import blobs
from cuatro.adapters.auditing import Audit
from cuatro.config import settings
from cuatro.errors import Rejected
from functions.imaging.policy import policy as policy_of
from functions.imaging.rejection import keep
from functions.imaging.validate.settings import Settings
from functions.imaging.validation import Limits, Valid, validated

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{"study", "revision", "instance"} -> the same, with "state": "valid" and its facts, or "rejected" and its code.

    Raises Unavailable or Refused.
    """
    setting, instance = settings(Settings), str(event["instance"])
    try:
        valid = _validated(setting, instance)
    except Rejected as rejected:
        keep(setting.identified_bucket, setting.instances_table, instance, rejected.code)
        metrics.add_metric("InstancesRejected", MetricUnit.Count, 1)
        logger.warning("rejected", study=event["study"], instance=instance, code=rejected.code, reason=rejected.reason)
        told: dict[str, Any] = {"state": "rejected", "code": rejected.code}
    else:
        metrics.add_metric("InstancesValid", MetricUnit.Count, 1)
        told = {"state": "valid", **valid._asdict()}
    Audit(setting.audit_queue_url).record(
        "validate", instance, actor="function:validate", purpose="research", correlation=str(event["study"]),
        outcome="success" if told["state"] == "valid" else "failed", details={"code": str(told.get("code", "valid"))},
    )  # fmt: skip
    return {**event, **told}


def _validated(setting: Settings, instance: str) -> Valid:
    policy = policy_of(setting.policy)
    data = blobs.fetch(setting.identified_bucket, f"instances/{instance}.dcm", policy.max_object_mb << 20)
    if data is None:
        raise Rejected("the object is not there any more", code="gone")
    return validated(data, Limits(policy.max_pixels, policy.max_frames))
