"""What Firehose does to records on their way: a function that changes or drops them, places made of what is in them.

A call that fails is tried three times; then its records lie under <pipeline>/lake-errors/<name>/processing-failed/.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose

from cdk.constructs.suite_function import SuiteFunction

_RETRIES = 3
# A post has some hundred bytes: a batch of some hundreds, classified within the function's time.
_BATCH_MB = 0.2
_Parts = firehose.CfnDeliveryStream


@dataclass(frozen=True)
class Processing:
    """by: fields of a record (a function's answer gives them as partitionKeys) that make <field>=<value>/ of the
    prefix, in this order; without, it is the day of arrival. function: changes records, which it gathers for
    `gather_s` seconds."""

    by: Sequence[str] = ()
    function: SuiteFunction | None = None
    gather_s: int = 10

    @property
    def prefix(self) -> str:
        """Below <pipeline>/<name>/, as Firehose fills it in."""
        source = "partitionKeyFromLambda" if self.function else "partitionKeyFromQuery"
        return "".join(f"{key}=!{{{source}:{key}}}/" for key in self.by) or "dt=!{timestamp:yyyy-MM-dd}/"

    def configuration(self, role: iam.Role) -> Mapping[str, Any]:
        """Of the destination, with what `role` needs for it. Each record becomes a line."""
        processors = [*self._keys(), *self._function(role), _processor("AppendDelimiterToRecord", {"Delimiter": "\\n"})]
        return {
            "processing_configuration": _Parts.ProcessingConfigurationProperty(enabled=True, processors=processors),
            "dynamic_partitioning_configuration": _Parts.DynamicPartitioningConfigurationProperty(enabled=True)
            if self.by
            else None,
        }

    def _keys(self) -> list[_Parts.ProcessorProperty]:
        if self.function or not self.by:
            return []
        query = "{{{}}}".format(",".join(f"{key}:.{key}" for key in self.by))
        return [_processor("MetadataExtraction", {"MetadataExtractionQuery": query, "JsonParsingEngine": "JQ-1.6"})]

    def _function(self, role: iam.Role) -> list[_Parts.ProcessorProperty]:
        if self.function is None:
            return []
        arn = self.function.reached.function_arn
        role.add_to_policy(
            iam.PolicyStatement(actions=["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"], resources=[arn])
        )
        parameters = {
            "LambdaArn": arn,
            "NumberOfRetries": str(_RETRIES),
            "BufferSizeInMBs": str(_BATCH_MB),
            "BufferIntervalInSeconds": str(self.gather_s),
            "RoleArn": role.role_arn,
        }
        return [_processor("Lambda", parameters)]


def _processor(kind: str, parameters: Mapping[str, str]) -> _Parts.ProcessorProperty:
    return _Parts.ProcessorProperty(
        type=kind,
        parameters=[
            _Parts.ProcessorParameterProperty(parameter_name=name, parameter_value=value)
            for name, value in parameters.items()
        ],
    )
