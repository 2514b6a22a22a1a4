"""The loop of retraining as CloudFormation gets it: the pipeline's definition, the roll-out, triggers, exact grants."""

import copy
import json
from typing import Any

import pytest

from tests.stacks.definitions import joined, pipeline, steps, unresolved
from tests.stacks.synthesis import DEFAULT, TARGET_NAMES, Assembly, Resource, assembly, references

NAMES = ["FindChampion", "BuildTrainingSet", "Train", "Evaluate", "Gate", "Register", "Refused"]
OF_RETRAINING = ("AWS::SageMaker::", "AWS::StepFunctions::", "AWS::ECR::", "Custom::RestoreModel")


@pytest.fixture(scope="module", params=TARGET_NAMES)
def suite(request: pytest.FixtureRequest) -> Assembly:
    return assembly(request.param)


def only(suite: Assembly, kind: str) -> Resource:
    (found,) = suite.resources(kind)
    return found


def function(suite: Assembly, module: str) -> Resource:
    return next(each.resource for each in suite.functions() if each.module == module)


def granted(suite: Assembly, role: str) -> dict[str, set[str]]:
    """Action -> resources, as texts, that a role may do it on."""
    found: dict[str, set[str]] = {}
    for policy in suite.resources("AWS::IAM::Policy"):
        if {"Ref": role} in policy.properties["Roles"]:
            for statement in policy.properties["PolicyDocument"]["Statement"]:
                actions, resources = statement["Action"], statement["Resource"]
                for action in [actions] if isinstance(actions, str) else actions:
                    these = resources if isinstance(resources, list) else [resources]
                    found.setdefault(action, set()).update(map(joined, these))
    return found


def patterns(suite: Assembly) -> list[dict[str, Any]]:
    rules = (each.properties for each in suite.resources("AWS::Events::Rule"))
    return [rule["EventPattern"] for rule in rules if "EventPattern" in rule]


def role_of(suite: Assembly, kind: str) -> str:
    return str(only(suite, kind).properties["RoleArn"]["Fn::GetAtt"][0])


# --- the pipeline ---


def test_every_reference_of_the_definition_resolves(suite: Assembly) -> None:
    definition = pipeline(suite)
    assert [step["Name"] for step in steps(definition)] == NAMES
    assert unresolved(definition) == []


def test_a_reference_that_leads_nowhere_is_found() -> None:
    """So that the test above means something."""
    definition = copy.deepcopy(pipeline(assembly(DEFAULT)))
    definition["Steps"][2]["Arguments"]["HyperParameters"]["seed"] = {"Get": "Parameters.Seeed"}
    definition["Steps"][1]["Arguments"]["RoleArn"] = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    assert unresolved(definition) == [
        "BuildTrainingSet: Steps.Train.ModelArtifacts.S3ModelArtifacts",
        "Train: Parameters.Seeed",
    ]


def test_numbers_are_made_texts_where_sagemaker_wants_texts(suite: Assembly) -> None:
    """SageMaker refuses a reference to a number there: a join makes it a text."""
    definition = pipeline(suite)
    numbers = {each["Name"] for each in definition["Parameters"] if each["Type"] != "String"}
    for step in steps(definition):
        given = step["Arguments"]
        texts = [
            *given.get("HyperParameters", {}).values(), *given.get("CustomerMetadataProperties", {}).values(),
            *given.get("AppSpecification", {}).get("ContainerArguments", ()), *given.get("Environment", {}).values(),
        ]  # fmt: skip
        for value in texts:
            assert not (isinstance(value, dict) and value.get("Get", "").removeprefix("Parameters.") in numbers), value


def test_the_gate_wants_all_of_its_conditions(suite: Assembly) -> None:
    (gate,) = (step for step in steps(pipeline(suite)) if step["Name"] == "Gate")
    paths = [each["LeftValue"]["Std:JsonGet"]["Path"] for each in gate["Arguments"]["Conditions"]]
    assert paths == [
        "gain.average_precision", "gain.lower", "gain.ece", "gain.latency_ratio", "gain.worst_slice", "sane",
    ]  # fmt: skip


def test_jobs_that_read_no_lake_have_no_network(suite: Assembly) -> None:
    arguments = {step["Name"]: step["Arguments"] for step in steps(pipeline(suite))}
    assert arguments["Train"]["EnableNetworkIsolation"] is True
    assert arguments["Evaluate"]["NetworkConfig"]["EnableNetworkIsolation"] is True


def test_the_pipeline_starts_its_own_jobs_and_passes_their_role_to_sagemaker_only(suite: Assembly) -> None:
    grants = granted(suite, role_of(suite, "AWS::SageMaker::Pipeline"))
    (train,) = (step for step in steps(pipeline(suite)) if step["Name"] == "Train")
    assert grants["iam:PassRole"] == {train["Arguments"]["RoleArn"]}
    for action, resources in grants.items():
        if action.endswith("TrainingJob"):
            assert all(resource.endswith(":training-job/pipelines-*") for resource in resources), action
    assert grants["lambda:InvokeFunction"] == {pipeline(suite)["Steps"][0]["FunctionArn"]}
    assert {action for action in grants if action.startswith("s3:")} == {"s3:GetObject"}


def test_jobs_write_training_sets_and_models_and_nothing_else(suite: Assembly) -> None:
    (train,) = (step for step in steps(pipeline(suite)) if step["Name"] == "Train")
    grants = granted(suite, train["Arguments"]["RoleArn"].removeprefix("${").partition(".")[0])
    written = {resource.partition("}")[2] for resource in grants["s3:PutObject"]}
    assert written == {"/fraud/training/*", "/fraud/models/*"}
    assert not {action.split(":")[0] for action in grants} - {"s3", "logs"}


# --- the roll-out ---


def test_a_roll_out_changes_exactly_the_versioned_functions_and_one_layer(suite: Assembly) -> None:
    change = function(suite, "functions.lifecycle.rollout.handler")
    grants = granted(suite, change.properties["Role"]["Fn::GetAtt"][0])
    versioned = {
        f"${{{function(suite, f'functions.fraud.{job}.handler').id}.Arn}}" for job in ("score", "act", "api", "drift")
    }
    for action in ("UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias", "GetAlias"):
        assert grants[f"lambda:{action}"] == versioned, action
    assert [resource.rpartition(":")[2] for resource in grants["lambda:PublishLayerVersion"]] == ["cuatrofraud-model"]
    (model,) = (layer for layer in suite.resources("AWS::Lambda::LayerVersion") if "LayerName" in layer.properties)
    assert model.properties["LayerName"] == "cuatrofraud-model", "by its name a roll-out knows which layer to replace"


def test_deciding_functions_shift_and_explaining_ones_follow(suite: Assembly) -> None:
    variables = function(suite, "functions.lifecycle.rollout.handler").properties["Environment"]["Variables"]
    kinds = json.loads(joined(variables["FUNCTIONS"]))
    named = {module: f"${{{function(suite, f'functions.fraud.{module}.handler').id}}}" for module in
             ("score", "api", "act", "drift")}  # fmt: skip
    assert kinds == {
        named["score"]: "weighted", named["api"]: "weighted", named["act"]: "follows", named["drift"]: "follows",
    }  # fmt: skip
    alarms = {f"${{{alarm.id}}}" for alarm in suite.resources("AWS::CloudWatch::Alarm")}
    watched = set(json.loads(joined(variables["ALARMS"])))
    assert watched
    assert watched <= alarms


def test_the_live_model_is_put_back_after_the_aliases_are_deployed(suite: Assembly) -> None:
    restore = suite.template("CuatroFraud")["Resources"][only(suite, "Custom::RestoreModel").id]
    aliases = {alias.id for alias in suite.resources("AWS::Lambda::Alias")}
    assert aliases <= set(restore["DependsOn"])
    versions = {version.id for version in suite.resources("AWS::Lambda::Version")}
    assert set(references(restore["Properties"]["Versions"])) == versions, "each new version must cause it"


def test_every_state_leads_on_and_every_failure_rolls_back(suite: Assembly) -> None:
    machine = json.loads(joined(only(suite, "AWS::StepFunctions::StateMachine").properties["DefinitionString"]))
    states: dict[str, Any] = machine["States"]
    led = {machine["StartAt"]}
    for name, state in states.items():
        following = [state.get("Next"), state.get("Default")]
        following += [each["Next"] for each in (*state.get("Choices", ()), *state.get("Catch", ()))]
        for other in filter(None, following):
            assert other in states, f"{name} leads to {other}, which there is not"
            led.add(other)
        if state["Type"] == "Task" and not name.startswith("RollBack"):
            assert state["Catch"][0]["ErrorEquals"] == ["States.ALL"], name
            assert states[state["Catch"][0]["Next"]]["Parameters"]["Payload"]["action"] == "roll_back", name
        if state["Type"] == "Choice" and name != "WhetherAll":
            assert state["Default"] == "RollBack", "what is not foreseen must not go on"
    assert led == set(states), "a state that nothing leads to"


def test_only_an_approval_starts_a_roll_out(suite: Assembly) -> None:
    """A roll-out itself changes the version that it brings live, which tells the same event."""
    (detail,) = (pattern["detail"] for pattern in patterns(suite) if pattern["source"] == ["aws.sagemaker"])
    assert detail["ModelApprovalStatus"] == ["Approved"]
    assert detail["ModelPackageGroupName"] == ["cuatrofraud"]
    assert detail["UpdatedModelPackageFields"] == [{"exists": False}, "ModelApprovalStatus"]


def test_a_roll_out_that_is_stopped_on_its_way_is_taken_back(suite: Assembly) -> None:
    """No state of a machine runs any more after its time limit, or after a person has stopped it."""
    (pattern,) = (pattern for pattern in patterns(suite) if pattern["source"] == ["aws.states"])
    assert pattern["detail"]["status"] == ["ABORTED", "FAILED", "TIMED_OUT"]
    machine = only(suite, "AWS::StepFunctions::StateMachine").id
    assert pattern["detail"]["stateMachineArn"] == [{"Ref": machine}]
    (target,) = (
        rule.properties["Targets"][0]
        for rule in suite.resources("AWS::Events::Rule")
        if rule.properties.get("EventPattern") == pattern
    )
    change = function(suite, "functions.lifecycle.rollout.handler")
    assert target["Arn"] == {"Fn::GetAtt": [change.id, "Arn"]}
    assert target["InputTransformer"]["InputPathsMap"] == {"detail-executionArn": "$.detail.executionArn"}
    assert '"action":"roll_back"' in target["InputTransformer"]["InputTemplate"]


# --- what starts it, and without it ---


def test_four_alarms_start_a_retraining(suite: Assembly) -> None:
    (subscription,) = suite.resources("AWS::SNS::Subscription")
    topic = subscription.properties["TopicArn"]
    retrain = function(suite, "functions.lifecycle.retrain.handler")
    assert references(subscription.properties["Endpoint"]) == [retrain.id]
    starting = {
        alarm.properties["MetricName"]: alarm.properties["Dimensions"]
        for alarm in suite.resources("AWS::CloudWatch::Alarm")
        if topic in alarm.properties["AlarmActions"]
    }
    assert set(starting) == {"InputPsiMax", "ScorePsi", "PerformanceRatio", "NewFraudLabels"}
    assert all(dimensions == [{"Name": "service", "Value": "fraud"}] for dimensions in starting.values())


@pytest.mark.parametrize(("target", "state"), [("local", "DISABLED"), ("dev", "ENABLED"), ("prod", "ENABLED")])
def test_schedules_run_on_aws_only(target: str, state: str) -> None:
    rules = [each.properties for each in assembly(target).resources("AWS::Events::Rule")]
    assert [rule["State"] for rule in rules if "ScheduleExpression" in rule] == [state, state]


@pytest.mark.parametrize("target", TARGET_NAMES)
def test_without_retraining_there_is_none_of_it_and_the_aliases_stay(target: str) -> None:
    without = assembly(target, None, None, "off")
    assert not [each.where for each in without.resources() if each.type.startswith(OF_RETRAINING)]
    modules = {each.module for each in without.functions()}
    assert modules == {f"functions.fraud.{job}.handler" for job in ("score", "act", "api", "learn")}
    assert len(without.resources("AWS::Lambda::Alias")) == 3
    assert len(without.resources("AWS::KinesisFirehose::DeliveryStream")) == 2, "the lake is kept for a later training"
