"""A REST API and the Chalice app that answers it know the same routes, and only callers that are known get in."""

import importlib

import pytest

from tests.stacks.synthesis import PIPELINES, TARGET_NAMES, Assembly, assembly, references


@pytest.fixture(scope="module", params=TARGET_NAMES)
def suite(request: pytest.FixtureRequest) -> Assembly:
    return assembly(request.param)


# An API, by the service that answers it -> the stack that has it.
APIS = {**PIPELINES, "review": "CuatroImaging"}


def answered(suite: Assembly, service: str) -> set[str]:
    """Logical ids of the API that `service` answers: its methods call its function."""
    stack, module = APIS[service], f"functions.{service}.api.handler"
    (function,) = (each.resource.id for each in suite.functions() if each.module == module)
    reached = {function} | {
        alias.id
        for alias in suite.resources("AWS::Lambda::Alias", within=[stack])
        if alias.properties["FunctionName"]["Ref"] == function
    }
    return {
        method.properties["RestApiId"]["Ref"]
        for method in suite.resources("AWS::ApiGateway::Method", within=[stack])
        if reached & set(references(method.properties["Integration"]["Uri"]))
    }


def routes(suite: Assembly, service: str) -> dict[tuple[str, str], str]:
    """(verb, path) -> who is let in, of every method that CloudFormation makes for the API of `service`."""
    stack = APIS[service]
    (api,) = answered(suite, service)
    parents = {
        each.id: each.properties
        for each in suite.resources("AWS::ApiGateway::Resource", within=[stack])
        if each.properties["RestApiId"]["Ref"] == api
    }

    def path(reference: dict[str, str]) -> str:
        found = parents.get(reference.get("Ref", ""))
        return f"{path(found['ParentId'])}/{found['PathPart']}" if found else ""

    return {
        (method.properties["HttpMethod"], path(method.properties["ResourceId"])): method.properties["AuthorizationType"]
        for method in suite.resources("AWS::ApiGateway::Method", within=[stack])
        if method.properties["RestApiId"]["Ref"] == api
    }


@pytest.mark.parametrize("service", APIS)
def test_resources_are_the_chalice_apps_routes(suite: Assembly, service: str) -> None:
    app = importlib.import_module(f"functions.{service}.api.handler").app
    assert set(routes(suite, service)) == {(verb, path) for path, verbs in app.routes.items() for verb in verbs}


@pytest.mark.parametrize("service", APIS)
def test_every_method_wants_a_signature_or_a_token(suite: Assembly, service: str) -> None:
    """IAM's; web hooks, whose senders have none, sign the body with a secret that the function knows; hospitals'
    systems have a token, which a function of its own knows."""
    found = routes(suite, service)
    others = {route: kind for route, kind in found.items() if kind != "AWS_IAM"}
    tokens = dict.fromkeys(found, "CUSTOM")
    hooks = {("POST", "/hooks/{source}"): "NONE"}
    assert others == {"sentiment": hooks, "imaging": tokens}.get(service, {})


def test_a_token_is_asked_about_again_within_a_minute(suite: Assembly) -> None:
    """So long may one that was taken back still get in."""
    (authorizer,) = suite.resources("AWS::ApiGateway::Authorizer")
    assert authorizer.properties["AuthorizerResultTtlInSeconds"] <= 60
    assert authorizer.properties["IdentitySource"] == "method.request.header.Authorization"
    (function,) = (each.resource.id for each in suite.functions() if each.module.endswith(".authorize.handler"))
    assert function in references(authorizer.properties["AuthorizerUri"])


def test_every_stage_is_throttled_and_logs_access_but_no_bodies(suite: Assembly) -> None:
    for stage in suite.resources("AWS::ApiGateway::Stage"):
        assert stage.properties["AccessLogSetting"]["DestinationArn"], stage.where
        for settings in stage.properties["MethodSettings"]:
            assert settings["ThrottlingRateLimit"] > 0
            assert settings["ThrottlingBurstLimit"] > 0
            assert settings["DataTraceEnabled"] is False, "bodies hold personal data"


def test_only_named_apis_topics_and_rules_may_call_functions(suite: Assembly) -> None:
    for permission in suite.resources("AWS::Lambda::Permission"):
        callers = {"apigateway.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"}
        assert permission.properties["Principal"] in callers, permission.where
        assert permission.properties["SourceArn"], permission.where


@pytest.mark.parametrize("service", APIS)
def test_only_the_api_may_call_the_apis_function(suite: Assembly, service: str) -> None:
    module = f"functions.{service}.api.handler"
    function = next(each for each in suite.functions() if each.module == module).resource
    for permission in suite.resources("AWS::Lambda::Permission", within=[APIS[service]]):
        if suite.function_named(permission.stack, permission.properties["FunctionName"]) == function.id:
            assert permission.properties["Principal"] == "apigateway.amazonaws.com"
