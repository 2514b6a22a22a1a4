"""The lake's latest decisions and labels against the live model's reference -> metrics, and a report in S3."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters import objects
from cuatro.adapters.dynamodb import Keys, dynamo
from cuatro.adapters.model import loaded
from cuatro.config import settings
from cuatro.errors import Unavailable
from cuatro.events import ZonedTime, decode_body
from functions.fraud.drift.report import report
from functions.fraud.drift.settings import Settings
from functions.fraud.drift.window import PREFIX, Bounds, read
from functions.fraud.features import FEATURES

logger = Logger()
metrics = Metrics()

_METRICS = {
    "InputPsiMax": "input_psi_max", "ScorePsi": "score_psi", "PerformanceRatio": "performance_ratio",
    "NewFraudLabels": "new_fraud_labels",
}  # fmt: skip


class _Asked(msgspec.Struct):
    as_of: ZonedTime | None = None


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The report. {"as_of": RFC 3339} looks back from then. Raises Rejected, Unavailable, Refused, ModelMismatch."""
    setting = settings(Settings)
    now = datetime.now(UTC)
    as_of = decode_body(msgspec.json.encode(event), _Asked).as_of or now
    model = loaded(setting.model_uri, FEATURES)
    bounds = Bounds(
        as_of,
        max(now, as_of),
        timedelta(days=setting.window_days),
        timedelta(days=setting.delay_days),
        model.version,
        _live_since(setting.models_table),
    )
    told = report(read(setting.lake_bucket, bounds), bounds, model)
    key = f"{PREFIX}/reports/drift/{as_of.astimezone(UTC):%Y-%m-%dT%H%M%SZ}.json"
    told["report"] = objects.put_json(setting.lake_bucket, key, told)
    for name, figure in _METRICS.items():
        if figure in told:
            unit = MetricUnit.Count if figure == "new_fraud_labels" else MetricUnit.NoUnit
            metrics.add_metric(name, unit, told[figure])
    logger.info("drift", **{name: value for name, value in told.items() if name != "feature_psi"})
    return told


def _live_since(table: str) -> datetime | None:
    found = dynamo().read({table: Keys("name", ["live"], ("name", "since"))})[table]
    if found.unread:
        raise Unavailable(f"the live model could not be read from {table}")
    since = found.items.get("live", {}).get("since")
    return datetime.fromisoformat(since) if since else None
