"""CreateDeliveryStream -> refused where AWS refuses: roles without the rights, settings that do not go together.

MiniStack makes any stream, so a role whose policy is attached too late would be found on AWS only.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import firehose

from local.emulator import grants, processing
from local.emulator.deliveryobjects import glue_table, is_on

Description = dict[str, Any]
Put = Callable[[Description], Any]

# What the roles of a stream must be allowed to when it is made; the smallest buffer that is converted.
READS_SOURCE = ("kinesis:DescribeStream", "kinesis:GetShardIterator", "kinesis:GetRecords", "kinesis:ListShards")
READS_TABLE = ("glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions")
LEAST_CONVERTED_MIB = 64


def install() -> None:
    """Replace MiniStack's CreateDeliveryStream, for its API and for CloudFormation."""
    checked = _checked(firehose._create_delivery_stream)
    firehose._create_delivery_stream = checked
    firehose._HANDLERS["CreateDeliveryStream"] = checked


def _checked(create: Put) -> Put:
    """CreateDeliveryStream that answers InvalidArgumentException where AWS does."""

    def checked(request: Description) -> Any:
        destination = request.get("ExtendedS3DestinationConfiguration") or {}
        settings = destination.get("DataFormatConversionConfiguration")
        reason = _unreadable(request.get("KinesisStreamSourceConfiguration")) or processing.refusal(destination)
        if not reason and settings and is_on(settings):
            reason = _inconvertible(destination, settings.get("SchemaConfiguration") or {})
        return firehose._invalid(reason) if reason else create(request)

    return checked


def _unreadable(source: Description | None) -> str | None:
    if source is None:
        return None
    role, arn = source.get("RoleARN", ""), source.get("KinesisStreamARN", "")
    missing = next((action for action in READS_SOURCE if not grants.allowed(role, action, arn, "firehose")), None)
    return f"Role {role} is not authorized to perform: {missing} on resource {arn}." if missing else None


def _inconvertible(destination: Description, schema: Description) -> str | None:
    hints = destination.get("BufferingHints") or {"SizeInMBs": LEAST_CONVERTED_MIB * 2}
    if int(hints.get("SizeInMBs", 0)) < LEAST_CONVERTED_MIB:
        return f"BufferingHints.SizeInMBs must be at least {LEAST_CONVERTED_MIB} to convert the data format."
    if destination.get("CompressionFormat", "UNCOMPRESSED") != "UNCOMPRESSED":
        return "CompressionFormat must be UNCOMPRESSED to convert the data format."
    if glue_table(schema) is None:
        return firehose._CONVERSION_ERRORS["table"][1]
    catalogue = f"arn:aws:glue:{get_region()}:{get_account_id()}"
    database, table = schema.get("DatabaseName", ""), schema.get("TableName", "")
    for resource in ("catalog", f"database/{database}", f"table/{database}/{table}"):
        for action in READS_TABLE:
            if not grants.allowed(schema.get("RoleARN", ""), action, f"{catalogue}:{resource}", "firehose"):
                return (
                    "Access was denied when calling Glue. Please ensure that the role specified in the data format "
                    f"conversion configuration has the necessary permissions ({action} on {catalogue}:{resource})."
                )
    return None
