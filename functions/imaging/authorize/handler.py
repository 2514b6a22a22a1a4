"""Credentials of a request -> an IAM policy for API Gateway: the sender may call the routes of senders, or nobody may.

The answer is kept by API Gateway for the same credentials, so it speaks of all routes of the API.
"""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.auditing import Audit
from cuatro.config import settings
from functions.imaging import roster
from functions.imaging.authorize.settings import Settings
from functions.imaging.senders import whose

logger = Logger()
metrics = Metrics()
NOBODY = "nobody"


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Who is not known is denied, and the ledger told. Raises Unavailable or Refused: then nobody gets in."""
    setting = settings(Settings)
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    authorization = str(event.get("authorizationToken") or headers.get("authorization") or "")
    known = roster.known(setting.senders_secret_arn, lambda found: whose(authorization, found) is not None)
    sender = whose(authorization, known)
    if sender is None:
        metrics.add_metric("AuthorizationsDenied", MetricUnit.Count, 1)
        logger.warning("denied")
        Audit(setting.audit_queue_url).record(
            "authorize_failed", "imaging-api", actor=NOBODY, outcome="denied", purpose="treatment",
            correlation=str(event.get("requestContext", {}).get("requestId", "")),
        )  # fmt: skip
    return _policy(sender or NOBODY, "Allow" if sender else "Deny", str(event["methodArn"]))


def _policy(principal: str, effect: str, method_arn: str) -> dict[str, Any]:
    """method_arn: arn:aws:execute-api:<region>:<account>:<api>/<stage>/<verb>/<path>."""
    stage = "/".join(method_arn.split("/")[:2])
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{stage}/*"}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"sender": principal},
    }
