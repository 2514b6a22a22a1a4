"""Lines of JSON -> Firehose -> a private bucket, by day: what a pipeline decided and learned, to train and judge on."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.config import Target
from cdk.constructs.alarms import alarm
from cdk.constructs.findings import acknowledge
from cdk.constructs.objects import allow_objects
from cdk.constructs.private_bucket import private_bucket

_KEPT_DAYS = 400  # a year, and the window before it
_SCRATCH_DAYS = 30
# Firehose writes an object a minute at the latest: the least that keeps requests few.
_BUFFER_S = 60
_BUFFER_MB = 5
_LATE = Duration.minutes(15)


class Lake(Construct):
    """One bucket: <pipeline>/<name>/dt=YYYY-MM-DD/ of each delivery, and what training leaves beside it.

    Models are kept for ever: the registry's versions point at them.
    """

    def __init__(
        self, scope: Construct, name: str, *, pipeline: str, target: Target, access_logs: s3.IBucket, tell: sns.ITopic
    ) -> None:
        super().__init__(scope, name)
        self.pipeline = pipeline
        self.target = target
        self.tell = tell
        kept = dict.fromkeys(("decisions", "labels", "reports"), _KEPT_DAYS)
        scratch = dict.fromkeys(("lake-errors", "training", "captured"), _SCRATCH_DAYS)
        self.bucket = private_bucket(
            self, "Bucket", retain=target.retain_data, access_logs=access_logs, log_prefix=f"{pipeline}/lake/",
            expire_days={f"{pipeline}/{prefix}/": days for prefix, days in (kept | scratch).items()},
        )  # fmt: skip
        acknowledge(
            self.bucket,
            "Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded",
            "The platform stack's policy allows it.",
        )
        self.log_group = logs.LogGroup(
            self,
            "Log",
            retention=target.profile.log_retention,
            removal_policy=RemovalPolicy.RETAIN if target.retain_data else RemovalPolicy.DESTROY,
        )

    def uri(self, *path: str) -> str:
        """s3:// address below the pipeline's prefix."""
        return "/".join((f"s3://{self.bucket.bucket_name}", self.pipeline, *path))

    def delivery(self, name: str) -> "Delivery":
        """A delivery stream to <pipeline>/<name>/dt=<day of arrival>/, in UTC."""
        return Delivery(self, name)

    def allow_read(self, role: iam.Role, *prefixes: str) -> None:
        """Grant reading the objects under `prefixes`, and listing the bucket, which holds this pipeline's alone."""
        self.allow(role, ["GetObject"], *prefixes)
        role.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.bucket.bucket_arn]))

    def allow_write(self, role: iam.Role, *prefixes: str) -> None:
        """Grant writing objects under `prefixes`."""
        self.allow(role, ["PutObject"], *prefixes)

    def allow(self, role: iam.Role, actions: Sequence[str], *prefixes: str) -> None:
        """Grant `actions` on the objects under <pipeline>/<prefix>/."""
        allow_objects(role, actions, self.bucket, *(f"{self.pipeline}/{prefix}" for prefix in prefixes))


class Delivery(Construct):
    """One delivery stream with a role that may write its prefix and its error log, and an alarm when it is late."""

    def __init__(self, lake: Lake, name: str) -> None:
        super().__init__(lake, name.capitalize())
        bucket, log_group = lake.bucket, lake.log_group
        log = logs.LogStream(self, "Log", log_group=log_group, removal_policy=RemovalPolicy.DESTROY)
        role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"), description=f"{name} to the lake"
        )
        lake.allow(role, ["AbortMultipartUpload", "PutObject"], name, "lake-errors")
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                resources=[bucket.bucket_arn],
            )
        )
        role.add_to_policy(iam.PolicyStatement(actions=["logs:PutLogEvents"], resources=[log_group.log_group_arn]))
        parts = firehose.CfnDeliveryStream
        self.stream = firehose.CfnDeliveryStream(
            self,
            "Stream",
            delivery_stream_type="DirectPut",
            # The key without a price.
            delivery_stream_encryption_configuration_input=parts.DeliveryStreamEncryptionConfigurationInputProperty(
                key_type="AWS_OWNED_CMK"
            ),
            extended_s3_destination_configuration=parts.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=bucket.bucket_arn,
                role_arn=role.role_arn,
                prefix=f"{lake.pipeline}/{name}/dt=!{{timestamp:yyyy-MM-dd}}/",
                error_output_prefix=f"{lake.pipeline}/lake-errors/{name}/!{{firehose:error-output-type}}/",
                compression_format="GZIP",
                buffering_hints=parts.BufferingHintsProperty(interval_in_seconds=_BUFFER_S, size_in_m_bs=_BUFFER_MB),
                cloud_watch_logging_options=parts.CloudWatchLoggingOptionsProperty(
                    enabled=True, log_group_name=log_group.log_group_name, log_stream_name=log.log_stream_name
                ),
            ),
        )
        self.stream.node.add_dependency(role)
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

    def _metric(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/Firehose", metric_name=name, dimensions_map={"DeliveryStreamName": self.stream.ref},
            statistic="Maximum", period=Duration.minutes(5),
        )  # fmt: skip
