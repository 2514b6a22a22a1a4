"""Feature values as they come, all of them texts -> Python values of the feature's type; event times as seconds."""

import math
import re
from datetime import UTC, datetime
from typing import Any

from local.aws.errors import ValidationException
from local.aws.store import Record

_INTEGRAL = re.compile(r"[+-]?\d+")
# yyyy-MM-dd'T'HH:mm:ssZ and yyyy-MM-dd'T'HH:mm:ss.SSSZ, the two that the Feature Store takes.
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z")
_TTL_S = {"Seconds": 1, "Minutes": 60, "Hours": 3600, "Days": 86400, "Weeks": 604800}
_LONG = 2**63


def checked(group: Record, values: list[dict[str, Any]]) -> dict[str, Any]:
    """FeatureName -> typed value of a record. Raises ValidationException for what does not fit the group."""
    definitions = {definition["FeatureName"]: definition for definition in group["FeatureDefinitions"]}
    found: dict[str, Any] = {}
    for value in values:
        name = value["FeatureName"]
        if name not in definitions:
            raise ValidationException(
                f"Validation Error: FeatureName {name} is not in FeatureGroup {group['FeatureGroupName']}."
            )
        if name in found:
            raise ValidationException(f"Validation Error: FeatureName {name} is in the record more than once.")
        found[name] = _value(definitions[name], value)
    for member in ("RecordIdentifierFeatureName", "EventTimeFeatureName"):
        if found.get(group[member]) in (None, ""):
            raise ValidationException(f"Validation Error: the record has no value of {group[member]} ({member}).")
    return found


def event_time(group: Record, text: str) -> float:
    """Unix seconds of an event time, as the group has it: RFC 3339 in UTC, or unix seconds."""
    kind = next(
        d["FeatureType"] for d in group["FeatureDefinitions"] if d["FeatureName"] == group["EventTimeFeatureName"]
    )
    if kind == "Fractional":
        moment = float(typed(kind, text, group["EventTimeFeatureName"]))
        try:
            datetime.fromtimestamp(moment, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise ValidationException(f"Validation Error: EventTime {text} is no time: {error}.") from error
        return moment
    if not _TIME.fullmatch(text):
        raise ValidationException(
            f"Validation Error: EventTime {text} is neither yyyy-MM-dd'T'HH:mm:ssZ nor yyyy-MM-dd'T'HH:mm:ss.SSSZ."
        )
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise ValidationException(f"Validation Error: EventTime {text} is no time: {error}.") from error


def typed(kind: str, text: str, name: str) -> Any:
    """A text as Integral (int), Fractional (float) or String. Raises ValidationException."""
    if kind == "Integral":
        if not _INTEGRAL.fullmatch(text) or not -_LONG <= int(text) < _LONG:
            raise ValidationException(f"Validation Error: {text} of {name} is not of type Integral.")
        return int(text)
    if kind == "Fractional":
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValidationException(f"Validation Error: {text} of {name} is not of type Fractional.")
        return number
    return text


def seconds(duration: dict[str, Any] | None) -> float | None:
    """A TtlDuration in seconds."""
    return None if duration is None else float(_TTL_S[duration["Unit"]] * duration["Value"])


def _value(definition: dict[str, Any], value: dict[str, Any]) -> Any:
    name, kind = definition["FeatureName"], definition["FeatureType"]
    if "CollectionType" not in definition:
        if "ValueAsString" not in value:
            raise ValidationException(f"Validation Error: {name} is no collection and needs ValueAsString.")
        return typed(kind, value["ValueAsString"], name)
    if "ValueAsStringList" not in value:
        raise ValidationException(f"Validation Error: {name} is a collection and needs ValueAsStringList.")
    texts = value["ValueAsStringList"]
    dimension = definition.get("CollectionConfig", {}).get("VectorConfig", {}).get("Dimension")
    if dimension is not None and len(texts) != dimension:
        raise ValidationException(f"Validation Error: {name} has {len(texts)} values, not {dimension}.")
    return [typed(kind, text, name) for text in texts]
