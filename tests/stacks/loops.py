"""The pipelines whose models are retrained -> their parts of a cloud assembly: functions, definition, grants."""

from dataclasses import dataclass
from typing import Any

from tests.stacks.definitions import joined, pipeline, steps
from tests.stacks.synthesis import Assembly, Resource


@dataclass(frozen=True)
class Loop:
    """A pipeline with retraining, its stack, and what of it differs from the others."""

    pipeline: str
    weighted: tuple[str, ...]
    follows: tuple[str, ...]
    reads: frozenset[str]
    compares: str

    @property
    def stack(self) -> str:
        return f"Cuatro{self.pipeline.capitalize()}"

    @property
    def name(self) -> str:
        """Of its SageMaker pipeline, its group of versions, and the first part of its layer's."""
        return self.stack.lower()


LOOPS = {
    each.pipeline: each
    for each in (
        Loop("fraud", ("score", "api"), ("act", "drift"), frozenset({"decisions", "labels"}), "decisions"),
        Loop("recommendations", ("api",), (), frozenset({"interactions", "lists", "feedback"}), "lists"),
        Loop("sentiment", ("classify",), (), frozenset({"labels", "scored"}), "scored"),
    )
}


@dataclass(frozen=True)
class Deployed:
    """One loop in one target's assembly."""

    suite: Assembly
    loop: Loop

    def resources(self, *types: str) -> list[Resource]:
        return [each for each in self.suite.resources(*types) if each.stack == self.loop.stack]

    def only(self, kind: str) -> Resource:
        (found,) = self.resources(kind)
        return found

    def function(self, module: str) -> Resource:
        """By its module, or by its pipeline's job."""
        wanted = module if "." in module else f"functions.{self.loop.pipeline}.{module}.handler"
        (found,) = (
            each.resource
            for each in self.suite.functions()
            if each.module == wanted and each.resource.stack == self.loop.stack
        )
        return found

    def definition(self) -> dict[str, Any]:
        return pipeline(self.suite, self.loop.stack)

    def step(self, name: str) -> dict[str, Any]:
        (found,) = (step for step in steps(self.definition()) if step["Name"] == name)
        return found

    def granted(self, role: str) -> dict[str, set[str]]:
        """Action -> resources, as texts, that a role may do it on."""
        found: dict[str, set[str]] = {}
        for policy in self.resources("AWS::IAM::Policy"):
            if {"Ref": role} in policy.properties["Roles"]:
                for statement in policy.properties["PolicyDocument"]["Statement"]:
                    actions, resources = statement["Action"], statement["Resource"]
                    for action in [actions] if isinstance(actions, str) else actions:
                        these = resources if isinstance(resources, list) else [resources]
                        found.setdefault(action, set()).update(map(joined, these))
        return found

    def patterns(self) -> list[dict[str, Any]]:
        rules = (each.properties for each in self.resources("AWS::Events::Rule"))
        return [rule["EventPattern"] for rule in rules if "EventPattern" in rule]
