"""REST API of reviewers -> tasks listed, taken, looked at and decided; agreement and labels. IAM says who calls."""

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from chalice.app import Chalice

from cuatro.adapters.auditing import Audit
from cuatro.adapters.aws import BRISK
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.errors import Rejected
from cuatro.http import answered, body_of, request_of, routed
from functions.review.api import reports, tasks
from functions.review.api.queries import Query
from functions.review.api.reviewers import reviewer_of
from functions.review.api.settings import Settings
from functions.review.api.tasks import PURPOSE, Desk
from functions.review.store import Reviews
from functions.review.task import stage

logger = Logger()
metrics = Metrics()
app = Chalice(app_name="review", configure_logs=False)


@app.route("/tasks")
@answered
def get_tasks() -> dict[str, Any]:
    return tasks.listed(_desk(), _query())


@app.route("/tasks/{task}")
@answered
def get_task(task: str) -> dict[str, Any]:
    return tasks.show(_desk(), task, settings(Settings).link_s)


@app.route("/tasks/{task}/lease", methods=["POST"])
@answered
def post_lease(task: str) -> dict[str, Any]:
    return tasks.move(_desk(), task, "lease")


@app.route("/tasks/{task}/heartbeat", methods=["POST"])
@answered
def post_heartbeat(task: str) -> dict[str, Any]:
    return tasks.move(_desk(), task, "heartbeat")


@app.route("/tasks/{task}/release", methods=["POST"])
@answered
def post_release(task: str) -> dict[str, Any]:
    return tasks.move(_desk(), task, "release")


@app.route("/tasks/{task}/decision", methods=["POST"])
@answered
def post_decision(task: str) -> dict[str, Any]:
    answer, before, after = tasks.decide(_desk(), task, body_of(app))
    disagreed = not after.end and stage(after) == "adjudication" and len(after.votes) > len(before.votes)
    metrics.add_metric("Decisions", MetricUnit.Count, int(answer["changed"]))
    metrics.add_metric("TasksDone", MetricUnit.Count, int(after.end is not None and before.end is None))
    metrics.add_metric("Disagreements", MetricUnit.Count, int(disagreed))
    return answer


@app.route("/agreement")
@answered
def get_agreement() -> dict[str, Any]:
    return reports.agreed(_desk(), _query())


@app.route("/labels")
@answered
def get_labels() -> dict[str, Any]:
    return reports.labelled(_desk(), _query())


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return routed(app, event, context, logger, metrics)


def _desk() -> Desk:
    """Raises Rejected for a caller who may not say whom they are, which the audit log keeps."""
    setting, request = settings(Settings), request_of(app)
    audit, correlation = Audit(setting.audit_queue_url), logger.get_correlation_id() or ""
    caller = (request.context.get("identity") or {}).get("userArn")
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    try:
        reviewer = reviewer_of(caller, headers, setting.trusted_backends)
    except Rejected as rejected:
        audit.record(
            "authorize_failed", "review", actor=str(caller), outcome="denied", purpose=PURPOSE,
            correlation=correlation, details={"code": rejected.code},
        )  # fmt: skip
        raise
    return Desk(reviewer, Reviews(setting.reviews_table, dynamo(BRISK)), audit, correlation, int(time.time() * 1000))


def _query() -> Query:
    given = request_of(app).query_params
    return {name: given.getlist(name) for name in given} if given else {}
