"""Records -> Firehose -> <pipeline>/<name>/dt=<day of arrival>/ of the lake: lines of JSON, or Parquet by a table.

With `processing` a function changes them on the way, or they lie by what is in them: brand=<..>/dt=<its day>/.
"""

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.constructs.alarms import alarm
from cdk.constructs.findings import acknowledge
from cdk.constructs.lake_tables import LakeTable
from cdk.constructs.processing import Processing

if TYPE_CHECKING:
    from cdk.constructs.lake import Lake

# Lines: an object a minute at the latest, the least that keeps requests few. Parquet: fewer, larger objects are what
# queries want, and Firehose converts from 64 MB buffers only.
_LINES_S, _LINES_MB = 60, 5
_PARQUET_S, _PARQUET_MB = 300, 64
# Firehose's least where it makes the prefix of what is in a record; the minute comes first.
_PARTED_S, _PARTED_MB = 60, 64
_DAY = "dt=!{timestamp:yyyy-MM-dd}/"
_LATE = Duration.minutes(15)
_Parts = firehose.CfnDeliveryStream


class Delivery(Construct):
    """One delivery stream with a role that may write its prefix and its error log, and an alarm when it is late.

    It takes what is put to it or, with `source`, every record of that stream. With a Parquet `table` records become
    rows of its columns; those that do not fit lie under lake-errors/, with the reason.
    """

    def __init__(
        self,
        lake: "Lake",
        name: str,
        *,
        source: kinesis.Stream | None = None,
        table: LakeTable | None = None,
        processing: Processing | None = None,
    ) -> None:
        super().__init__(lake, name.capitalize())
        self._name = name
        role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"), description=f"{name} to the lake"
        )
        parquet = table if table and table.parquet else None
        destination = self._destination(lake, role, parquet, processing)
        if source:
            source.grant(
                role, "kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"
            )
        if parquet:
            parquet.allow_reading_its_schema(role)
        self.stream = _Parts(
            self,
            "Stream",
            delivery_stream_type="KinesisStreamAsSource" if source else "DirectPut",
            kinesis_stream_source_configuration=_Parts.KinesisStreamSourceConfigurationProperty(
                kinesis_stream_arn=source.stream_arn, role_arn=role.role_arn
            )
            if source
            else None,
            # The key without a price; a stream as source brings its own encryption.
            delivery_stream_encryption_configuration_input=None
            if source
            else _Parts.DeliveryStreamEncryptionConfigurationInputProperty(key_type="AWS_OWNED_CMK"),
            extended_s3_destination_configuration=_Parts.ExtendedS3DestinationConfigurationProperty(**destination),
        )
        if source:
            acknowledge(
                self.stream,
                "AwsSolutions-KDF1",
                "Its source is encrypted; Firehose refuses a setting of its own where it reads from a stream.",
            )
        if processing:
            self._alarm_when_parted(processing, lake)
        self.stream.node.add_dependency(role)  # Firehose tries the role's grants when it makes the stream
        alarm(
            self, "Late", self._metric("DeliveryToS3.DataFreshness"), at_least=_LATE.to_seconds(), tell=lake.tell,
            means=f"{name} wait for the lake longer than {_LATE.to_minutes():.0f} minutes: read the lake's log group",
        )  # fmt: skip

    @property
    def name(self) -> str:
        return self.stream.ref

    def allow_put(self, role: iam.Role) -> None:
        """Grant sending records."""
        role.add_to_policy(iam.PolicyStatement(actions=["firehose:PutRecordBatch"], resources=[self.stream.attr_arn]))

    def _alarm_when_parted(self, processing: Processing, lake: "Lake") -> None:
        """Of what only a delivery with processing can suffer."""
        if processing.by:
            alarm(
                self, "Parted", self._metric("PartitionCountExceeded"), at_least=1, tell=lake.tell,
                means=f"{self._name}: more places of the lake at once than Firehose keeps open (500), so what is above "
                f"lies under lake-errors/. Ask AWS for more active partitions, then run: cuatro replay {lake.pipeline}",
            )  # fmt: skip
        if processing.function:
            alarm(
                self, "Unprocessed", self._metric("ExecuteProcessing.Success", "Minimum"), at_least=1, below=True,
                periods=3, tell=lake.tell,
                means=f"{self._name}: the function fails or is throttled; after three tries records lie under "
                f"lake-errors/. Read its log: cuatro logs {lake.pipeline}, then run: cuatro replay {lake.pipeline}",
            )  # fmt: skip

    def _destination(
        self, lake: "Lake", role: iam.Role, parquet: LakeTable | None, processing: Processing | None
    ) -> dict[str, Any]:
        """Where to and in what form, with what the role needs for it."""
        name, bucket, log_group = self._name, lake.bucket, lake.log_group
        log = logs.LogStream(self, "Log", log_group=log_group, removal_policy=RemovalPolicy.DESTROY)
        lake.allow(role, ["AbortMultipartUpload", "PutObject"], name, "lake-errors")
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                resources=[bucket.bucket_arn],
            )
        )
        role.add_to_policy(iam.PolicyStatement(actions=["logs:PutLogEvents"], resources=[log_group.log_group_arn]))
        seconds, megabytes = (_PARQUET_S, _PARQUET_MB) if parquet else (_LINES_S, _LINES_MB)
        if processing and processing.by:
            seconds, megabytes = _PARTED_S, _PARTED_MB
        return {
            "bucket_arn": bucket.bucket_arn,
            "role_arn": role.role_arn,
            "prefix": f"{lake.pipeline}/{name}/{processing.prefix if processing else _DAY}",
            "error_output_prefix": f"{lake.pipeline}/lake-errors/{name}/!{{firehose:error-output-type}}/",
            "compression_format": "UNCOMPRESSED" if parquet else "GZIP",  # Parquet compresses within
            "buffering_hints": _Parts.BufferingHintsProperty(interval_in_seconds=seconds, size_in_m_bs=megabytes),
            "cloud_watch_logging_options": _Parts.CloudWatchLoggingOptionsProperty(
                enabled=True, log_group_name=log_group.log_group_name, log_stream_name=log.log_stream_name
            ),
            "data_format_conversion_configuration": parquet.conversion(role) if parquet else None,
            **(processing.configuration(role) if processing else {}),
        }

    def _metric(self, name: str, statistic: str = "Maximum") -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/Firehose", metric_name=name, dimensions_map={"DeliveryStreamName": self.stream.ref},
            statistic=statistic, period=Duration.minutes(5),
        )  # fmt: skip
