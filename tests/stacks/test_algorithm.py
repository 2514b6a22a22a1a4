"""-c algorithm=: who trains the model of recommendations, as CloudFormation gets it."""

import json
from typing import Any

import pytest

from cdk.archive import ROOT
from cdk.options import chosen
from models.recommendations.factorization.image import image_uri
from tests.stacks.definitions import steps, unresolved
from tests.stacks.loops import LOOPS, Deployed
from tests.stacks.synthesis import DEFAULT, assembly

MACHINES = "factorization-machines"
ACCOUNTS = json.loads((ROOT / "models/recommendations/factorization/accounts.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=(DEFAULT, "local"))
def deployed(request: pytest.FixtureRequest) -> Deployed:
    return Deployed(assembly(request.param, algorithm=MACHINES), LOOPS["recommendations"])


def grants(deployed: Deployed, step: str) -> dict[str, set[str]]:
    role = deployed.step(step)["Arguments"]["RoleArn"].removeprefix("${").partition(".")[0]
    return deployed.granted(role)


def test_every_reference_of_the_definition_resolves(deployed: Deployed) -> None:
    names = ["FindChampion", "BuildTrainingSet", "Train", "Convert", "Evaluate", "Gate", "Register", "Refused"]
    assert [step["Name"] for step in steps(deployed.definition())] == names
    assert unresolved(deployed.definition()) == []


def test_the_image_is_the_region_s(deployed: Deployed) -> None:
    image = deployed.step("Train")["Arguments"]["AlgorithmSpecification"]["TrainingImage"]
    name = image.removeprefix("${").partition(".")[0]
    kept: dict[str, Any] = deployed.suite.template(deployed.loop.stack)["Mappings"][name]
    assert kept.keys() == ACCOUNTS.keys() > {"us-east-1", "eu-west-1", "eu-central-1"}
    for region, found in kept.items():
        filled = image.replace(f"${{{name}.${{AWS::Region}}.account}}", found["account"])
        filled = filled.replace("${AWS::Region}", region).replace("${AWS::URLSuffix}", "amazonaws.com")
        assert filled == image_uri(region)


def test_jobs_need_no_grant_more(deployed: Deployed) -> None:
    """The rows and what the algorithm leaves are in the lake's training folder, the converted archive in models."""
    target = deployed.suite.path.name.partition("-")[0]
    own = Deployed(assembly(target), deployed.loop)
    assert grants(deployed, "Train") == grants(own, "Train")
    output = deployed.step("Train")["Arguments"]["OutputDataConfig"]["S3OutputPath"]["Std:Join"]["Values"][0]
    assert output.endswith("/recommendations/training")
    (model,) = deployed.step("Convert")["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    assert model["S3Output"]["S3Uri"]["Std:Join"]["Values"][0].endswith("/recommendations/models")


def test_only_the_pipeline_of_recommendations_changes(deployed: Deployed) -> None:
    own = assembly(deployed.suite.path.name.partition("-")[0])
    other = deployed.suite
    assert other.template("CuatroFraud") == own.template("CuatroFraud")
    before, after = (each.template(deployed.loop.stack)["Resources"] for each in (own, other))
    changed = {after[name]["Type"] for name in before if before[name] != after.get(name)}
    assert before.keys() == after.keys()
    assert changed == {"AWS::SageMaker::Pipeline"}


def test_own_is_the_default() -> None:
    assert chosen(DEFAULT) == chosen(DEFAULT, algorithm="own")
    template = assembly(DEFAULT).template("CuatroRecommendations")
    assert not [name for name in template.get("Mappings", {}) if "BuiltIn" in name]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"algorithm": "magic"}, "-c algorithm=magic: must be one of own, factorization-machines"),
        ({"algorithm": MACHINES, "retraining": "off"}, "nothing is trained here"),
        ({"algorithm": MACHINES, "ranking": "personalize"}, "nothing is trained here"),
    ],
)
def test_a_choice_that_cannot_be_is_told(options: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        chosen(DEFAULT, **options)
