"""A patient -> everything that is kept of them is gone for good, and a certificate; or why nothing was touched."""

import time
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters import secrets
from cuatro.adapters.auditing import Audit
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from functions.imaging.erase.erasure import Erasure
from functions.imaging.erase.request import Certificate, Request, patient_of, request_of
from functions.imaging.erase.settings import Settings
from functions.imaging.pseudonym import Pseudonyms

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """event: see Request. The certificate; nothing in it names the patient otherwise than by the pseudonym.

    Raises Rejected, Unavailable or Refused; to be called again then, which goes on where it stopped.
    """
    setting, request = settings(Settings), request_of(event)
    patient = patient_of(request, Pseudonyms(secrets.text(setting.pseudonym_secret_arn).encode()))
    erasure = Erasure(patient, setting, dynamo(), time.time())
    made = erasure.preview() if request.preview else erasure.erase()
    _record(setting, request, made)
    metrics.add_metric(f"Patients{made.state.capitalize()}", MetricUnit.Count, 1)
    logger.info("erasure", state=made.state, patient=patient, studies=made.studies, objects=made.objects)
    return msgspec.to_builtins(made, str_keys=True)  # type: ignore[no-any-return]


def _record(setting: Settings, request: Request, made: Certificate) -> None:
    """The certificate is the ledger's entry."""
    Audit(setting.audit_queue_url).record(
        "erase", made.patient, actor=request.by, purpose="operations",
        outcome="denied" if made.state == "refused" else "success",
        details={
            "state": made.state, "studies": made.studies, "instances": made.instances, "tasks": made.tasks,
            "executions": made.executions, "objects": made.objects, **made.locked,
        },
    )  # fmt: skip
