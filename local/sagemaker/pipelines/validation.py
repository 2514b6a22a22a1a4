"""A parsed definition -> nothing, or why it cannot run: references, types, retry policies, order."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local.aws.protocol import model
from local.sagemaker.pipelines import retries
from local.sagemaker.pipelines.definition import Definition, Step, refused
from local.sagemaker.pipelines.references import (
    EXECUTION_VARIABLES,
    Malformed,
    Path,
    Reference,
    function,
    parse,
)
from local.sagemaker.pipelines.steps.kinds import KINDS

_TYPES = {
    "string": "String", "integer": "Integer", "long": "Integer", "float": "Float", "double": "Float",
    "boolean": "Boolean", "timestamp": "String",
}  # fmt: skip
_JSON: dict[str, type | tuple[type, ...]] = {
    "String": str, "Integer": int, "Float": (int, float), "Boolean": bool,
    "structure": dict, "map": dict, "list": list, "blob": str,
}  # fmt: skip


def check(definition: Definition) -> None:
    """Raises ValidationException, which names the step."""
    for step in definition.steps.values():
        try:
            for reference in step.references:
                type_of(definition, reference)
            _dependencies(definition, step)
            if step.type in KINDS:
                _arguments(definition, step)
            retries.check(step.members.get("RetryPolicies", []))
        except Malformed as wrong:
            raise refused(f"Step [{step.name}]: {wrong}") from None
    try:
        shape = model("sagemaker").shape_for("PipelineExperimentConfig")
        _fits(definition, shape, definition.experiment, "PipelineExperimentConfig")
        TopologicalSorter({step.name: step.needs for step in definition.steps.values()}).prepare()
    except Malformed as wrong:
        raise refused(f"PipelineExperimentConfig: {wrong}") from None
    except CycleError as cycle:
        raise refused(f"Steps wait for each other: {' -> '.join(reversed(cycle.args[1]))}.") from None


def type_of(definition: Definition, reference: Reference) -> str:
    """Type of what a reference gives: String, Integer, Float, Boolean, structure, list or map. Raises Malformed."""
    if reference.scope == "Parameters":
        if reference.name not in definition.parameters:
            raise Malformed(f"Parameter [{reference.name}] of [{reference.text}] is not defined in the pipeline.")
        return definition.parameters[reference.name].type
    if reference.scope == "Execution":
        if reference.name not in EXECUTION_VARIABLES:
            raise Malformed(f"[{reference.text}] is not one of Execution.{', '.join(sorted(EXECUTION_VARIABLES))}.")
        return "String"
    step = definition.steps.get(reference.name)
    if step is None:
        raise Malformed(f"Step [{reference.name}] of [{reference.text}] is not defined in the pipeline.")
    found = _property(step, reference)
    if found is None:
        raise Malformed(f"[{reference.text}] is not a property of a {step.type} step.")
    return found


def _property(step: Step, reference: Reference) -> str | None:
    """Type of a step's property; None when there is no such one."""
    first, *rest = reference.path
    if reference.property_file is not None:
        return _property_file(step, reference)
    if step.type == "Lambda":
        return step.outputs.get(str(rest[0])) if first == "OutputParameters" and len(rest) == 1 else None
    if step.type == "Condition":
        return "Boolean" if reference.path == ("Outcome",) else None
    if step.type not in KINDS:
        return None
    shape = _below(KINDS[step.type].properties, reference.path)
    return None if shape is None else _TYPES.get(shape.type_name, shape.type_name)


def _property_file(step: Step, reference: Reference) -> str:
    file = step.property_files.get(str(reference.property_file))
    if file is None:
        raise Malformed(f"Property file [{reference.property_file}] is not defined in step [{step.name}].")
    config = step.arguments.get("ProcessingOutputConfig")
    outputs = config.get("Outputs") if isinstance(config, dict) else None
    named = [one.get("OutputName") for one in outputs if isinstance(one, dict)] if isinstance(outputs, list) else []
    if file["OutputName"] not in named:
        raise Malformed(
            f"Output [{file['OutputName']}] of property file [{reference.property_file}] "
            f"is not an output of step [{step.name}]."
        )
    return "structure"


def _below(shape: Shape, path: Path) -> Shape | None:
    """The shape that a path leads to."""
    for part in path:
        inner: Shape | None = None
        if isinstance(shape, StructureShape):
            inner = shape.members.get(str(part))
        elif isinstance(shape, ListShape):
            inner = shape.member
        elif isinstance(shape, MapShape):
            inner = shape.value
        if inner is None:
            return None
        shape = inner
    return shape


def _dependencies(definition: Definition, step: Step) -> None:
    for name in step.needs:
        if name not in definition.steps:
            raise Malformed(f"DependsOn: step [{name}] is not defined in the pipeline.")
        if definition.steps[name].type == "Fail":
            raise Malformed(f"{step.name} can not depends on {name}: a Fail step ends the execution.")


def _arguments(definition: Definition, step: Step) -> None:
    """Raises Malformed for Arguments that the step's operation would not take."""
    kind = KINDS[step.type]
    if step.type == "RegisterModel" and "ModelPackageName" in step.arguments:
        raise Malformed("Unknown Argument member 'ModelPackageName'.")
    made = (kind.name, kind.role)  # SageMaker fills these in
    missing = [name for name in kind.arguments.required_members if name not in (*step.arguments, *made)]
    if missing:
        raise Malformed(f"Missing required Argument member '{missing[0]}'.")
    _fits(definition, kind.arguments, step.arguments, "Arguments")


def _fits(definition: Definition, shape: Shape, value: Any, path: str) -> None:
    """Raises Malformed when a value, or what its references give, is not of the shape."""
    expected = _TYPES.get(shape.type_name, shape.type_name)
    if function(value):
        _gives(definition, expected, value, path)
        return
    if not isinstance(value, _JSON[expected]) or (isinstance(value, bool) and expected != "Boolean"):
        raise Malformed(f"{path}: expecting {_expected(expected)}, not {value!r}.")
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        raise Malformed(f"Value '{value}' for '{shape.name}' failed to satisfy enum value set: [{', '.join(enum)}]")
    for inner, member, name in _inside(shape, value, path):
        _fits(definition, inner, member, name)


def _gives(definition: Definition, expected: str, call: dict[str, Any], path: str) -> None:
    """Raises Malformed when a function gives another type than the expected one."""
    kind = function(call)
    if kind == "Std:JsonGet":  # what the document holds is known when the step runs
        return
    given = "String" if kind == "Std:Join" else type_of(definition, parse(call["Get"]))
    if given != expected and (given, expected) != ("Integer", "Float"):
        text = call["Get"] if kind == "Get" else kind
        raise Malformed(f"Cannot assign property reference [{text}] to argument of type {expected} ({path}).")


def _inside(shape: Shape, value: Any, path: str) -> Iterator[tuple[Shape, Any, str]]:
    """(shape, value, path) of each member or element. Raises Malformed for an unknown member."""
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            if name not in shape.members:
                raise Malformed(f"Unknown Argument member '{name}' ({path}).")
            yield shape.members[name], member, f"{path}.{name}"
    elif isinstance(shape, ListShape):
        for i, element in enumerate(value):
            yield shape.member, element, f"{path}[{i}]"
    elif isinstance(shape, MapShape):
        for name, member in value.items():
            yield shape.value, member, f"{path}.{name}"


def _expected(kind: str) -> str:
    return {"structure": "start of Json Object", "map": "start of Json Object", "list": "start of Json Array"}.get(
        kind, f"a value of type {kind}"
    )
