"""A REST request <-> its answer: body, correlation id, entity tags, and errors in one shape with the right status.

{"error": {"code", "field", "message"}}, whether the error is ours or Chalice's.
"""

import json
import re
from collections.abc import Callable
from functools import wraps
from hashlib import blake2b
from typing import Any, ParamSpec

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from chalice.app import Chalice, Request, Response

from cuatro.errors import Conflict, Rejected, Unavailable
from cuatro.events import checked_id

P = ParamSpec("P")
_STATUS = {
    "unauthorized": 401, "forbidden": 403, "tls_required": 403, "not_found": 404, "not_acceptable": 406,
    "transaction_id_reused": 409, "oversized": 413, "unsupported_media_type": 415,
}  # fmt: skip
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")

logger = Logger()


def answered(view: Callable[P, dict[str, Any] | Response]) -> Callable[P, Response]:
    """A view that raises Rejected or Unavailable -> one that answers 4xx or 503. Anything else stays a 500."""

    @wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            given = view(*args, **kwargs)
            return given if isinstance(given, Response) else Response(given)
        except Rejected as rejected:
            logger.warning("rejected", reason=rejected.reason, field=rejected.field, code=rejected.code)
            usual = 409 if isinstance(rejected, Conflict) else 400
            return error(_STATUS.get(rejected.code, usual), rejected.code, rejected.reason, rejected.field)
        except Unavailable:
            logger.exception("unavailable")
            return error(503, "unavailable", "cannot be done at the moment, try again", headers={"Retry-After": "1"})

    return answer


def routed(app: Chalice, event: dict[str, Any], context: Any, log: Logger, metrics: Metrics) -> dict[str, Any]:
    """The whole of one request: counted, with its correlation id in every line of the log and in the answer."""
    correlation_id = correlation_of(event)
    log.set_correlation_id(correlation_id)
    metrics.add_metric("Requests", MetricUnit.Count, 1)
    answer: dict[str, Any] = reshaped(app(event, context))
    answer["headers"]["x-correlation-id"] = correlation_id
    return answer


def request_of(app: Chalice) -> Request:
    """The request that is being answered."""
    request = app.current_request
    assert request is not None, "within a request"  # noqa: S101 - for the type checker
    return request


def body_of(app: Chalice) -> bytes:
    """The request's body, whatever its media type."""
    body = request_of(app).raw_body
    return body.encode() if isinstance(body, str) else body


def tags_of(request: Request) -> list[str]:
    """Entity tags that the client has (If-None-Match), without quotes; weak ones are as good here (RFC 9110)."""
    given = str(request.headers.get("if-none-match", ""))
    return [tag.strip().removeprefix("W/").strip('"') for tag in given.split(",") if tag.strip()]


def cached(
    body: dict[str, Any] | None, request: Request, control: str, tag: str | None = None, status: int = 200
) -> Response:
    """An answer that clients may keep as `control` (Cache-Control) says; 304 where they have it already.

    tag: by default a hash of the body, "" for an answer that has none. body None: 304 is known to be right.
    """
    encoded = b"" if body is None else msgspec.json.encode(body)
    tag = blake2b(encoded, digest_size=12).hexdigest() if tag is None else tag
    headers: dict[str, str | list[str]] = {"Cache-Control": control, "Content-Type": "application/json"}
    if tag:
        headers["ETag"] = f'"{tag}"'
    if body is None or (tag and tag in tags_of(request)):
        return Response("", headers, 304)
    return Response(encoded.decode(), headers, status)


def correlation_of(event: dict[str, Any]) -> str:
    """The caller's x-correlation-id if it is a proper id, else the request's own."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        return checked_id(headers.get("x-correlation-id", ""), "x-correlation-id")
    except Rejected:
        return str(event["requestContext"]["requestId"])


def error(
    status: int, code: str, message: str, field: str | None = None, headers: dict[str, Any] | None = None
) -> Response:
    """An error answer."""
    return Response({"error": {"code": code, "field": field, "message": message}}, headers, status)


def reshaped(answer: dict[str, Any]) -> dict[str, Any]:
    """Chalice's own errors (unknown method, media type, an exception of ours) in our shape."""
    if answer["statusCode"] < 400 or not answer["body"].startswith('{"Code"'):
        return answer
    own = json.loads(answer["body"])
    code = _WORDS.sub("_", own["Code"].removesuffix("Error")).lower()
    body = {"error": {"code": code, "field": None, "message": own["Message"]}}
    return {**answer, "body": json.dumps(body)}
