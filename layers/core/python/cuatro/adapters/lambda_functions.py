"""Functions of Lambda: their configuration, versions, aliases with weights, and layers.

What another change holds up (ResourceConflictException) is Unavailable: it passes.
"""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from cuatro.adapters.aws import called
from cuatro.errors import Refused, Unavailable

_POLLS, _PAUSE_S = 120, 0.5
DIRECT = 50_000_000
"""Bytes of a zip file that Lambda takes in a call; larger ones it reads from S3."""


class Configuration(NamedTuple):
    """What a version of a function runs with."""

    layers: tuple[str, ...]
    variables: Mapping[str, str]


class Alias(NamedTuple):
    """version gets all calls but the shares in `others`: version -> share."""

    version: str
    others: Mapping[str, float]


def configuration(function: str, version: str = "$LATEST") -> Configuration:
    """Raises Unavailable or Refused, as all of these do."""
    return _configuration(_lambda("get_function_configuration", FunctionName=function, Qualifier=version))


def configure(function: str, wanted: Configuration) -> None:
    """Give $LATEST these layers and variables, and wait until it has them."""
    _settled(function, whatever=True)
    _lambda(
        "update_function_configuration",
        FunctionName=function,
        Layers=list(wanted.layers),
        Environment={"Variables": dict(wanted.variables)},
    )
    _settled(function)


def _settled(function: str, *, whatever: bool = False) -> None:
    """Wait for an update under way, ours or a deployment's: Lambda takes neither another one nor a new version.

    whatever: it may have failed; the next update mends that.
    """
    for _ in range(_POLLS):
        found = _lambda("get_function_configuration", FunctionName=function)
        status = found.get("LastUpdateStatus", "Successful")
        if status == "Successful" or (status == "Failed" and whatever):
            return
        if status == "Failed":
            raise Refused("UpdateFunctionConfiguration", status, f"{function}: {found.get('LastUpdateStatusReason')}")
        time.sleep(_PAUSE_S)
    raise Unavailable(f"{function} is still being updated")


def publish(function: str, description: str) -> str:
    """$LATEST as a version; the last one when nothing has changed since."""
    _settled(function)
    return str(_lambda("publish_version", FunctionName=function, Description=description[:256])["Version"])


def alias(function: str, name: str) -> Alias:
    """Where an alias points to."""
    found = _lambda("get_alias", FunctionName=function, Name=name)
    return Alias(found["FunctionVersion"], (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})


def point(function: str, name: str, version: str, others: Mapping[str, float]) -> None:
    """Let an alias point to a version, but for the shares of `others`."""
    routing = {"AdditionalVersionWeights": dict(others)}
    _lambda("update_alias", FunctionName=function, Name=name, FunctionVersion=version, RoutingConfig=routing)


def publish_layer(name: str, content: bytes | tuple[str, str], description: str) -> str:
    """A new version of a layer; its ARN. content: a zip file, or bucket and key of one that is too large for a call."""
    if isinstance(content, bytes):
        where: dict[str, bytes | str] = {"ZipFile": content}
    else:
        where = {"S3Bucket": content[0], "S3Key": content[1]}
    answer = _lambda(
        "publish_layer_version",
        LayerName=name,
        Content=where,
        Description=description[:256],
        CompatibleArchitectures=["x86_64"],
    )
    return str(answer["LayerVersionArn"])


def _configuration(found: Any) -> Configuration:
    layers = tuple(each["Arn"] for each in found.get("Layers") or [])
    return Configuration(layers, (found.get("Environment") or {}).get("Variables") or {})


def _lambda(operation: str, **parameters: Any) -> Any:
    try:
        return called("lambda", operation, **parameters)
    except Refused as refused:
        if refused.code == "ResourceConflictException":
            raise Unavailable(str(refused)) from refused
        raise
