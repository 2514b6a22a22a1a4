"""CreateBatchInferenceJob: JSON lines of users (or items) in S3 -> their lists as JSON lines, as the job's role."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.aws import storage
from local.aws.errors import AwsError
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.personalize import campaigns, filtering, imports, recipes, resources, runtime
from local.personalize.errors import CreationFailedError, InvalidInput
from local.personalize.resources import BATCH, VERSION


def create(service: Service, given: Input) -> Output:
    """CreateBatchInferenceJob."""
    if given.get("batchInferenceJobMode", "BATCH_INFERENCE") != "BATCH_INFERENCE":
        raise InvalidInput("Batch jobs with themes are not served by the local platform, only by AWS.")
    version = resources.ready(service, VERSION, given["solutionVersionArn"])
    if not 0 <= given.get("numResults", runtime.RESULTS) <= runtime.MOST:
        raise InvalidInput(f"numResults must be at most {runtime.MOST}.")
    imports.assumable(service, given["roleArn"])
    chosen = filtering.chosen(service, given, version["datasetGroupArn"])
    arn = service.arn("batch-inference-job", given["jobName"])
    record = {name: value for name, value in given.items() if name != "tags"}
    record["batchInferenceJobMode"] = "BATCH_INFERENCE"
    resources.create(service, BATCH, arn, record, given)
    resources.make(service, BATCH, arn, lambda: _inferred(service, record, version, chosen))
    return {"batchInferenceJobArn": arn}


def _inferred(service: Service, job: Record, version: Record, chosen: dict[str, Any] | None) -> dict[str, Any]:
    s3 = storage.client(service, job["roleArn"])
    source, target = job["jobInput"]["s3DataSource"]["path"], job["jobOutput"]["s3DataDestination"]["path"]
    kind = recipes.kind(version["recipeArn"])
    with tempfile.TemporaryDirectory(dir=service.state) as scratch:
        for path in storage.fetch_prefix(s3, source, Path(scratch) / "in"):
            out = Path(scratch) / f"{path.name}.out"
            with out.open("w", encoding="utf-8") as file:
                for line in _lines(path):
                    query = _query(kind, line, job.get("numResults") or runtime.RESULTS)
                    told = _answered(service, version, {**query, "filter": chosen} if query else None)
                    file.write(json.dumps({"input": line, **told}, ensure_ascii=False) + "\n")
            storage.put(s3, out, storage.join(target, out.name), "The output was not written")
    return {}


def _lines(path: Path) -> Iterator[Any]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise CreationFailedError(f"Input line {number} of {path.name} is no JSON: {error}") from error


def _query(kind: str, line: Any, count: int) -> dict[str, Any] | None:
    """The question of one line; None for a line that is none."""
    wanted = "itemId" if kind == recipes.RELATED else "userId"
    if not isinstance(line, dict) or not isinstance(line.get(wanted), str):
        return None
    if kind == recipes.RELATED:
        return {"item": line["itemId"], "k": count}
    query = {"user": line["userId"], "filtered_user": line["userId"], "k": count}
    if kind != recipes.RANKING:
        return query
    return {**query, "input": line["itemList"]} if isinstance(line.get("itemList"), list) else None


def _answered(service: Service, version: Record, query: dict[str, Any] | None) -> dict[str, Any]:
    if query is None:
        return {"output": None, "error": "The line does not have what the recipe needs."}
    try:
        found = campaigns.ask(service, version, query)["items"]
    except AwsError as error:
        return {"output": None, "error": error.message}
    output = {"recommendedItems": [each["itemId"] for each in found], "scores": [each["score"] for each in found]}
    return {"output": output, "error": None}


OPERATIONS: dict[str, Operation] = {"CreateBatchInferenceJob": create, **resources.operations(BATCH)}
