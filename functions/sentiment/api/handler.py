"""REST API -> posts and hooks, brands and sources, what is said of a brand. x-correlation-id comes in and goes out."""

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from chalice.app import Chalice, Response

from cuatro.adapters import secrets
from cuatro.adapters.aws import BRISK
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.http import answered, body_of, request_of, routed
from functions.sentiment.api import brands, dashboard, hooks, labels, posts
from functions.sentiment.api.queries import Query
from functions.sentiment.api.settings import Settings

logger = Logger()
metrics = Metrics()
app = Chalice(app_name="sentiment", configure_logs=False)


@app.route("/posts", methods=["POST"])
@answered
def post_posts() -> Response:
    return _accepted(None)


@app.route("/hooks/{source}", methods=["POST"])
@answered
def post_hook(source: str) -> Response:
    signature = str(request_of(app).headers.get(hooks.HEADER, ""))
    keys = secrets.document(settings(Settings).hook_secret_arn)
    return _accepted(hooks.verify(source, body_of(app), signature, keys, time.time()))


@app.route("/brands")
@answered
def get_brands() -> dict[str, Any]:
    return brands.listed(settings(Settings), dynamo(BRISK))


@app.route("/brands/{brand}")
@answered
def get_brand(brand: str) -> dict[str, Any]:
    return brands.show(brand, settings(Settings), dynamo(BRISK))


@app.route("/brands/{brand}", methods=["PUT"])
@answered
def put_brand(brand: str) -> Response:
    body, is_new = brands.put(brand, body_of(app), settings(Settings), dynamo(BRISK))
    return Response(body, status_code=201 if is_new else 200)


@app.route("/brands/{brand}", methods=["DELETE"])
@answered
def delete_brand(brand: str) -> dict[str, Any]:
    return brands.delete(brand, settings(Settings), dynamo(BRISK))


@app.route("/sources")
@answered
def get_sources() -> dict[str, Any]:
    return brands.sources(settings(Settings), dynamo(BRISK))


@app.route("/brands/{brand}/series")
@answered
def get_series(brand: str) -> dict[str, Any]:
    return dashboard.series(brand, _query(), settings(Settings), dynamo(BRISK), time.time())


@app.route("/brands/{brand}/terms")
@answered
def get_terms(brand: str) -> dict[str, Any]:
    return dashboard.words(brand, _query(), settings(Settings), dynamo(BRISK), time.time())


@app.route("/brands/{brand}/posts")
@answered
def get_posts(brand: str) -> dict[str, Any]:
    return dashboard.posts(brand, _query(), settings(Settings), dynamo(BRISK))


@app.route("/brands/{brand}/alerts")
@answered
def get_alerts(brand: str) -> dict[str, Any]:
    return dashboard.alerts(brand, settings(Settings), dynamo(BRISK))


@app.route("/posts/{post}")
@answered
def get_post(post: str) -> dict[str, Any]:
    return dashboard.post(post, settings(Settings), dynamo(BRISK))


@app.route("/posts/{post}/label", methods=["POST"])
@answered
def post_label(post: str) -> dict[str, Any]:
    correlation_id = logger.get_correlation_id() or ""
    return labels.put(post, body_of(app), correlation_id, settings(Settings), dynamo(BRISK), time.time())


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return routed(app, event, context, logger, metrics)


def _accepted(source: str | None) -> Response:
    correlation_id = logger.get_correlation_id() or ""
    answer = posts.accept(body_of(app), source, correlation_id, settings(Settings), dynamo(BRISK), time.time())
    metrics.add_metric("PostsAccepted", MetricUnit.Count, answer["accepted"])
    metrics.add_metric("PostsMatched", MetricUnit.Count, answer["matched"])
    metrics.add_metric("PostsRejected", MetricUnit.Count, len(answer["rejected"]))
    return Response(answer, status_code=202)


def _query() -> Query:
    given = request_of(app).query_params
    return {name: given.getlist(name) for name in given} if given else {}
