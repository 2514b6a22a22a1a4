"""Messages of S3 about new objects -> each in its place, or refused; what failed -> delivered again."""

from functools import partial
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters import secrets
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.errors import Refused, Unavailable
from functions.imaging import roster
from functions.imaging.policy import policy
from functions.imaging.pseudonym import Pseudonyms
from functions.imaging.receive.intake import Intake, Outcome
from functions.imaging.receive.places import is_known, keys
from functions.imaging.receive.settings import Settings

logger = Logger()
metrics = Metrics()
_COUNTED = {
    "received": "InstancesReceived",
    "repeated": "InstancesRepeated",
    "own": "InstancesRepeated",
    "refused": "InstancesRefused",
}


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Nothing of a key is logged: a sender may have named the object. Raises Unavailable when nothing can be done."""
    setting = settings(Settings)
    pseudonyms = Pseudonyms(secrets.text(setting.pseudonym_secret_arn).encode())
    failed = []
    for record in event["Records"]:
        try:
            for key in keys(record["body"]):
                known = roster.known(setting.senders_secret_arn, partial(is_known, key))
                _tell(Intake(setting, policy(setting.policy), pseudonyms, known, dynamo()).take(key))
        except (Unavailable, Refused, msgspec.MsgspecError, KeyError):
            logger.exception("failed", message_id=record["messageId"])
            failed.append(record["messageId"])
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _tell(outcome: Outcome) -> None:
    if outcome.what in _COUNTED:
        metrics.add_metric(_COUNTED[outcome.what], MetricUnit.Count, 1)
    logger.info(outcome.what, object=outcome.object, study=outcome.study, code=outcome.code or None, bytes=outcome.size)
