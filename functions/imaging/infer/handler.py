"""One normalised image -> finding, probability, distance and heat map beside it in the de-identified bucket."""

import time
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters import blobs
from cuatro.adapters.auditing import Audit
from cuatro.config import settings
from cuatro.errors import Rejected
from functions.imaging.infer.pictures import MAX_PIXELS, pixels, png
from functions.imaging.infer.reading import Read, read
from functions.imaging.infer.settings import Settings
from functions.imaging.intended_use import Image
from functions.imaging.policy import policy as policy_of

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{"study", "instance", ...} -> the same with "state": "read" and the reading.

    Raises Rejected for a picture that this pipeline cannot have written, Unavailable, Refused, ModelMismatch.
    """
    start, setting = time.perf_counter(), settings(Settings)
    study, instance = str(event["study"]), str(event["instance"])
    bucket, folder = setting.deidentified_bucket, f"studies/{study}/{instance}"
    content = blobs.fetch(bucket, f"{folder}/image.png", 2 * MAX_PIXELS)
    if content is None:
        raise Rejected("the picture is not there any more", code="gone")
    found = read(
        msgspec.convert(event, Image), pixels(content), policy_of(setting.policy), setting.model_uri,
        setting.shadow_model_uri,
    )  # fmt: skip
    told = {**found.verdict._asdict(), "model_version": found.model_version}
    blobs.put(bucket, f"{folder}/heatmap.png", png(found.heatmap), "image/png")
    result = {"study": study, "instance": instance, **told, "shadow": found.shadow}
    blobs.put(bucket, f"{folder}/result.json", msgspec.json.encode(result), "application/json")
    Audit(setting.audit_queue_url).record(
        "infer", instance, actor="function:infer", purpose="research", correlation=study, outcome="success",
        details={"finding": found.verdict.finding, "model": found.model_version},
    )  # fmt: skip
    _report(found, study, instance, time.perf_counter() - start)
    return {**event, "state": "read", **told, "why": [*found.verdict.why]}


def _report(found: Read, study: str, instance: str, seconds: float) -> None:
    verdict, shadow = found.verdict, found.shadow
    metrics.add_metric("ImagesRead", MetricUnit.Count, 1)
    metrics.add_metric("InferLatency", MetricUnit.Milliseconds, seconds * 1000)
    flags = {
        "ImagesNotReadable": verdict.finding == "not_readable",
        "ImagesUnsure": verdict.unsure and verdict.finding != "not_readable",
        "Findings": verdict.finding == "pneumonia",
        "ShadowFailed": shadow is not None and bool(shadow.problem),
    }
    for name, holds in flags.items():
        if holds:
            metrics.add_metric(name, MetricUnit.Count, 1)
    logger.info(
        "read", study=study, instance=instance, finding=verdict.finding, unsure=verdict.unsure, why=verdict.why,
        model_version=found.model_version, shadow=shadow.problem if shadow else "", ms=round(seconds * 1000, 1),
    )  # fmt: skip
