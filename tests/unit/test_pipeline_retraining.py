"""The retraining pipelines that CDK deploys are ones that the service takes: every reference and type in them fits."""

import json
from typing import Any

import pytest

from cdk.retraining import Retraining
from cdk.retraining_definition import definition
from cdk.retraining_fraud import FraudRetraining
from cdk.retraining_jobs import Made
from cdk.retraining_recommendations import RecommendationsRetraining
from functions.lifecycle.rollout.plan import DecisionsPlan, ListsPlan, plan_of
from local.lifecycle.versions import METRICS
from local.sagemaker.pipelines.definition import parse
from local.sagemaker.pipelines.parameters import assigned
from local.sagemaker.pipelines.validation import check
from tests.stacks.definitions import steps, unresolved

ROLE = "arn:aws:iam::000000000000:role/jobs"
PIPELINES: dict[str, Retraining] = {"fraud": FraudRetraining(), "recommendations": RecommendationsRetraining()}


def made(pipeline: str) -> dict[str, Any]:
    """The definition that CDK makes."""
    loop = PIPELINES[pipeline]
    return definition(
        Made(
            pipeline=pipeline,
            recipe=loop.recipe,
            lake=f"s3://lake/{pipeline}",
            image="000000000000.dkr.ecr.us-east-1.amazonaws.com/cuatro-models:local",
            job_role=ROLE,
            champion="arn:aws:lambda:us-east-1:000000000000:function:champion",
            group=pipeline,
            instance_type="ml.m5.large",
            parameters=loop.parameters("0123456789ab"),
        )
    )


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_deployed_definition_is_taken_and_runs_in_this_order(pipeline: str) -> None:
    found = parse(json.dumps(made(pipeline)))
    check(found)
    assert assigned(found.parameters, [])["CodeVersion"] == "0123456789ab"
    assert {name: set(step.needs) for name, step in found.steps.items()} == {
        "FindChampion": set(),
        "BuildTrainingSet": set(),
        "Train": {"FindChampion", "BuildTrainingSet"},
        "Evaluate": {"FindChampion", "BuildTrainingSet", "Train"},
        "Gate": {"Evaluate"},
        "Register": {"Gate", "Evaluate", "Train", "BuildTrainingSet", "FindChampion"},
        "Refused": {"Gate", "Evaluate"},
    }


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_parameter_is_used_and_every_reference_leads_somewhere(pipeline: str) -> None:
    found = made(pipeline)
    assert unresolved(found) == []
    unused = {each["Name"] for each in found["Parameters"]}
    text = json.dumps(found["Steps"])
    assert {name for name in unused if f'"Parameters.{name}"' not in text} == set()


def test_jobs_of_recommendations_get_what_their_modules_take() -> None:
    found = {step["Name"]: step["Arguments"] for step in steps(made("recommendations"))}
    dataset = found["BuildTrainingSet"]["AppSpecification"]
    assert dataset["ContainerEntrypoint"] == ["python", "-m", "models.recommendations.dataset"]
    assert dataset["ContainerArguments"][:2] == ["--lake", "s3://lake/recommendations"]
    assert dataset["ContainerArguments"][2::2] == ["--as-of", "--train-days", "--evaluate-days"]
    assert found["Evaluate"]["AppSpecification"]["ContainerEntrypoint"][2] == "models.recommendations.gate"
    assert set(found["Train"]["HyperParameters"]) == {"seed", "ease_items", "data_hash"}
    assert found["Train"]["Environment"] == {"CUATRO_MODEL": "recommendations"}
    assert [each["ChannelName"] for each in found["Train"]["InputDataConfig"]] == ["train", "champion"]


def test_the_gate_of_recommendations_wants_all_of_its_conditions() -> None:
    (gate,) = (step for step in made("recommendations")["Steps"] if step["Name"] == "Gate")
    conditions = [
        (each["LeftValue"]["Std:JsonGet"]["Path"], each["Type"], each["RightValue"])
        for each in gate["Arguments"]["Conditions"]
    ]
    more, less = "GreaterThanOrEqualTo", "LessThanOrEqualTo"
    assert conditions == [
        ("gain.ndcg_10", more, {"Get": "Parameters.MinGain"}),
        ("gain.lower", more, {"Get": "Parameters.MinLower"}),
        ("gain.coverage_ratio", more, {"Get": "Parameters.MinCoverageRatio"}),
        ("gain.popularity_ratio", less, {"Get": "Parameters.MaxPopularityRatio"}),
        ("gain.latency_ratio", less, {"Get": "Parameters.MaxLatencyRatio"}),
        ("gain.worst_slice", less, {"Get": "Parameters.MaxSliceLoss"}),
        ("sane", more, 1),
    ]


@pytest.mark.parametrize(
    ("pipeline", "figures"), [("fraud", {"average_precision"}), ("recommendations", {"ndcg_10", "recall_10"})]
)
def test_the_registry_keeps_the_figures_that_people_compare_versions_by(pipeline: str, figures: set[str]) -> None:
    (register,) = (step for step in steps(made(pipeline)) if step["Name"] == "Register")
    told = register["Arguments"]["CustomerMetadataProperties"]
    assert told["metric"] in figures & set(METRICS), "cuatro models must know what it is called"
    assert set(told) == figures | {
        "version", "model_sha256", "feature_set", "metric", "gain", "data_hash", "code_version", "reason",
        "champion_version",
    }  # fmt: skip
    assert len(told) <= 50, "the most that the registry takes"


@pytest.mark.parametrize(("pipeline", "kind"), [("fraud", DecisionsPlan), ("recommendations", ListsPlan)])
def test_the_roll_out_s_function_reads_the_plan_as_it_is_deployed(pipeline: str, kind: type) -> None:
    plan = plan_of(PIPELINES[pipeline].plan.as_json())
    assert isinstance(plan, kind)
    assert plan.steps == [0.1, 0.5, 1.0]
