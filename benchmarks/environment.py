"""What every contestant finds in its environment: tables, model files, thresholds, credentials that open nothing."""

import json
import os
from pathlib import Path
from typing import Any

from benchmarks.workload import TABLES

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "models" / "fraud" / "model.onnx"
WORK = ROOT / ".build" / "benchmarks"
# Thresholds 0: those in the model. As in a deployment, the rates are those that somebody sells in.
POLICY = {
    "review_at": 0.0,
    "decline_at": 0.0,
    "hard_limit": 1_000_000,
    "max_1h_count": 20,
    "base_currency": "EUR",
    "block_on_decline": False,
    "rates": {"EUR": 1.0, "USD": 0.92, "GBP": 1.17},
}


class Context:
    """What Lambda passes to a handler beside the event, as far as handlers look at it."""

    function_name = "score"
    function_version = "1"
    memory_limit_in_mb = 1769
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:score"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Plenty."""
        return 60_000


def environment(model: Path, xgboost_model: Path, thresholds: dict[str, float]) -> dict[str, str]:
    """Variables for all handlers, as a deployment would set them; one thread for every numeric library."""
    return {
        **account("fraud"),
        **TABLES,
        "LABELS_TABLE": "labels",
        "REJECTED_BUCKET": "rejected",
        "STREAM_NAME": "transactions",
        "BUS_NAME": "suite",
        "ALERTS_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:alerts",
        "DECISIONS_DELIVERY": "decisions",
        "MODEL_URI": str(model),
        "SHADOW_MODEL_URI": "",
        "XGBOOST_MODEL_PATH": str(xgboost_model),
        "REVIEW_AT": str(thresholds["review"]),
        "DECLINE_AT": str(thresholds["decline"]),
        "POLICY": json.dumps(POLICY),
        "MAX_AGE_DAYS": "3650",
    }


def account(pipeline: str) -> dict[str, str]:
    """What Lambda itself sets, and Powertools reads."""
    return {
        "POWERTOOLS_SERVICE_NAME": pipeline,
        "POWERTOOLS_METRICS_NAMESPACE": "Cuatro",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_LAMBDA_FUNCTION_NAME": "score",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_SESSION_TOKEN": "t" * 400,  # a role's credentials have one, and it is sent and signed every time
        "AWS_EC2_METADATA_DISABLED": "true",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def enter(variables: dict[str, str]) -> None:
    """Make them this process's own. Nothing of the caller's AWS configuration stays."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(variables)


def quiet() -> Any:
    """Where handlers' log lines and metrics go while they are measured: written, not kept."""
    return Path(os.devnull).open("w", encoding="utf-8")
