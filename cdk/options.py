"""`-c` options of the CDK app -> the target with what they change, or a refusal that says what to do."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, cast, get_args

from cdk.config import TARGETS, DataSync, ObjectLock, Ranking, Serving, Target
from cdk.profiles import PROFILES
from cdk.retraining_recommendations import Algorithm

# Of second opinions, where none is named.
BEDROCK_MODEL = "amazon.nova-micro-v1:0"
# S3's longest retention is a hundred years.
_LOCK_DAYS = 36_500
_NFS = re.compile(r"^nfs://([A-Za-z0-9.-]+)(/\S*)$")
_ENDPOINTS = ("sagemaker", "blazingtext", "huggingface")
# Option -> what it takes; an entry that ends in a colon takes a name after it.
KNOWN: Mapping[str, tuple[str, ...]] = {
    "target": tuple(TARGETS),
    "profile": tuple(PROFILES),
    "serving": get_args(Serving),
    "retraining": ("on", "off"),
    "ranking": get_args(Ranking),
    "algorithm": get_args(Algorithm),
    "backend": ("onnx", "comprehend", *(f"{kind}:" for kind in _ENDPOINTS)),
    "second-opinion": ("off", "bedrock", "bedrock:"),
    "search": ("off", "opensearch"),
    "quicksight": ("off", "arn:"),
    "object-lock": ("off", "governance:", "compliance:"),
    "datasync": ("off", "on", "arn:"),
    "datasync-source": ("off", "nfs:"),
    "review": ("own", "a2i:"),
    "gpu-image": ("off", "ecr:"),
}
OPTIONS = tuple(KNOWN)


def chosen(target: str | None = None, **options: str | None) -> Target:
    """The target of `-c target=` (default dev) with what the other options change; None is an option not given.

    Raises ValueError, with what to do, for a name that there is not and for two that do not go together.
    """
    given = {option: value for option, value in {"target": target, **options}.items() if value is not None}
    for option, value in given.items():
        known = KNOWN[option]
        if not any(_is(value, each) for each in known):
            told = ", ".join(f"{each}<name>" if each.endswith(":") else each for each in known)
            raise ValueError(f"-c {option}={value}: must be one of {told}")
    found = TARGETS[given.get("target", "dev")]
    found = replace(
        found,
        profile=PROFILES[given["profile"]] if "profile" in given else found.profile,
        serving=cast("Serving", given.get("serving", found.serving)),
        ranking=cast("Ranking", given.get("ranking", found.ranking)),
        search=_unless_off(given.get("search", found.search)),
        quicksight=_unless_off(given.get("quicksight", found.quicksight)),
    )
    found = _classified(found, given)
    found = _trained(found, given)
    found = _kept_and_reviewed(found, given)
    _go_together(found)
    return found


def _unless_off(value: str) -> str:
    return "" if value == "off" else value


def _is(value: str, known: str) -> bool:
    return value == known if not known.endswith(":") else value.startswith(known) and value != known


def _classified(found: Target, given: Mapping[str, str]) -> Target:
    """Who classifies posts, and who is asked when that one is unsure."""
    asked = given.get("second-opinion", "")
    opinions = {"off": "", "bedrock": f"bedrock:{BEDROCK_MODEL}"}
    policy = replace(
        found.sentiment_policy,
        backend=given.get("backend", found.sentiment_policy.backend),
        second_opinion=opinions.get(asked, asked) if asked else found.sentiment_policy.second_opinion,
    )
    if policy.backend != "onnx" and found.serving != "lambda":
        raise ValueError(f"-c backend={policy.backend} needs no other endpoint: leave -c serving={found.serving} out")
    return replace(found, sentiment_policy=policy)


def _trained(found: Target, given: Mapping[str, str]) -> Target:
    """What is retrained: only a model that is ours. Personalize and Comprehend train by themselves."""
    off = given.get("retraining") == "off"
    found = replace(
        found,
        retraining=None if off else found.retraining,
        recommendations_retraining=None if off or found.ranking == "personalize" else found.recommendations_retraining,
        sentiment_retraining=None if off or found.sentiment_policy.backend != "onnx" else found.sentiment_retraining,
    )
    algorithm = given.get("algorithm")
    if algorithm is None:
        return found
    if found.recommendations_retraining is None:
        raise ValueError(f"-c algorithm={algorithm}: nothing is trained here, leave it out")
    plan = replace(found.recommendations_retraining, algorithm=cast("Algorithm", algorithm))
    return replace(found, recommendations_retraining=plan)


def _kept_and_reviewed(found: Target, given: Mapping[str, str]) -> Target:
    """How long images are locked, how they come from the hospital, who reviews them."""
    return replace(
        found,
        object_lock=_lock(given["object-lock"]) if "object-lock" in given else found.object_lock,
        datasync=_datasync(given) or found.datasync,
        review_flow=given.get("review", "own").partition(":")[2] or found.review_flow,
        gpu_image=given.get("gpu-image", "off").partition(":")[2] or found.gpu_image,
    )


def _lock(value: str) -> ObjectLock | None:
    mode, _, days = value.partition(":")
    if mode == "off":
        return None
    if not days.isdigit() or not 1 <= int(days) <= _LOCK_DAYS:
        raise ValueError(f"-c object-lock={value}: <name> is a number of days, 1 to {_LOCK_DAYS}")
    return ObjectLock(cast("Literal['governance', 'compliance']", mode), int(days))


def _datasync(given: Mapping[str, str]) -> DataSync | None:
    kind = _unless_off(given.get("datasync", "off"))
    source = _unless_off(given.get("datasync-source", "off"))
    if not kind:
        if source:
            raise ValueError(f"-c datasync-source={source} needs -c datasync=<ARN of an agent>, which reads it")
        return None
    agent = "" if kind == "on" else kind
    if bool(agent) != bool(source):
        raise ValueError("-c datasync=<ARN of an agent> and -c datasync-source=nfs://<host>/<path> need each other")
    found = _NFS.match(source)
    if source and not found:
        raise ValueError(f"-c datasync-source={source}: must be nfs://<host>/<path>")
    return DataSync(agent, *found.groups()) if found else DataSync()


def _go_together(found: Target) -> None:
    if found.serving != "lambda" and found.ranking != "model":
        raise ValueError(f"-c ranking={found.ranking} needs no endpoint: leave -c serving={found.serving} out")
    if found.gpu_image and found.serving != "realtime":
        raise ValueError(f"-c gpu-image=ecr:{found.gpu_image} is served by instances: add -c serving=realtime")
    if found.serving != "lambda" and found.retraining:
        raise ValueError(
            f"-c serving={found.serving} needs -c retraining=off: a roll-out changes the model in the functions' "
            "layers, not the one of an endpoint"
        )
