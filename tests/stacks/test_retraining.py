"""The loop of retraining as CloudFormation gets it: the pipeline's definition, the roll-out, triggers, exact grants."""

import copy
import json
from typing import Any

import pytest

from tests.stacks.definitions import joined, pipeline, steps, unresolved
from tests.stacks.loops import LOOPS, Deployed
from tests.stacks.synthesis import DEFAULT, STACKS, TARGET_NAMES, assembly, references

NAMES = ["FindChampion", "BuildTrainingSet", "Train", "Evaluate", "Gate", "Register", "Refused"]
OF_RETRAINING = ("AWS::SageMaker::", "AWS::StepFunctions::", "AWS::ECR::", "Custom::RestoreModel")
# It is not retrained by itself; its state machine reads studies.
_UNTRAINED = "CuatroImaging"


@pytest.fixture(
    scope="module",
    params=[(target, name) for target in TARGET_NAMES for name, loop in LOOPS.items() if loop.stack in STACKS],
    ids="-".join,
)
def deployed(request: pytest.FixtureRequest) -> Deployed:
    target, name = request.param
    return Deployed(assembly(target), LOOPS[name])


# --- the pipeline ---


def test_every_reference_of_the_definition_resolves(deployed: Deployed) -> None:
    definition = deployed.definition()
    assert [step["Name"] for step in steps(definition)] == NAMES
    assert unresolved(definition) == []


def test_a_reference_that_leads_nowhere_is_found() -> None:
    """So that the test above means something."""
    definition = copy.deepcopy(pipeline(assembly(DEFAULT), "CuatroFraud"))
    definition["Steps"][2]["Arguments"]["HyperParameters"]["seed"] = {"Get": "Parameters.Seeed"}
    definition["Steps"][1]["Arguments"]["RoleArn"] = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    assert unresolved(definition) == [
        "BuildTrainingSet: Steps.Train.ModelArtifacts.S3ModelArtifacts",
        "Train: Parameters.Seeed",
    ]


def test_numbers_are_made_texts_where_sagemaker_wants_texts(deployed: Deployed) -> None:
    """SageMaker refuses a reference to a number there: a join makes it a text."""
    definition = deployed.definition()
    numbers = {each["Name"] for each in definition["Parameters"] if each["Type"] != "String"}
    for step in steps(definition):
        given = step["Arguments"]
        texts = [
            *given.get("HyperParameters", {}).values(), *given.get("CustomerMetadataProperties", {}).values(),
            *given.get("AppSpecification", {}).get("ContainerArguments", ()), *given.get("Environment", {}).values(),
        ]  # fmt: skip
        for value in texts:
            assert not (isinstance(value, dict) and value.get("Get", "").removeprefix("Parameters.") in numbers), value


def test_jobs_that_read_no_lake_have_no_network(deployed: Deployed) -> None:
    assert deployed.step("Train")["Arguments"]["EnableNetworkIsolation"] is True
    assert deployed.step("Evaluate")["Arguments"]["NetworkConfig"]["EnableNetworkIsolation"] is True


def test_the_pipeline_starts_its_own_jobs_and_passes_their_role_to_sagemaker_only(deployed: Deployed) -> None:
    grants = deployed.granted(str(deployed.only("AWS::SageMaker::Pipeline").properties["RoleArn"]["Fn::GetAtt"][0]))
    assert grants["iam:PassRole"] == {deployed.step("Train")["Arguments"]["RoleArn"]}
    for action, resources in grants.items():
        if action.endswith("TrainingJob"):
            assert all(resource.endswith(":training-job/pipelines-*") for resource in resources), action
    assert grants["lambda:InvokeFunction"] == {deployed.definition()["Steps"][0]["FunctionArn"]}
    assert {action for action in grants if action.startswith("s3:")} == {"s3:GetObject"}


def test_jobs_read_the_pipeline_s_folders_and_write_training_sets_and_models(deployed: Deployed) -> None:
    role = deployed.step("Train")["Arguments"]["RoleArn"].removeprefix("${").partition(".")[0]
    grants, own = deployed.granted(role), deployed.loop.pipeline
    written = {resource.partition("}")[2] for resource in grants["s3:PutObject"]}
    assert written == {f"/{own}/training/*", f"/{own}/models/*"}
    read = {resource.partition("}")[2] for resource in grants["s3:GetObject"]}
    lake = {f"/{own}/{folder}/*" for folder in deployed.loop.reads}
    assert {each for each in read if each.startswith(f"/{own}/")} == written | lake
    assert not {action.split(":")[0] for action in grants} - {"s3", "logs"}


# --- the roll-out ---


def test_a_roll_out_changes_exactly_the_versioned_functions_and_one_layer(deployed: Deployed) -> None:
    change = deployed.function("functions.lifecycle.rollout.handler")
    grants = deployed.granted(change.properties["Role"]["Fn::GetAtt"][0])
    jobs = (*deployed.loop.weighted, *deployed.loop.follows)
    versioned = {f"${{{deployed.function(job).id}.Arn}}" for job in jobs}
    for action in ("UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias", "GetAlias"):
        assert grants[f"lambda:{action}"] == versioned, action
    name = f"{deployed.loop.name}-model"
    assert [resource.rpartition(":")[2] for resource in grants["lambda:PublishLayerVersion"]] == [name]
    (model,) = (layer for layer in deployed.resources("AWS::Lambda::LayerVersion") if "LayerName" in layer.properties)
    assert model.properties["LayerName"] == name, "by its name a roll-out knows which layer to replace"


def test_deciding_functions_shift_and_explaining_ones_follow(deployed: Deployed) -> None:
    variables = deployed.function("functions.lifecycle.rollout.handler").properties["Environment"]["Variables"]
    kinds = json.loads(joined(variables["FUNCTIONS"]))
    named = {f"${{{deployed.function(job).id}}}": "weighted" for job in deployed.loop.weighted}
    assert kinds == named | {f"${{{deployed.function(job).id}}}": "follows" for job in deployed.loop.follows}
    alarms = {f"${{{alarm.id}}}" for alarm in deployed.resources("AWS::CloudWatch::Alarm")}
    watched = set(json.loads(joined(variables["ALARMS"])))
    assert watched
    assert watched <= alarms


def test_the_live_model_is_put_back_after_the_aliases_are_deployed(deployed: Deployed) -> None:
    restore = deployed.suite.template(deployed.loop.stack)["Resources"][deployed.only("Custom::RestoreModel").id]
    aliases = {alias.id for alias in deployed.resources("AWS::Lambda::Alias")}
    assert aliases <= set(restore["DependsOn"])
    versions = {version.id for version in deployed.resources("AWS::Lambda::Version")}
    assert set(references(restore["Properties"]["Versions"])) == versions, "each new version must cause it"


def test_every_state_leads_on_and_every_failure_rolls_back(deployed: Deployed) -> None:
    machine = json.loads(joined(deployed.only("AWS::StepFunctions::StateMachine").properties["DefinitionString"]))
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


def test_only_an_approval_starts_a_roll_out(deployed: Deployed) -> None:
    """A roll-out itself changes the version that it brings live, which tells the same event."""
    (detail,) = (pattern["detail"] for pattern in deployed.patterns() if pattern["source"] == ["aws.sagemaker"])
    assert detail["ModelApprovalStatus"] == ["Approved"]
    assert detail["ModelPackageGroupName"] == [deployed.loop.name]
    assert detail["UpdatedModelPackageFields"] == [{"exists": False}, "ModelApprovalStatus"]


def test_a_roll_out_that_is_stopped_on_its_way_is_taken_back(deployed: Deployed) -> None:
    """No state of a machine runs any more after its time limit, or after a person has stopped it."""
    (pattern,) = (pattern for pattern in deployed.patterns() if pattern["source"] == ["aws.states"])
    assert pattern["detail"]["status"] == ["ABORTED", "FAILED", "TIMED_OUT"]
    machine = deployed.only("AWS::StepFunctions::StateMachine").id
    assert pattern["detail"]["stateMachineArn"] == [{"Ref": machine}]
    (target,) = (
        rule.properties["Targets"][0]
        for rule in deployed.resources("AWS::Events::Rule")
        if rule.properties.get("EventPattern") == pattern
    )
    change = deployed.function("functions.lifecycle.rollout.handler")
    assert target["Arn"] == {"Fn::GetAtt": [change.id, "Arn"]}
    assert target["InputTransformer"]["InputPathsMap"] == {"detail-executionArn": "$.detail.executionArn"}
    assert '"action":"roll_back"' in target["InputTransformer"]["InputTemplate"]


# --- what starts it, and without it ---


@pytest.mark.parametrize("target", TARGET_NAMES)
def test_four_alarms_of_fraud_start_a_retraining(target: str) -> None:
    fraud = Deployed(assembly(target), LOOPS["fraud"])
    (subscription,) = fraud.resources("AWS::SNS::Subscription")
    topic = subscription.properties["TopicArn"]
    retrain = fraud.function("functions.lifecycle.retrain.handler")
    assert references(subscription.properties["Endpoint"]) == [retrain.id]
    starting = {
        alarm.properties["MetricName"]: alarm.properties["Dimensions"]
        for alarm in fraud.resources("AWS::CloudWatch::Alarm")
        if topic in alarm.properties["AlarmActions"]
    }
    assert set(starting) == {"InputPsiMax", "ScorePsi", "PerformanceRatio", "NewFraudLabels"}
    assert all(dimensions == [{"Name": "service", "Value": "fraud"}] for dimensions in starting.values())


def test_a_schedule_starts_a_retraining_on_aws_only(deployed: Deployed) -> None:
    schedules = {
        rule.properties["ScheduleExpression"]: rule.properties
        for rule in deployed.resources("AWS::Events::Rule")
        if "ScheduleExpression" in rule.properties
    }
    retrain = deployed.function("functions.lifecycle.retrain.handler").id
    starting = [when for when, rule in schedules.items() if references(rule["Targets"][0]["Arn"]) == [retrain]]
    schedule = {"fraud": "rate(28 days)", "recommendations": "cron(30 1 * * ? *)", "sentiment": "rate(7 days)"}
    assert starting == [schedule[deployed.loop.pipeline]]
    local = not deployed.suite.path.name.startswith(("dev", "prod"))
    assert schedules[starting[0]]["State"] == ("DISABLED" if local else "ENABLED")


def test_the_roll_out_reads_what_it_compares_and_no_more_of_what_was_delivered(deployed: Deployed) -> None:
    change, own = deployed.function("functions.lifecycle.rollout.handler"), deployed.loop.pipeline
    variables = change.properties["Environment"]["Variables"]
    assert json.loads(variables["PLAN"])["compares"] == deployed.loop.compares
    grants = deployed.granted(change.properties["Role"]["Fn::GetAtt"][0])
    read = {resource.partition("}")[2] for resource in grants["s3:GetObject"]}
    assert {each for each in read if each.startswith(f"/{own}/")} == {
        f"/{own}/{deployed.loop.compares}/*",
        f"/{own}/models/*",
    }


@pytest.mark.parametrize("target", TARGET_NAMES)
def test_without_retraining_there_is_none_of_it_and_the_aliases_stay(target: str) -> None:
    without = assembly(target, None, None, "off")
    trained = [stack for stack in STACKS if stack != _UNTRAINED]
    assert not [each.where for each in without.resources(within=trained) if each.type.startswith(OF_RETRAINING)]
    assert not [each.module for each in without.functions() if ".lifecycle." in each.module or ".drift." in each.module]
    fraud = Deployed(without, LOOPS["fraud"])
    assert len(fraud.resources("AWS::Lambda::Alias")) == 3
    assert len(fraud.resources("AWS::KinesisFirehose::DeliveryStream")) == 2, "the lake is kept for a later training"
