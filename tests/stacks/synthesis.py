"""Target -> its cloud assembly, synthesised once a process and read as plain dictionaries."""

import json
import re
import tempfile
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk

from cdk.archive import ROOT
from cdk.config import TARGETS
from cdk.options import chosen
from cdk.suite import Suite

TARGET_NAMES = tuple(TARGETS)
# The default profile of the default target: what `cdk deploy` gives a newcomer.
DEFAULT = "dev"
# What an invocation reaches: a function, or the alias by which it is versioned.
REACHED = ("AWS::Lambda::Function", "AWS::Lambda::Alias")
PIPELINES = {
    "fraud": "CuatroFraud",
    "recommendations": "CuatroRecommendations",
    "sentiment": "CuatroSentiment",
    "imaging": "CuatroImaging",
}
STACKS = ("CuatroPlatform", *PIPELINES.values())


@dataclass(frozen=True)
class Resource:
    """One resource of a template; `where` is its stack and logical id."""

    stack: str
    id: str
    type: str
    properties: dict[str, Any]

    @property
    def where(self) -> str:
        return f"{self.stack}.{self.id}"


@dataclass(frozen=True)
class Assembly:
    """A cloud assembly in `path`."""

    path: Path

    def template(self, stack: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.path / f"{stack}.template.json").read_text())
        return found

    def resources(self, *types: str, within: Collection[str] = STACKS) -> list[Resource]:
        """Resources of `types` (all of them without) in every stack, or `within` some."""
        return [
            Resource(stack, name, found["Type"], found.get("Properties", {}))
            for stack in within
            for name, found in self.template(stack)["Resources"].items()
            if not types or found["Type"] in types
        ]

    def function_named(self, stack: str, name: Any) -> str:
        """Logical id of the function that `name` refers to: by itself, or by its alias (whose Ref is an ARN)."""
        resources = self.template(stack)["Resources"]
        (found,) = (key for key in references(name) if resources[key]["Type"] in REACHED)
        return (
            found
            if resources[found]["Type"] == REACHED[0]
            else references(resources[found]["Properties"]["FunctionName"])[0]
        )

    def archive(self, code: dict[str, Any]) -> Path:
        """The zip that `Code` or `Content` of a resource names."""
        return next(self.path.glob(f"asset.*{code['S3Key'].removesuffix('.zip')}*.zip"))

    def functions(self) -> Iterator["Function"]:
        for resource in self.resources("AWS::Lambda::Function"):
            layers = [self._layer(resource.stack, layer) for layer in resource.properties["Layers"]]
            yield Function(resource, self.archive(resource.properties["Code"]), layers)

    def _layer(self, stack: str, reference: dict[str, str]) -> Path:
        content = self.template(stack)["Resources"][reference["Ref"]]["Properties"]["Content"]
        return self.archive(content)


@dataclass(frozen=True)
class Function:
    """A function with its archive and those of its layers."""

    resource: Resource
    archive: Path
    layers: list[Path]

    @property
    def module(self) -> str:
        """`functions.fraud.score.handler`."""
        handler: str = self.resource.properties["Handler"]
        return handler.rpartition(".")[0]


def unzipped(*archives: Path) -> int:
    """Bytes of the files in `archives`."""
    return sum(entry.file_size for archive in archives for entry in zipfile.ZipFile(archive).infolist())


def references(value: Any) -> list[str]:
    """Logical ids that `value` refers to, at any depth."""
    if isinstance(value, dict):
        if "Ref" in value:
            return [value["Ref"]]
        if "Fn::GetAtt" in value:
            return [value["Fn::GetAtt"][0]]
        return [found for each in value.values() for found in references(each)]
    return [found for each in value for found in references(each)] if isinstance(value, list) else []


@cache
def context() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return found


@cache
def assembly(
    target: str = DEFAULT,
    profile: str | None = None,
    serving: str | None = None,
    retraining: str | None = None,
    ranking: str | None = None,
    **more: str,
) -> Assembly:
    """The assembly of a target; `more` options by their names, "_" for "-". A finding of cdk-nag raises; CDK checks
    the default one's templates."""
    others = {name.replace("_", "-"): value for name, value in more.items()}
    options = (target, profile, serving, retraining, ranking, *(f"{key}={others[key]}" for key in sorted(others)))
    where = Path(_scratch().name, re.sub(r"[^A-Za-z0-9=.-]", "_", "-".join(map(str, options))))
    app = aws_cdk.App(
        outdir=str(where),
        context=context(),
        builtin_cloud_formation_validation=options == (DEFAULT, *[None] * 4),
    )
    Suite(app, chosen(target, profile=profile, serving=serving, retraining=retraining, ranking=ranking, **others))
    app.synth()
    return Assembly(where)


@cache
def _scratch() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="cuatro-stacks-")
