"""What is stored of an execution's steps, whenever somebody looks."""

from pathlib import Path
from typing import Any

import pytest

from local.aws.service import Service
from local.aws.store import Table
from local.sagemaker.pipelines import progress
from local.sagemaker.pipelines.definition import Step


def test_a_step_that_begins_has_its_status_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service, seen = Service(tmp_path, 1, "SageMaker", lower_arns=True), list[dict[str, Any]]()
    record = {"PipelineArn": "arn", "PipelineExecutionArn": "arn/1", "LastModifiedTime": 0.0, "_steps": []}
    progress.table(service).put("1", record)
    told: list[tuple[str | None, str]] = []
    stored = Table.change

    def watched(table: Table, *given: Any) -> dict[str, Any]:
        changed = stored(table, *given)
        seen.extend(progress.table(service).get("1")["_steps"])
        return changed

    def heard(_kind: str, detail: dict[str, Any], _resources: list[str]) -> None:
        told.append((detail["previousStepStatus"], detail["currentStepStatus"]))

    monkeypatch.setattr(Table, "change", watched)
    monkeypatch.setattr(service, "event", heard)
    progress.begin_step(service, "1", Step("Train", "Training", {}, {}))
    progress.set_step(service, "1", "Train", progress.EXECUTING)
    assert [step["StepStatus"] for step in seen] == ["Starting", "Executing"]
    assert told == [(None, "Starting"), ("Starting", "Executing")]
    assert all(step["StartTime"] > 0 for step in seen)
