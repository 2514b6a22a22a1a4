"""Alarm, schedule or person -> one retraining at a time: an execution of the SageMaker pipeline."""

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.dynamodb import dynamo
from cuatro.adapters.workflows import runs, start_pipeline
from cuatro.config import settings
from functions.lifecycle.retrain.request import Request, requested
from functions.lifecycle.retrain.settings import Settings
from functions.lifecycle.retrain.start import REASON_PARAMETER, Retraining, Started

logger = Logger()
metrics = Metrics()


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """{"started": ..., "execution_arn": ..., "why": ...}. Raises Rejected, Unavailable, Refused."""
    setting = settings(Settings)
    retraining = Retraining(dynamo(), setting.models_table, setting.pipeline_name, _start, runs)
    answer = Started(False, "", "the alarm has ended")
    for request in requested(event):
        # Lambda repeats a failed event with the same id: it finds its own lock, and starts nothing twice.
        answer = retraining.begin(request, time.time(), context.aws_request_id)
        if answer.started:
            metrics.add_metric("RetrainingsStarted", MetricUnit.Count, 1)
            break
    logger.info("retrain", started=answer.started, execution_arn=answer.execution_arn, why=answer.why)
    return answer._asdict()


def _start(pipeline: str, request: Request, token: str) -> str:
    parameters = {REASON_PARAMETER: request.reason[:256] or "by hand", **request.parameters}
    return start_pipeline(pipeline, parameters, token, request.reason)
