"""Versions that must not go live: each roll-out ends with its reason in the registry, and the live model decides on."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from local.cli.main import app as cuatro
from local.lifecycle.versions import Version
from local.platform.process import Platform
from tests.retraining.packages import Packages
from tests.retraining.story import Story

RARELY, OFTEN = -6.0, 5.0
"""Margins of a model that never alerts, and of one that always does."""


@pytest.fixture(autouse=True)
def as_before(story: Story, live: str, clients: Any) -> Iterator[None]:
    """All calls go to the versions that they went to, with the model that was live."""
    before = aliases(story, clients)
    yield
    assert aliases(story, clients) == before
    assert story.live().name == live
    assert story.deciders(20) == {live}


def aliases(story: Story, clients: Any) -> dict[str, tuple[str, Any]]:
    """Function -> the version behind its alias, and the weights of others."""
    found = {}
    for output in ("ScoreFunction", "ApiFunction", "ActFunction", "DriftFunction"):
        alias = clients("lambda").get_alias(FunctionName=story.control.outputs[output], Name="live")
        found[output] = alias["FunctionVersion"], alias.get("RoutingConfig", {}).get("AdditionalVersionWeights") or {}
    return found


def rolled_back(story: Story, arn: str) -> Version:
    found = story.reach(arn, {"RolledBack"})
    assert (found.stage, found.approval) == ("RolledBack", "Approved")
    return found


def test_a_file_that_is_not_the_registered_one_changes_nothing(
    story: Story, packages: Packages, tmp_path: Path
) -> None:
    registered = hashlib.sha256(b"what the pipeline made").hexdigest()
    arn = packages.register("swapped-1", packages.tiny(tmp_path, "swapped-1", RARELY), sha256=registered)
    found = rolled_back(story, arn)
    assert f"is not what was registered: its model.onnx has another SHA-256 than {registered}" in found.note


def test_a_damaged_model_scores_nothing_and_is_taken_back(story: Story, packages: Packages, tmp_path: Path) -> None:
    damaged = packages.tiny(tmp_path, "damaged-1", RARELY)[:-100]
    found = rolled_back(story, packages.register("damaged-1", damaged))
    assert found.note.startswith("the challenger scored only 0 of ")


def test_a_model_that_alerts_far_too_often_does_not_leave_the_shadow(
    story: Story, packages: Packages, tmp_path: Path
) -> None:
    found = rolled_back(story, packages.register("loud-1", packages.tiny(tmp_path, "loud-1", OFTEN)))
    assert found.note.startswith("the challenger would raise ")
    assert ": 4 times as many, and not over half of what it let pass" in found.note


def test_only_what_a_person_approves_is_rolled_out_and_an_alarm_takes_it_back(
    story: Story, packages: Packages, platform: Platform, clients: Any, tmp_path: Path
) -> None:
    def command(option: str, version: Version) -> str:
        state = ["--target", "local", "--state", str(platform.state)]
        done = CliRunner().invoke(cuatro, ["models", option, str(version.number), "--why", "looked at it", *state])
        assert done.exit_code == 0, done.output
        return done.output

    names = ("quiet-1", "quiet-2", "quiet-3")
    models = {name: packages.tiny(tmp_path, name, RARELY) for name in names}
    first, second = (packages.register(name, models[name], approval="PendingManualApproval") for name in names[:2])
    assert "rejected" in command("--reject", story.version(second))
    story.play(story.purchases(20))
    assert [(story.version(arn).approval, story.version(arn).stage) for arn in (first, second)] == [
        ("PendingManualApproval", ""),
        ("Rejected", ""),
    ]
    assert runs(story, clients) == []

    assert "its roll-out begins" in command("--approve", story.version(first))
    assert story.reach(first, {"Shadow"}, traffic=0).stage == "Shadow"

    # Another one at the same time is turned away, and the first goes on.
    third = packages.register(names[2], models[names[2]])
    assert "quiet-1 is being rolled out already" in rolled_back(story, third).note
    assert story.reach(first, {"Canary"}).stage == "Canary"

    failing = story.control.outputs["ApiFunction"]
    answer = clients("lambda").invoke(FunctionName=f"{failing}:live", Payload=b'{"not": "a request"}')
    assert answer["FunctionError"]
    found = rolled_back(story, first)
    assert " of the calls: alarm CuatroFraud-ApiFunctionErrors" in found.note
    assert story.version(second).stage == ""


def runs(story: Story, clients: Any) -> list[str]:
    """Roll-outs under way."""
    machine = story.control.outputs["RollOutStateMachineArn"]
    found = clients("stepfunctions").list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
    return [each["executionArn"] for each in found]
