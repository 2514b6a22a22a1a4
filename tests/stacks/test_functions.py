"""Every function: log group with retention, failure destination, alarms, its own role, the runtime of the tests."""

import importlib
import json
import sys
from collections import Counter
from dataclasses import fields

import pytest

from tests.functional.recommendations.suite import ENVIRONMENT
from tests.stacks.definitions import joined
from tests.stacks.synthesis import TARGET_NAMES, Assembly, Function, Resource, assembly, references

POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}
# A function's own stack watches these; IteratorAge only where there is a stream to lag behind.
WATCHED = {"Errors", "Throttles", "Duration"}
# They run for seconds a day: an alarm costs more than they do.
RARELY = {
    "functions.fraud.drift.handler",
    "functions.sentiment.poll.handler",
    *(f"functions.lifecycle.{job}.handler" for job in ("retrain", "champion", "rollout")),
    # Whose failures are those of the state machine, which has an alarm; a patient is erased by hand.
    *(
        f"functions.imaging.{job}.handler"
        for job in (
            "validate",
            "deidentify",
            "normalise",
            "route",
            "report",
            "reidentify",
            "deliver",
            "conclude",
            "erase",
        )
    ),
}
# Where a roll-out changes the model, triggers use the alias.
VERSIONED = {
    *(f"functions.fraud.{job}.handler" for job in ("score", "act", "api", "drift")),
    "functions.recommendations.api.handler",
    "functions.sentiment.classify.handler",
    "functions.imaging.infer.handler",
}
JOBS = {
    "fraud": ("score", "act", "api", "learn"),
    "recommendations": ("record", "api", "observe", "tally", "shelve"),
    "sentiment": ("poll", "api", "classify", "tally", "watch"),
    "imaging": (
        "authorize",
        "api",
        "receive",
        "begin",
        "validate",
        "deidentify",
        "normalise",
        "infer",
        "route",
        "report",
        "reidentify",
        "deliver",
        "conclude",
        "erase",
        "audit",
    ),
    "review": ("ask", "api", "remind"),
}
READERS = {"CuatroFraud": 3, "CuatroRecommendations": 4, "CuatroSentiment": 2}
QUEUE_READERS = {"CuatroImaging": ["audit", "begin", "receive"]}


@pytest.fixture(scope="module", params=TARGET_NAMES)
def suite(request: pytest.FixtureRequest) -> Assembly:
    return assembly(request.param)


def functions(suite: Assembly) -> list[Function]:
    found = list(suite.functions())
    assert {function.module for function in found} >= {
        f"functions.{pipeline}.{job}.handler" for pipeline, jobs in JOBS.items() for job in jobs
    }
    return found


def test_environment_is_exactly_the_handlers_settings(suite: Assembly) -> None:
    for function in functions(suite):
        settings = importlib.import_module(function.module.replace(".handler", ".settings")).Settings
        wanted = {field.name.upper() for field in fields(settings)}
        assert set(function.resource.properties["Environment"]["Variables"]) == wanted | POWERTOOLS, function.module


def test_runtime_is_the_python_of_the_tests_on_x86_64(suite: Assembly) -> None:
    for function in functions(suite):
        properties = function.resource.properties
        assert properties["Runtime"] == f"python3.{sys.version_info.minor}"
        assert properties["Architectures"] == ["x86_64"]


def test_logs_go_to_a_log_group_with_retention(suite: Assembly) -> None:
    kept = {
        (group.stack, group.id): group.properties.get("RetentionInDays")
        for group in suite.resources("AWS::Logs::LogGroup")
    }
    for function in functions(suite):
        group = function.resource.properties["LoggingConfig"]["LogGroup"]["Ref"]
        assert kept[function.resource.stack, group], function.module
    assert all(kept.values()), "a log group keeps its lines for ever"


def test_failed_asynchronous_invocations_go_to_a_queue(suite: Assembly) -> None:
    queues = {queue.id for queue in suite.resources("AWS::SQS::Queue")}
    configs = suite.resources("AWS::Lambda::EventInvokeConfig")
    for function in functions(suite):
        own = [
            config.properties
            for config in configs
            if (config.stack, config.properties["FunctionName"])
            == (function.resource.stack, {"Ref": function.resource.id})
        ]
        assert len(own) == (2 if function.module in VERSIONED else 1), "its alias needs one of its own"
        for config in own:
            assert config["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0] in queues


def sources(suite: Assembly, *, queues: bool) -> list[Resource]:
    """Mappings of queues, or of streams, to functions."""
    made = {(queue.stack, queue.id) for queue in suite.resources("AWS::SQS::Queue")}
    return [
        mapping
        for mapping in suite.resources("AWS::Lambda::EventSourceMapping")
        if ((mapping.stack, references(mapping.properties["EventSourceArn"])[0]) in made) == queues
    ]


def test_what_a_function_fails_of_a_queue_comes_again_and_then_lies_in_the_dead_letters(suite: Assembly) -> None:
    modules = {(each.resource.stack, each.resource.id): each for each in functions(suite)}
    queues = {(queue.stack, queue.id): queue.properties for queue in suite.resources("AWS::SQS::Queue")}
    found: dict[str, list[str]] = {}
    for mapping in sources(suite, queues=True):
        reader = modules[mapping.stack, suite.function_named(mapping.stack, mapping.properties["FunctionName"])]
        found.setdefault(mapping.stack, []).append(reader.module.split(".")[2])
        assert mapping.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"], mapping.where
        queue = queues[mapping.stack, references(mapping.properties["EventSourceArn"])[0]]
        assert queue["VisibilityTimeout"] >= 6 * reader.resource.properties["Timeout"], mapping.where
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5, "AWS's advice, for a queue that is throttled"
    assert {stack: sorted(readers) for stack, readers in found.items()} == QUEUE_READERS


def test_failed_batches_of_a_stream_go_to_a_queue(suite: Assembly) -> None:
    queues = {queue.id for queue in suite.resources("AWS::SQS::Queue")}
    mappings = sources(suite, queues=False)
    assert Counter(mapping.stack for mapping in mappings) == READERS
    for mapping in mappings:
        properties = mapping.properties
        assert properties["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0] in queues
        assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert properties["BisectBatchOnFunctionError"] is True
        assert properties["MaximumRetryAttempts"] > 0
        assert properties["MaximumRecordAgeInSeconds"] <= 24 * 3600, "older than what the streams keep"


def test_every_queue_has_an_alarm_and_every_first_queue_a_last_one(suite: Assembly) -> None:
    queues = {
        (queue.stack, queue.id): queue.properties.get("RedrivePolicy") for queue in suite.resources("AWS::SQS::Queue")
    }
    last = {(stack, policy["deadLetterTargetArn"]["Fn::GetAtt"][0]) for (stack, _), policy in queues.items() if policy}
    assert {queue for queue, policy in queues.items() if not policy} == last
    watched = {
        (alarm.stack, dimension["Value"]["Fn::GetAtt"][0])
        for alarm in suite.resources("AWS::CloudWatch::Alarm")
        for dimension in alarm.properties.get("Dimensions", [])
        if dimension["Name"] == "QueueName"
    }
    assert watched == set(queues)


def test_every_function_has_its_alarms_and_every_alarm_tells_somebody(suite: Assembly) -> None:
    alarms = suite.resources("AWS::CloudWatch::Alarm")
    reads_a_stream = {
        (mapping.stack, suite.function_named(mapping.stack, mapping.properties["FunctionName"]))
        for mapping in sources(suite, queues=False)
    }
    for function in functions(suite):
        stack, name = function.resource.stack, function.resource.id
        metrics = {
            alarm.properties["MetricName"]
            for alarm in alarms
            for dimension in alarm.properties.get("Dimensions", [])
            if (alarm.stack, dimension["Value"]) == (stack, {"Ref": name})
        }
        watched = {"Errors"} if function.module in RARELY else WATCHED
        reading = {"IteratorAge"} if (stack, name) in reads_a_stream else set()
        assert metrics == watched | reading, function.resource.where
    for alarm in alarms:
        assert alarm.properties["AlarmActions"], alarm.where
        assert alarm.properties["AlarmDescription"], alarm.where


def test_lists_that_the_model_did_not_rank_ring_and_stop_its_roll_out(suite: Assembly) -> None:
    """They are answered all the same, so no error tells of them."""
    (ring,) = (
        each
        for each in suite.resources("AWS::CloudWatch::Alarm")
        if each.properties.get("MetricName") == "RankerFailures"
    )
    assert ring.properties["Dimensions"] == [{"Name": "service", "Value": ENVIRONMENT["POWERTOOLS_SERVICE_NAME"]}]
    assert ring.properties["Namespace"] == ENVIRONMENT["POWERTOOLS_METRICS_NAMESPACE"]
    (roll_out,) = (
        each.resource
        for each in functions(suite)
        if (each.resource.stack, each.module) == (ring.stack, "functions.lifecycle.rollout.handler")
    )
    assert f"${{{ring.id}}}" in json.loads(joined(roll_out.properties["Environment"]["Variables"]["ALARMS"]))


def test_event_sources_apis_and_rules_reach_a_versioned_function_by_its_alias(suite: Assembly) -> None:
    versioned = {(each.resource.stack, each.resource.id) for each in functions(suite) if each.module in VERSIONED}
    aliases = suite.resources("AWS::Lambda::Alias")
    assert versioned == {(alias.stack, alias.properties["FunctionName"]["Ref"]) for alias in aliases}
    for resource in suite.resources(
        "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission", "AWS::ApiGateway::Method", "AWS::Events::Rule",
        "AWS::KinesisFirehose::DeliveryStream",
    ):  # fmt: skip
        reached = {(resource.stack, name) for name in references(resource.properties)}
        assert not versioned & reached, f"{resource.where} goes around the alias"


def test_no_two_functions_share_a_role(suite: Assembly) -> None:
    roles = [
        (function.resource.stack, function.resource.properties["Role"]["Fn::GetAtt"][0])
        for function in functions(suite)
    ]
    assert len(set(roles)) == len(roles)


def test_a_function_uses_layers_of_its_own_stack_only(suite: Assembly) -> None:
    for function in functions(suite):
        own = set(suite.template(function.resource.stack)["Resources"])
        for layer in function.resource.properties["Layers"]:
            assert layer.get("Ref") in own, f"{function.module} takes a layer from elsewhere: {layer}"
