"""The nightly pipeline with SageMaker's built-in algorithm: trained, converted, gated, registered, rolled out, served.

One story, told in order: each test goes on where the one before it ended.
"""

import io
import json
import tarfile
from typing import Any

import onnx

from local.lifecycle.versions import versions
from tests.factorization_loop.conftest import GROUPS, ITEMS, TAKEN
from tests.recommendations_loop.story import POPULAR, Story

# The shipped model skips everybody's items here, in no time: how fast it is says nothing.
ANY_LATENCY = {"MaxLatencyRatio": "100"}
STEPS = ["FindChampion", "BuildTrainingSet", "Train", "Convert", "Evaluate", "Gate"]


def group(item: str) -> str:
    return item.partition("-")[0]


def archive(story: Story) -> dict[str, bytes]:
    """Of the version that was made: name -> content."""
    package = story.control.sagemaker.describe_model_package(ModelPackageName=story.made)
    url = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    bucket, _, key = url.removeprefix("s3://").partition("/")
    assert key.startswith("recommendations/models/"), "the roll-out may read nothing else"
    content = story.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {each.name: file.read() for each in tar if (file := tar.extractfile(each))}


def test_the_gate_lets_a_machine_of_this_shop_pass(story: Story) -> None:
    ended = story.retrain("the first night", **ANY_LATENCY)
    assert ended.status == "Succeeded", story.control.why(ended)
    assert [each.name for each in story.control.steps(ended.arn)] == [*STEPS, "Register"]
    made = versions(story.control)[0]
    story.made = made.arn
    assert (made.approval, made.metric, made.reason) == ("Approved", "ndcg_10", "the first night")
    assert made.name.startswith("recommendations-fm-")
    assert made.gain is not None
    assert made.gain > 0.2, "of a group's things by chance: 0.15"


def test_the_built_in_algorithm_trained_it(story: Story) -> None:
    (job,) = story.control.sagemaker.list_training_jobs()["TrainingJobSummaries"]
    told: dict[str, Any] = story.control.sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
    image = told["AlgorithmSpecification"]["TrainingImage"]
    assert image == "382416733822.dkr.ecr.us-east-1.amazonaws.com/factorization-machines:1"
    assert told["HyperParameters"] == {
        "feature_dim": str(2 * GROUPS * ITEMS), "num_factors": "64", "epochs": "7",
        "predictor_type": "binary_classifier",
    }  # fmt: skip
    (channel,) = told["InputDataConfig"]
    assert channel["ContentType"] == "application/x-recordio-protobuf"


def test_what_is_registered_is_the_converted_archive(story: Story) -> None:
    files = archive(story)
    assert set(files) == {"model.onnx", "metrics.json", "golden.json"}
    model = onnx.load_from_string(files["model.onnx"])
    told = {each.key: each.value for each in model.metadata_props}
    package = story.control.sagemaker.describe_model_package(ModelPackageName=story.made)
    known = package["CustomerMetadataProperties"]
    assert (told["version"], told["data_hash"]) == (known["version"], known["data_hash"])
    items = json.loads(told["items"])
    assert len(items) == len(json.loads(told["popularity"])) == GROUPS * ITEMS
    assert int(told["trained_until"]) < story.past["time"].max().timestamp() - 2.5 * 86400
    metrics = json.loads(files["metrics.json"])
    assert metrics["ndcg_10"] > 5 * metrics["baselines"]["popularity"]["ndcg_10"]
    # On the same cases as the gate.
    assert float(known["ndcg_10"]) == metrics["ndcg_10"]


def test_it_goes_live_and_lists_are_of_what_people_keep_to(story: Story) -> None:
    found = story.reach(story.made)
    assert found.stage == "Production", found.note
    assert story.rankers() == {found.name}
    own, all_of_them = 0, 0
    for person in story.people[:40]:
        taken = story.past.loc[story.past["user_id"] == person, "item_id"]
        body = story.shown(person)
        if body["model_version"] != POPULAR:
            items = [each["item_id"] for each in body["items"] if each["source"] == "model"]
            assert not set(items) & set(taken)
            assert {each["because"] for each in body["items"] if each["source"] == "model"} <= set(taken)
            own += sum(group(item) == group(taken.iloc[0]) for item in items)
            all_of_them += len(items)
    assert all_of_them > 200
    assert own / all_of_them > 0.8, f"{ITEMS - TAKEN} of a group are left to recommend, of {GROUPS} groups"
