"""Functions, aliases and layers: which version of a function has which models, and how many calls it gets."""

from collections.abc import Mapping
from hashlib import sha256

from cuatro.adapters import lambda_functions as lambdas
from cuatro.adapters import objects
from cuatro.adapters.lambda_functions import Configuration
from cuatro.errors import Rejected
from functions.lifecycle.rollout import layer
from functions.lifecycle.rollout.plan import Kind, functions_of
from functions.lifecycle.rollout.settings import Settings


class Switch:
    """The pipeline's functions, behind their alias. Every method may be repeated. Raises Unavailable, Refused."""

    def __init__(self, setting: Settings) -> None:
        self._alias, self._layer_name = setting.alias, setting.layer_name
        self._bucket, self._pipeline = setting.lake_bucket, setting.pipeline
        self.functions: Mapping[str, Kind] = functions_of(setting.functions)

    def of_kind(self, kind: Kind) -> list[str]:
        """Names."""
        return [name for name, each in self.functions.items() if each == kind]

    def stable(self) -> dict[str, str]:
        """Function -> the version that its alias points to. Raises Rejected while one is shared by weights."""
        versions = {}
        for function in self.functions:
            found = lambdas.alias(function, self._alias)
            if found.others:
                raise Rejected(f"{function}: the alias {self._alias} is shared by weights, {dict(found.others)}")
            versions[function] = found.version
        return versions

    def version(self, function: str, models: str, uri: str, shadow_uri: str, why: str) -> str:
        """Publish a version with these models; models: the layer's ARN."""
        found = lambdas.configuration(function)
        variables = {**found.variables, "MODEL_URI": uri, "SHADOW_MODEL_URI": shadow_uri}
        wanted = Configuration(layer.replaced(found.layers, self._layer_name, models), variables)
        if wanted != found:
            lambdas.configure(function, wanted)
        return lambdas.publish(function, why)

    def point(self, function: str, version: str, others: Mapping[str, float] | None = None) -> None:
        """Let calls of the alias go to a version, but for the shares of others."""
        lambdas.point(function, self._alias, version, others or {})

    def share(self, function: str, version: str, weight: float) -> None:
        """A version gets this share of the calls, what the alias points to the rest."""
        stays = lambdas.alias(function, self._alias).version
        if weight >= 1 or version == stays:
            self.point(function, version)
        else:
            self.point(function, stays, {version: weight})

    def back(self, stable: Mapping[str, str]) -> None:
        """All calls to these versions, at once; and $LATEST as they are, since the next deployment publishes it."""
        for function in reversed(list(self.functions)):  # what decides first, what must know both models last
            self.point(function, stable[function])
        for function, version in stable.items():
            wanted, found = lambdas.configuration(function, version), lambdas.configuration(function)
            if wanted != found:
                lambdas.configure(function, wanted)

    def has(self, function: str, models: str, uri: str) -> bool:
        """Do all calls of the alias go to a version with this model?"""
        found = lambdas.alias(function, self._alias)
        given = lambdas.configuration(function, found.version)
        return not found.others and models in given.layers and given.variables.get("MODEL_URI") == uri

    def clear(self, function: str, models: str, stable: str, why: str) -> bool:
        """Take what a roll-out left behind the alias away: its layer `models`, its weights. Was there anything?

        A deployment of code alone publishes $LATEST as the roll-out had made it. `stable` tells the models from before.
        """
        found = lambdas.alias(function, self._alias)
        version = found.version
        if models in lambdas.configuration(function, version).layers:
            before = lambdas.configuration(function, stable)
            uris = before.variables["MODEL_URI"], before.variables["SHADOW_MODEL_URI"]
            version = self.version(function, layer.named(before.layers, self._layer_name), *uris, why)
        if version == found.version and not found.others:
            return False
        self.point(function, version)
        return True

    def publish_layer(self, content: bytes, why: str) -> str:
        """ARN of the layer's new version."""
        if len(content) <= lambdas.DIRECT:
            return lambdas.publish_layer(self._layer_name, content, why)
        where = self._bucket, f"{self._pipeline}/models/layers/{sha256(content).hexdigest()}.zip"
        objects.put(*where, content)
        return lambdas.publish_layer(self._layer_name, where, why)
