"""Processors and prefixes of a new delivery stream -> why AWS, or this platform, would not take them.

What is refused here and taken by AWS is said so: other processors, and jq beyond paths, slices and strftime.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import re
from collections.abc import Iterator
from typing import Any

from ministack.services import firehose

from local.emulator.transformation import is_partitioned, processors

Description = dict[str, Any]

LEAST_PARTITIONED_MIB = 64
KINDS = ("Lambda", "MetadataExtraction", "AppendDelimiterToRecord")
# Of a Lambda processor: what its numbers may be.
_RANGES = {"BufferSizeInMBs": (0.2, 3), "BufferIntervalInSeconds": (0, 900), "NumberOfRetries": (0, 300)}
_FUNCTION = re.compile(r"arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9$_-]+)?")
_KEY = re.compile(r"!\{partitionKeyFrom(Query|Lambda):([^}]*)\}")


def refusal(destination: Description) -> str | None:
    """The first reason not to make a stream with this ExtendedS3DestinationConfiguration, if there is one."""
    return next(_reasons(destination), None)


def _reasons(destination: Description) -> Iterator[str]:
    for processor in (destination.get("ProcessingConfiguration") or {}).get("Processors") or []:
        if processor.get("Type") not in KINDS:
            yield f"Processor type {processor.get('Type')} is not known to the local platform, only {', '.join(KINDS)}."
    for parameters in processors(destination, "Lambda"):
        if not _FUNCTION.fullmatch(parameters.get("LambdaArn", "")):
            yield f"LambdaArn {parameters.get('LambdaArn')} is not the ARN of a Lambda function."
        for name, (least, most) in _RANGES.items():
            if not least <= float(parameters.get(name, least)) <= most:
                yield f"{name} must be between {least} and {most}."
    for parameters in processors(destination, "AppendDelimiterToRecord"):
        if parameters.get("Delimiter", "\\n") not in {"\\n", "\n"}:
            yield "Delimiter must be \\n."
    yield from _unpartitioned(destination)


def _unpartitioned(destination: Description) -> Iterator[str]:
    """What keeps the records from being sorted by their keys."""
    keys = set(_KEY.findall(destination.get("Prefix") or ""))
    on = is_partitioned(destination)
    if keys and not on:
        yield "Dynamic partitioning must be enabled to use partition keys in Prefix."
    if _KEY.search(destination.get("ErrorOutputPrefix") or ""):
        yield "ErrorOutputPrefix cannot contain partition keys."
    if not on:
        return
    hints = destination.get("BufferingHints") or {}
    if int(hints.get("SizeInMBs", LEAST_PARTITIONED_MIB)) < LEAST_PARTITIONED_MIB:
        yield f"BufferingHints.SizeInMBs must be at least {LEAST_PARTITIONED_MIB} when dynamic partitioning is enabled."
    if not keys:
        yield "Prefix must contain partition keys when dynamic partitioning is enabled."
    if not destination.get("ErrorOutputPrefix"):
        yield "ErrorOutputPrefix must be given when dynamic partitioning is enabled."
    if any(source == "Lambda" for source, _ in keys) and not processors(destination, "Lambda"):
        yield "Prefix has partition keys from a Lambda function, but no function processes the records."
    yield from _unqueried(destination, {name for source, name in keys if source == "Query"})


def _unqueried(destination: Description, wanted: set[str]) -> Iterator[str]:
    """What keeps the query from making the keys that the prefix wants of it."""
    found: set[str] = set()
    for parameters in processors(destination, "MetadataExtraction"):
        query = parameters.get("MetadataExtractionQuery", "")
        if parameters.get("JsonParsingEngine") != "JQ-1.6":
            yield "JsonParsingEngine must be JQ-1.6."
        try:
            found.update(name for name, _, _ in firehose._jq_parse(query))
        except ValueError as error:
            yield f"MetadataExtractionQuery {query!r} is beyond the jq of the local platform: {error}"
    if missing := sorted(wanted - found):
        yield f"MetadataExtractionQuery does not make the partition keys of Prefix: {', '.join(missing)}."
