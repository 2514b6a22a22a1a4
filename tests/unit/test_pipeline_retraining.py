"""The retraining pipelines that CDK deploys are ones that the service takes: every reference and type in them fits."""

import json
from typing import Any

import pytest

from cdk.retraining import Retraining
from cdk.retraining_definition import definition
from cdk.retraining_fraud import FraudRetraining
from cdk.retraining_jobs import Made
from cdk.retraining_recommendations import RecommendationsRetraining
from cdk.retraining_sentiment import SentimentRetraining
from functions.lifecycle.rollout.plan import DecisionsPlan, ListsPlan, PostsPlan, plan_of
from local.lifecycle.versions import METRICS
from local.sagemaker.pipelines.definition import parse
from local.sagemaker.pipelines.parameters import assigned
from local.sagemaker.pipelines.validation import check
from models.sentiment.fitting import HYPERPARAMETERS
from models.sentiment.gate import UNUSABLE
from tests.stacks.definitions import steps, unresolved

ROLE = "arn:aws:iam::000000000000:role/jobs"
OF_MACHINES = "recommendations, factorization machines"
BUILT_IN = "382416733822.dkr.ecr.us-east-1.amazonaws.com/factorization-machines:1"
PIPELINES: dict[str, Retraining] = {
    "fraud": FraudRetraining(),
    "recommendations": RecommendationsRetraining(),
    "sentiment": SentimentRetraining(),
    OF_MACHINES: RecommendationsRetraining(algorithm="factorization-machines"),
}


def made(named: str) -> dict[str, Any]:
    """The definition that CDK makes."""
    loop, pipeline = PIPELINES[named], named.partition(",")[0]
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
            built_in_image=BUILT_IN,
        )
    )


@pytest.mark.parametrize("pipeline", ["fraud", "recommendations", "sentiment"])
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


def test_the_gate_of_sentiment_looks_beyond_the_corrections() -> None:
    """Whoever sends wrong labels sends those that the challenger is measured with, too."""
    (gate,) = (step for step in made("sentiment")["Steps"] if step["Name"] == "Gate")
    wanted = {each["LeftValue"]["Std:JsonGet"]["Path"]: each["Type"] for each in gate["Arguments"]["Conditions"]}
    more, less = "GreaterThanOrEqualTo", "LessThanOrEqualTo"
    gains = {name.removeprefix("gain."): kind for name, kind in wanted.items() if name.startswith("gain.")}
    assert gains == {
        "macro_recall": more,
        "lower": more,
        **dict.fromkeys(UNUSABLE.keys() - {"macro_recall", "lower"}, less),
    }
    assert wanted["sane"] == more
    found = {step["Name"]: step["Arguments"] for step in steps(made("sentiment"))}
    options = found["BuildTrainingSet"]["AppSpecification"]["ContainerArguments"][2::2]
    assert options == ["--as-of", "--train-days", "--evaluate-days", "--fewest-labels"]
    assert set(found["Train"]["HyperParameters"]) == HYPERPARAMETERS


def test_a_built_in_algorithm_trains_on_rows_and_our_container_converts() -> None:
    found = parse(json.dumps(made(OF_MACHINES)))
    check(found)
    needs = {name: set(step.needs) for name, step in found.steps.items()}
    assert needs["Train"] == {"BuildTrainingSet"}, "it cannot build upon a champion"
    assert needs["Convert"] == {"BuildTrainingSet", "Train"}
    assert needs["Evaluate"] == {"FindChampion", "BuildTrainingSet", "Convert"}
    assert "Convert" in needs["Register"]

    steps_of = {step["Name"]: step["Arguments"] for step in steps(made(OF_MACHINES))}
    built, train, convert = (steps_of[name] for name in ("BuildTrainingSet", "Train", "Convert"))
    assert built["AppSpecification"]["ContainerEntrypoint"][2] == "models.recommendations.factorization.dataset"
    options = built["AppSpecification"]["ContainerArguments"][2::2]
    assert options == ["--as-of", "--train-days", "--evaluate-days", "--seed"]
    assert train["AlgorithmSpecification"]["TrainingImage"] == BUILT_IN
    (channel,) = train["InputDataConfig"]
    assert "Outputs['rows']" in channel["DataSource"]["S3DataSource"]["S3Uri"]["Get"]
    assert channel["ContentType"] == "application/x-recordio-protobuf"
    # Another one is refused by the algorithm.
    assert set(train["HyperParameters"]) == {"feature_dim", "predictor_type", "num_factors", "epochs"}
    assert convert["AppSpecification"]["ContainerEntrypoint"][2] == "models.recommendations.factorization.convert"
    assert convert["NetworkConfig"]["EnableNetworkIsolation"] is True


def test_what_was_converted_is_what_is_evaluated_and_registered() -> None:
    found = {step["Name"]: step["Arguments"] for step in steps(made(OF_MACHINES))}
    (output,) = found["Convert"]["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"]["Std:Join"]["Values"][0] == "s3://lake/recommendations/models"
    (container,) = found["Register"]["InferenceSpecification"]["Containers"]
    archive = container["ModelDataUrl"]
    assert archive["Std:Join"]["Values"] == [
        {"Get": "Steps.Convert.ProcessingOutputConfig.Outputs['model'].S3Output.S3Uri"}, "model.tar.gz",
    ]  # fmt: skip
    inputs = {each["InputName"]: each["S3Input"]["S3Uri"] for each in found["Evaluate"]["ProcessingInputs"]}
    assert inputs["challenger"] == archive
    assert container["Image"].endswith("cuatro-models:local"), "our container serves what the algorithm trained"


def test_the_gate_of_recommendations_wants_all_of_its_conditions() -> None:
    gates = [
        [step for step in made(each)["Steps"] if step["Name"] == "Gate"] for each in ("recommendations", OF_MACHINES)
    ]
    ((gate,), (other,)) = gates
    assert other["Arguments"]["Conditions"] == gate["Arguments"]["Conditions"], "whoever trains"
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
    ("pipeline", "figures"),
    [
        ("fraud", {"average_precision"}),
        ("recommendations", {"ndcg_10", "recall_10"}),
        ("sentiment", {"macro_recall", "macro_f1", "guard_macro_recall"}),
    ],
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


@pytest.mark.parametrize(
    ("pipeline", "kind"), [("fraud", DecisionsPlan), ("recommendations", ListsPlan), ("sentiment", PostsPlan)]
)
def test_the_roll_out_s_function_reads_the_plan_as_it_is_deployed(pipeline: str, kind: type) -> None:
    plan = plan_of(PIPELINES[pipeline].plan.as_json())
    assert isinstance(plan, kind)
    assert plan.steps == [0.1, 0.5, 1.0]
