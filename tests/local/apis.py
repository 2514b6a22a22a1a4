"""REST API of a test: one function behind every path, answered at the platform's plain and at its TLS port."""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple

from local.platform.account import REGION
from local.platform.process import Platform
from tests.local.conftest import Function, name

INVOCATIONS = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{{}}/invocations"


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """The body decoded."""
        return json.loads(self.body)


class Api:
    """A stage of a REST API whose only method, ANY of every path, is a function (see `rest_api`)."""

    def __init__(self, platform: Platform, identity: str) -> None:
        self.platform, self.id = platform, identity

    def url(self, path: str, secure: bool) -> str:
        """URL of a path, by TLS or in the clear."""
        endpoint = self.platform.secure_endpoint if secure else self.platform.endpoint
        return f"{endpoint}/restapis/{self.id}/t/_user_request_{path}"

    def call(self, path: str = "/x", data: bytes | None = None, *, secure: bool = True, **headers: str) -> Answer:
        """Answer of a GET, or a POST of data; "_" in a header's name stands for "-"."""
        context = ssl.create_default_context(cafile=str(self.platform.authority)) if secure else None
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        request = urllib.request.Request(self.url(path, secure), data, named)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:  # noqa: S310
                return Answer(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _body(error), dict(error.headers))


def rest_api(platform: Platform, made: Function, authorizer: Function | None = None, **of_api: Any) -> Api:
    """Every path of a new API answered by `made`, where `authorizer`, by the Authorization header, lets it."""
    gateway = made.here.client("apigateway")
    api = gateway.create_rest_api(name=name("api"), **of_api)
    found = gateway.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="{proxy+}")
    where = {"restApiId": api["id"], "resourceId": found["id"], "httpMethod": "ANY"}
    by: dict[str, Any] = {"authorizationType": "NONE"}
    if authorizer:
        checks = gateway.create_authorizer(
            restApiId=api["id"], name="tokens", type="TOKEN", identitySource="method.request.header.Authorization",
            authorizerUri=INVOCATIONS.format(authorizer.arn), authorizerResultTtlInSeconds=0,
        )  # fmt: skip
        by = {"authorizationType": "CUSTOM", "authorizerId": checks["id"]}
    gateway.put_method(**where, **by)
    gateway.put_integration(
        **where, type="AWS_PROXY", integrationHttpMethod="POST", uri=INVOCATIONS.format(made.arn)
    )  # fmt: skip
    gateway.create_deployment(restApiId=api["id"], stageName="t")
    for function in (made, authorizer):
        if function:
            function.here.client("lambda").add_permission(
                FunctionName=function.name, StatementId=name("api"), Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
            )  # fmt: skip
    return Api(platform, api["id"])


def _body(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read()
    except http.client.IncompleteRead as cut:
        return cut.partial
