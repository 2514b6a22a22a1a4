"""JSON of a pipeline (version 2020-12-01) -> its parameters and steps with what each waits for; or it is refused."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from local.aws.errors import ValidationException
from local.sagemaker.pipelines import conditions
from local.sagemaker.pipelines.parameters import Parameter, declared
from local.sagemaker.pipelines.references import Malformed, Reference, references

VERSION = "2020-12-01"
TYPES = ("Training", "Processing", "Transform", "Model", "RegisterModel", "Lambda", "Condition", "Fail")
# Members of a step beside Name, Type and Arguments.
_ANY = {"Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description"}
_MEMBERS = {
    "Training": {"RetryPolicies", "CacheConfig"},
    "Processing": {"RetryPolicies", "CacheConfig", "PropertyFiles"},
    "Transform": {"RetryPolicies", "CacheConfig"},
    "Model": {"RetryPolicies"},
    "RegisterModel": {"RetryPolicies"},
    "Lambda": {"FunctionArn", "OutputParameters", "CacheConfig"},
    "Condition": set(),
    "Fail": set(),
}
# JSON's types of members that are read as they stand, without references.
_JSON: dict[str, tuple[type, str]] = {
    **dict.fromkeys(("Name", "Type", "DisplayName", "Description"), (str, "a string")),
    **dict.fromkeys(("Arguments", "CacheConfig"), (dict, "start of Json Object")),
    **dict.fromkeys(("DependsOn", "RetryPolicies", "PropertyFiles", "OutputParameters"), (list, "start of Json Array")),
}
_TOP = {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "Steps"}
_NAME = re.compile(r"^[A-Za-z0-9\-_]{1,64}$")
_MOST_STEPS = 50
_UNPARSED = "Unable to parse pipeline definition."


@dataclass(frozen=True)
class Step:
    """One step. `branch` is the Condition that it belongs to, and the outcome at which it runs."""

    name: str
    type: str
    arguments: dict[str, Any]
    members: dict[str, Any] = field(repr=False)
    branch: tuple[str, bool] | None = None

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """References in what the step itself evaluates: of a Condition step, not those of the steps inside."""
        read: list[Any] = [self.arguments["Conditions"] if self.type == "Condition" else self.arguments]
        read.append(self.members.get("FunctionArn"))
        return tuple(references(read))

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """Steps that must have succeeded before."""
        found = [reference.step for reference in self.references if reference.step]
        found += self.members.get("DependsOn", [])
        if self.branch:
            found.append(self.branch[0])
        return tuple(dict.fromkeys(found))

    @property
    def property_files(self) -> dict[str, dict[str, str]]:
        """Property files of a Processing step by name."""
        return {file["PropertyFileName"]: file for file in self.members.get("PropertyFiles", [])}

    @property
    def outputs(self) -> dict[str, str]:
        """Outputs that a Lambda step promises: name -> type."""
        return {one["OutputName"]: one["OutputType"] for one in self.members.get("OutputParameters", [])}


@dataclass(frozen=True)
class Definition:
    """A pipeline: parameters and steps by name, steps in the order of the definition."""

    parameters: dict[str, Parameter]
    steps: dict[str, Step]
    experiment: dict[str, Any]


def refused(why: str) -> ValidationException:
    """The answer to a definition that cannot be read."""
    return ValidationException(f"{_UNPARSED} {why}")


def parse(text: str) -> Definition:
    """Reads a definition. Raises ValidationException, which names the step that is wrong.

    What references point to is not looked at here: see validation.check.
    """
    try:
        read = json.loads(text)
    except ValueError as error:
        raise refused(f"It is not JSON: {error}.") from None
    if not isinstance(read, dict):
        raise refused("Expecting start of Json Object.")
    unknown = sorted(set(read) - _TOP)
    if unknown:
        raise refused(f"Unknown member '{unknown[0]}'.")
    if read.get("Version", VERSION) != VERSION:
        raise refused(f"Version [{read['Version']}] is not supported; it is {VERSION}.")
    experiment = read.get("PipelineExperimentConfig") or {}
    if not isinstance(experiment, dict):
        raise refused("PipelineExperimentConfig: expecting start of Json Object.")
    steps: dict[str, Step] = {}
    for step in _steps(read.get("Steps"), None):
        if step.name in steps:
            raise refused(f"Step names must be unique: there are two steps [{step.name}].")
        steps[step.name] = step
    if not 1 <= len(steps) <= _MOST_STEPS:
        raise refused(f"A pipeline has 1 to {_MOST_STEPS} steps, not {len(steps)}.")
    return Definition(declared(read.get("Parameters", [])), steps, experiment)


def _steps(members: Any, branch: tuple[str, bool] | None) -> Iterator[Step]:
    """Steps of a list, each Condition followed by those inside it."""
    if not isinstance(members, list):
        raise refused("Steps: expecting start of Json Array.")
    for each in members:
        step = _step(each, branch)
        yield step
        if step.type == "Condition":
            yield from _steps(step.arguments.get("IfSteps", []), (step.name, True))
            yield from _steps(step.arguments.get("ElseSteps", []), (step.name, False))


def _step(members: Any, branch: tuple[str, bool] | None) -> Step:
    name = members.get("Name") if isinstance(members, dict) else None
    if not isinstance(name, str) or not _NAME.match(name):
        raise refused(f"Step without a valid Name (1 to 64 letters, digits, - and _): {str(members)[:200]}.")
    for member, (expected, words) in _JSON.items():
        if member in members and not isinstance(members[member], expected):
            raise refused(f"Step [{name}]: {member}: expecting {words}.")
    kind = members.get("Type")
    if kind not in TYPES:
        raise refused(
            f"Step [{name}]: Type [{kind}] is not supported on the local platform; it runs {', '.join(TYPES)}."
        )
    unknown = sorted(set(members) - _ANY - _MEMBERS[kind])
    if unknown:
        raise refused(f"Step [{name}]: Unknown member '{unknown[0]}' of a {kind} step.")
    step = Step(name, kind, members.get("Arguments", {}), members, branch)
    try:
        _check(step)
    except Malformed as wrong:
        raise refused(f"Step [{name}]: {wrong}") from None
    return step


def _check(step: Step) -> None:
    """Raises Malformed for a step whose own members are wrong."""
    depends = step.members.get("DependsOn", [])
    if not all(isinstance(name, str) for name in depends):
        raise Malformed("DependsOn expects a list of step names.")
    if step.members.get("CacheConfig", {}).get("Enabled"):
        raise Malformed("CacheConfig is not supported on the local platform: each execution runs its steps.")
    if step.type == "Condition":
        _check_condition(step.arguments)
    if step.type == "Lambda":
        _check_lambda(step.members)
    if step.type == "Fail" and set(step.arguments) - {"ErrorMessage"}:
        raise Malformed("A Fail step has the Argument ErrorMessage only.")
    _check_members(step.members, "PropertyFiles", {"PropertyFileName", "OutputName", "FilePath"})
    tuple(step.references)


def _check_condition(arguments: dict[str, Any]) -> None:
    unknown = set(arguments) - {"Conditions", "IfSteps", "ElseSteps"}
    if unknown or not isinstance(arguments.get("Conditions"), list) or not arguments["Conditions"]:
        raise Malformed("A Condition step has the Arguments Conditions (at least one), IfSteps and ElseSteps.")
    for condition in arguments["Conditions"]:
        conditions.check(condition)


def _check_lambda(members: dict[str, Any]) -> None:
    if not members.get("FunctionArn"):
        raise Malformed("A Lambda step has a FunctionArn.")
    _check_members(members, "OutputParameters", {"OutputName", "OutputType"})
    for output in members.get("OutputParameters", []):
        if output["OutputType"] not in ("String", "Integer", "Float", "Boolean"):
            raise Malformed(f"OutputType [{output['OutputType']}] is not String, Integer, Float or Boolean.")


def _check_members(members: dict[str, Any], name: str, expected: set[str]) -> None:
    for one in members.get(name, []):
        if not isinstance(one, dict) or set(one) != expected or not all(isinstance(text, str) for text in one.values()):
            raise Malformed(f"{name} expects a list of {{{', '.join(sorted(expected))}}}, all of them strings.")
