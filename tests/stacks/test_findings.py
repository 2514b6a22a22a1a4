"""cdk-nag's AwsSolutions rules: nothing is left unanswered, every answer has a reason, none answers nothing."""

import json
from pathlib import Path
from typing import Any

import aws_cdk
import pytest
from aws_cdk import aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks

from cdk.config import TARGETS
from cdk.constructs import findings
from cdk.suite import Suite
from tests.stacks.synthesis import TARGET_NAMES, assembly, context


@pytest.mark.parametrize("target", TARGET_NAMES)
def test_no_finding_is_left(target: str) -> None:
    report = json.loads((assembly(target).path / "validation-report.json").read_text())
    assert not [finding for plugin in report["pluginReports"] for finding in plugin["violations"]]


def test_a_finding_fails_the_synth(tmp_path: Path) -> None:
    """So that the test above means something."""
    app = aws_cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    sqs.Queue(aws_cdk.Stack(app, "Careless"), "Queue")
    aws_cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()


def test_every_answer_has_a_reason_and_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the answers written down instead of given, CDK reports every finding that was answered."""
    answers: set[tuple[str, str]] = set()

    class Recorder:
        def __init__(self, construct: Any) -> None:
            self.path = construct.node.path

        @classmethod
        def of(cls, construct: Any) -> "Recorder":
            return cls(construct)

        def acknowledge(self, rule: aws_cdk.Acknowledgment) -> None:
            assert len(rule.reason.split()) > 5, f"{self.path}: {rule.id} needs a reason"
            answers.add((rule.id, self.path))

    monkeypatch.setattr(findings, "Validations", Recorder)
    app = aws_cdk.App(outdir=str(tmp_path), context=context(), builtin_cloud_formation_validation=False)
    Suite(app, TARGETS["prod"])
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    report = (tmp_path / "validation-report.json").read_text()
    # L1 wants the newest runtime: with the newest Python there is nothing to answer.
    answered = {(rule, path) for rule, path in answers if rule != "AwsSolutions-L1"}
    stale = {(rule, path) for rule, path in answered if rule not in report or path not in report}
    assert not stale
