"""REST API -> lists, similar items, interactions, feedback, profiles. x-correlation-id comes in and goes out."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from chalice.app import Chalice, Response

from cuatro.adapters.aws import BRISK
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.http import answered, body_of, cached, request_of, routed, tags_of
from functions.recommendations.api import feedback, interactions, items, pages, profiles
from functions.recommendations.api.queries import Query, asked, length
from functions.recommendations.api.recommend import recommend
from functions.recommendations.api.settings import Settings
from functions.recommendations.api.sources import tables
from functions.recommendations.policy import Policy, policies

P = ParamSpec("P")

logger = Logger()
metrics = Metrics()
app = Chalice(app_name="recommendations", configure_logs=False)


def timed(metric: str) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """A view -> one whose time is a metric, in milliseconds, whatever it answers."""

    def around(view: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(view)
        def run(*args: P.args, **kwargs: P.kwargs) -> Response:
            start = time.perf_counter()
            try:
                return view(*args, **kwargs)
            finally:
                metrics.add_metric(metric, MetricUnit.Milliseconds, (time.perf_counter() - start) * 1000)

        return run

    return around


@app.route("/recommendations/{user_id}")
@timed("ListLatency")
@answered
def get_recommendations(user_id: str) -> Response | dict[str, Any]:
    setting, request = settings(Settings), request_of(app)
    wanted = asked(user_id, _query(), _policy())
    if wanted.page:
        answer = pages.page(wanted, wanted.page, tables(setting), time.time())
        return cached(answer, request, "private, no-cache")
    made = recommend(wanted, tags_of(request), tables(setting), time.time())
    for name, count in made.counts.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    control = f"private, max-age={made.cache_s}" if made.cache_s else "private, no-cache"
    return cached(made.body, request, control if made.tag else "no-store", made.tag)


@app.route("/items/{item_id}")
@timed("ItemLatency")
@answered
def get_item(item_id: str) -> Response:
    return _public(items.show(item_id, tables(settings(Settings)), time.time()))


@app.route("/items/{item_id}/similar")
@timed("SimilarLatency")
@answered
def get_similar(item_id: str) -> Response:
    return _public(items.similar(item_id, length(_query()), tables(settings(Settings)), time.time()))


@app.route("/interactions", methods=["POST"])
@timed("InteractionsLatency")
@answered
def post_interactions() -> Response:
    answer = interactions.accept(body_of(app), logger.get_correlation_id() or "", settings(Settings), time.time())
    metrics.add_metric("InteractionsAccepted", MetricUnit.Count, answer["accepted"])
    metrics.add_metric("InteractionsRejected", MetricUnit.Count, len(answer["rejected"]))
    return Response(answer, status_code=202)


@app.route("/feedback", methods=["POST"])
@timed("FeedbackLatency")
@answered
def post_feedback() -> Response:
    body, correlation_id = body_of(app), logger.get_correlation_id() or ""
    answer = feedback.accept(body, correlation_id, settings(Settings), dynamo(BRISK), time.time())
    metrics.add_metric("Feedback", MetricUnit.Count, answer["accepted"])
    return Response(answer, status_code=202)


@app.route("/profiles/{user_id}")
@timed("ProfileLatency")
@answered
def get_profile(user_id: str) -> dict[str, Any]:
    return profiles.show(user_id, settings(Settings), dynamo(BRISK))


@app.route("/profiles/{user_id}", methods=["DELETE"])
@timed("ProfileLatency")
@answered
def delete_profile(user_id: str) -> dict[str, Any]:
    return profiles.forget(user_id, settings(Settings), dynamo(BRISK))


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return routed(app, event, context, logger, metrics)


def _query() -> Query:
    given = request_of(app).query_params
    return {name: given.getlist(name) for name in given} if given else {}


def _policy() -> Policy:
    return policies(settings(Settings).policy).whole


def _public(answer: dict[str, Any]) -> Response:
    control = "no-store" if answer.get("degraded") else f"public, max-age={_policy().similar_cache_s}"
    return cached(answer, request_of(app), control)
