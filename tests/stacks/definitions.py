"""Texts that CloudFormation joins -> the JSON in them; a pipeline's definition -> references that lead nowhere."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.stacks.synthesis import Assembly

EXECUTION = {"PipelineExecutionId", "PipelineExecutionArn", "PipelineArn", "PipelineName", "StartDateTime"}
_STEP = re.compile(r"^Steps\.(\w+)\.(.+)$")


def joined(value: Any) -> str:
    """A text with ${Name} for what CloudFormation fills in."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        return "".join(map(joined, value["Fn::Join"][1]))
    if "Fn::Sub" in value:
        return joined(value["Fn::Sub"])
    if "Fn::FindInMap" in value:
        return f"${{{'.'.join(map(joined, value['Fn::FindInMap']))}}}"
    if "Fn::GetAtt" in value:
        return f"${{{'.'.join(value['Fn::GetAtt'])}}}"
    return f"${{{value['Ref']}}}" if "Ref" in value else json.dumps(value)


def pipeline(suite: Assembly, stack: str) -> dict[str, Any]:
    """The definition of a stack's SageMaker pipeline."""
    (made,) = (each for each in suite.resources("AWS::SageMaker::Pipeline") if each.stack == stack)
    found: dict[str, Any] = json.loads(joined(made.properties["PipelineDefinition"]["PipelineDefinitionBody"]))
    return found


def steps(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every step in order, those behind a condition too."""
    for step in definition["Steps"]:
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from step["Arguments"].get(branch, ())


def references(value: Any) -> Iterator[str]:
    """What every {"Get": ...} in `value` refers to."""
    if isinstance(value, dict):
        if "Get" in value:
            yield value["Get"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def unresolved(definition: dict[str, Any]) -> list[str]:
    """References to parameters, execution, earlier steps or their outputs that there are not."""
    parameters = {each["Name"] for each in definition["Parameters"]}
    earlier: dict[str, dict[str, Any]] = {}
    found = []
    for step in steps(definition):
        own = {**step, "Arguments": {k: v for k, v in step["Arguments"].items() if not k.endswith("Steps")}}
        for reference in references(own):
            kind, _, name = reference.partition(".")
            good = {
                "Parameters": name in parameters,
                "Execution": name in EXECUTION,
                "Steps": _of_a_step(reference, earlier),
            }.get(kind, False)
            if not good:
                found.append(f"{step['Name']}: {reference}")
        earlier[step["Name"]] = step
    return found


def _of_a_step(reference: str, earlier: dict[str, dict[str, Any]]) -> bool:
    match = _STEP.match(reference)
    if not match or match[1] not in earlier:
        return False
    step, path = earlier[match[1]], match[2]
    outputs = [each["OutputName"] for each in step["Arguments"].get("ProcessingOutputConfig", {}).get("Outputs", ())]
    return path in {
        *(["ModelArtifacts.S3ModelArtifacts"] if step["Type"] == "Training" else ()),
        *(f"ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri" for name in outputs),
        *(f"PropertyFiles.{each['PropertyFileName']}" for each in step.get("PropertyFiles", ())),
        *(f"OutputParameters['{each['OutputName']}']" for each in step.get("OutputParameters", ())),
    }
