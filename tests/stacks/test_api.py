"""The REST API and the Chalice app that answers it know the same routes, and only signed requests get in."""

import importlib

import pytest

from tests.stacks.synthesis import PIPELINES, TARGET_NAMES, Assembly, assembly


@pytest.fixture(scope="module", params=TARGET_NAMES)
def suite(request: pytest.FixtureRequest) -> Assembly:
    return assembly(request.param)


def routes(suite: Assembly, stack: str) -> dict[tuple[str, str], str]:
    """(verb, path) -> who is let in, of every method that CloudFormation makes."""
    parents = {each.id: each.properties for each in suite.resources("AWS::ApiGateway::Resource", within=[stack])}

    def path(reference: dict[str, str]) -> str:
        found = parents.get(reference.get("Ref", ""))
        return f"{path(found['ParentId'])}/{found['PathPart']}" if found else ""

    return {
        (method.properties["HttpMethod"], path(method.properties["ResourceId"])): method.properties["AuthorizationType"]
        for method in suite.resources("AWS::ApiGateway::Method", within=[stack])
    }


@pytest.mark.parametrize(("pipeline", "stack"), PIPELINES.items())
def test_resources_are_the_chalice_apps_routes(suite: Assembly, pipeline: str, stack: str) -> None:
    app = importlib.import_module(f"functions.{pipeline}.api.handler").app
    assert set(routes(suite, stack)) == {(verb, path) for path, verbs in app.routes.items() for verb in verbs}


@pytest.mark.parametrize(("pipeline", "stack"), PIPELINES.items())
def test_every_method_wants_a_signature(suite: Assembly, pipeline: str, stack: str) -> None:
    """IAM's; web hooks, whose senders have none, sign the body with a secret that the function knows."""
    others = {route: kind for route, kind in routes(suite, stack).items() if kind != "AWS_IAM"}
    assert others == ({("POST", "/hooks/{source}"): "NONE"} if pipeline == "sentiment" else {})


def test_every_stage_is_throttled_and_logs_access_but_no_bodies(suite: Assembly) -> None:
    for stage in suite.resources("AWS::ApiGateway::Stage"):
        assert stage.properties["AccessLogSetting"]["DestinationArn"], stage.where
        for settings in stage.properties["MethodSettings"]:
            assert settings["ThrottlingRateLimit"] > 0
            assert settings["ThrottlingBurstLimit"] > 0
            assert settings["DataTraceEnabled"] is False, "bodies hold card data"


def test_only_named_apis_topics_and_rules_may_call_functions(suite: Assembly) -> None:
    for permission in suite.resources("AWS::Lambda::Permission"):
        callers = {"apigateway.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"}
        assert permission.properties["Principal"] in callers, permission.where
        assert permission.properties["SourceArn"], permission.where


@pytest.mark.parametrize(("pipeline", "stack"), PIPELINES.items())
def test_only_the_api_may_call_the_apis_function(suite: Assembly, pipeline: str, stack: str) -> None:
    module = f"functions.{pipeline}.api.handler"
    function = next(each for each in suite.functions() if each.module == module).resource
    for permission in suite.resources("AWS::Lambda::Permission", within=[stack]):
        if suite.function_named(permission.stack, permission.properties["FunctionName"]) == function.id:
            assert permission.properties["Principal"] == "apigateway.amazonaws.com"
