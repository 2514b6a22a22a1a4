"""Request to Lambda -> the IAM action and the resource that AWS checks for it: aliases, versions of layers, qualifiers.

MiniStack takes every request about an alias for lambda:ListAliases and every call of an alias for a call of the
function, so a role would need on the laptop what it does not need on AWS, and the other way round.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

Extract = Callable[..., str | None]
Resource = Callable[..., str]

# (collection, whether one of it is named, method) -> action
_ACTIONS = {
    ("aliases", False, "POST"): "CreateAlias",
    ("aliases", False, "GET"): "ListAliases",
    ("aliases", True, "GET"): "GetAlias",
    ("aliases", True, "PUT"): "UpdateAlias",
    ("aliases", True, "DELETE"): "DeleteAlias",
    ("layers", False, "GET"): "ListLayers",
    ("layer-versions", False, "GET"): "ListLayerVersions",
    ("layer-versions", False, "POST"): "PublishLayerVersion",
    ("layer-versions", True, "GET"): "GetLayerVersion",
    ("layer-versions", True, "DELETE"): "DeleteLayerVersion",
    ("event-source-mappings", True, "GET"): "GetEventSourceMapping",
    ("event-source-mappings", True, "PUT"): "UpdateEventSourceMapping",
    ("event-source-mappings", True, "DELETE"): "DeleteEventSourceMapping",
    ("concurrency", False, "DELETE"): "DeleteFunctionConcurrency",
    ("concurrency", False, "GET"): "GetFunctionConcurrency",
}
# A request with a qualifier is checked against the qualified ARN for these.
_QUALIFIED = {"lambda:InvokeFunction", "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:DeleteFunction"}


def as_aws_checks(extract: Extract) -> Extract:
    """`extract` (service, method, path, ...) with the actions of Lambda as AWS names them."""

    def extracted(service: str, method: str, path: str, *rest: Any) -> str | None:
        if service == "lambda":
            collection, named = _collection(path)
            action = _ACTIONS.get((collection, named, method))
            if action:
                return f"lambda:{action}"
        return extract(service, method, path, *rest)

    return extracted


def on_what_aws_checks(extract: Resource, action_of: Extract) -> Resource:
    """`extract` (service, method, path, headers, body, query, region, account) with Lambda's qualified ARNs."""

    def extracted(  # noqa: PLR0913, PLR0917 - MiniStack's own signature
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, Any],
        region: str,
        account: str,
    ) -> str:
        arn = extract(service, method, path, headers, body, query, region, account)
        if service != "lambda" or (":function:" not in arn and ":layer:" not in arn):
            return arn
        action = action_of(service, method, path, headers, body, query)
        if action in {"lambda:GetLayerVersion", "lambda:DeleteLayerVersion"}:
            return f"{arn}:{unquote(path.rstrip('/').rpartition('/')[2])}"
        prefix, _, function = arn.partition(":function:")
        if not function.startswith("arn:") and action in _QUALIFIED:
            value = query.get("Qualifier") or ""
            qualifier = value[0] if isinstance(value, list) else value
            return f"{arn}:{qualifier}" if qualifier and ":" not in function else arn
        return f"{prefix}:function:{function.partition(':')[0]}" if function and action not in _QUALIFIED else arn

    return extracted


def _collection(path: str) -> tuple[str, bool]:
    """What a path is about, and whether it names one of it: /2015-03-31/functions/f/aliases/a -> ("aliases", True)."""
    parts = [part for part in path.split("/") if part][1:]
    if not parts:
        return "", False
    if parts[0] == "functions" and len(parts) > 2:
        return parts[2], len(parts) > 3
    if parts[0] == "layers" and len(parts) > 2:
        return "layer-versions", len(parts) > 3
    return parts[0], len(parts) > 1
