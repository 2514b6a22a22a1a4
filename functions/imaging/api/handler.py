"""DICOMweb of senders -> images taken (STOW-RS), their results found and given back (QIDO-RS, WADO-RS), links, status.

By TLS and with a sender's credentials only. UIDs are the sender's own; what is kept of them here are pseudonyms.
"""

import secrets
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from chalice.app import Chalice, Response

from cuatro.adapters.aws import BRISK
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.errors import Rejected
from cuatro.http import answered, body_of, request_of, routed
from functions.imaging.api import media, retrieve, search, status, store, uploads
from functions.imaging.api.access import Caller, anonymous, caller, row
from functions.imaging.api.settings import Settings
from functions.imaging.stow import MAX_BODY, TOO_BIG, answer, parts

logger = Logger()
metrics = Metrics()
app = Chalice(app_name="imaging", configure_logs=False)


@app.route("/studies", methods=["POST"], content_types=[])
@answered
def post_studies() -> Response:
    return _stored(None)


@app.route("/studies/{study}", methods=["POST"], content_types=[])
@answered
def post_study(study: str) -> Response:
    return _stored(study)


@app.route("/uploads", methods=["POST"])
@answered
def post_uploads() -> Response:
    return Response(uploads.links(body_of(app), _caller(), secrets.token_bytes), status_code=201)


@app.route("/studies")
@answered
def get_studies() -> Response:
    return _found(None, search.studies(_query(), _caller()))


@app.route("/studies/{study}")
@answered
def get_study(study: str) -> Response:
    return _retrieved(study)


@app.route("/studies/{study}/metadata")
@answered
def get_study_metadata(study: str) -> Response:
    return _described(study)


@app.route("/studies/{study}/series")
@answered
def get_series_of_study(study: str) -> Response:
    of = _caller()
    return _found(study, search.series(row(study, of), _query(), of))


@app.route("/studies/{study}/instances")
@answered
def get_instances_of_study(study: str) -> Response:
    of = _caller()
    return _found(study, search.instances(row(study, of), None, _query(), of))


@app.route("/studies/{study}/series/{series}")
@answered
def get_series(study: str, series: str) -> Response:
    return _retrieved(study, series)


@app.route("/studies/{study}/series/{series}/metadata")
@answered
def get_series_metadata(study: str, series: str) -> Response:
    return _described(study, series)


@app.route("/studies/{study}/series/{series}/instances")
@answered
def get_instances_of_series(study: str, series: str) -> Response:
    of = _caller()
    return _found(study, search.instances(row(study, of), series, _query(), of))


@app.route("/studies/{study}/series/{series}/instances/{instance}")
@answered
def get_instance(study: str, series: str, instance: str) -> Response:
    return _retrieved(study, series, instance)


@app.route("/studies/{study}/series/{series}/instances/{instance}/metadata")
@answered
def get_instance_metadata(study: str, series: str, instance: str) -> Response:
    return _described(study, series, instance)


@app.route("/status/{study}")
@answered
def get_status(study: str) -> dict[str, Any]:
    of = _caller()
    return status.told(study, row(study, of), of)


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return media.told(routed(app, anonymous(event), context, logger, metrics))


def _caller() -> Caller:
    return caller(request_of(app), logger.get_correlation_id() or "", settings(Settings), dynamo(BRISK))


def _stored(study: str | None) -> Response:
    of, headers = _caller(), request_of(app).headers
    kind = media.written(_accept())
    body = body_of(app)
    if len(body) > MAX_BODY:
        raise Rejected(TOO_BIG, "body", "oversized")
    found = parts(headers.get("content-type", ""), body, of.policy.max_instances)
    outcome = store.store(found, study, of)
    metrics.add_metric("InstancesStored", MetricUnit.Count, len(outcome.stored))
    metrics.add_metric("InstancesFailed", MetricUnit.Count, len(outcome.failed))
    logger.info("stored", instances=len(outcome.stored), failed=len(outcome.failed), repeated=outcome.repeated)
    code, dataset = answer(outcome.stored, outcome.failed, of.base_url)
    return media.document(dataset, kind, code)


def _found(study: str | None, found: search.Found) -> Response:
    media.check_json(_accept())
    of = _caller()
    of.audit.record(
        "search", of.pseudonyms.study(study) if study else "studies", actor=f"sender:{of.sender}", outcome="success",
        purpose="treatment", correlation=of.correlation_id, details={"found": len(found.datasets)},
    )  # fmt: skip
    warnings = ", ".join(f'299 cuatro "{each}"' for each in found.warnings)
    return media.document(found.datasets, headers={"Warning": warnings} if warnings else None)


def _retrieved(study: str, series: str | None = None, instance: str | None = None) -> Response:
    of = _caller()
    metrics.add_metric("ResultsRetrieved", MetricUnit.Count, 1)
    return retrieve.retrieve(row(study, of), series, instance, _accept(), of)


def _described(study: str, series: str | None = None, instance: str | None = None) -> Response:
    of = _caller()
    return retrieve.metadata(row(study, of), series, instance, _accept(), of)


def _accept() -> str:
    return str(request_of(app).headers.get("accept", ""))


def _query() -> search.Query:
    given = request_of(app).query_params
    return {name: given.getlist(name) for name in given} if given else {}
