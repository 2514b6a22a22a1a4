"""What a pipeline saw, decided and learned -> a private bucket, by day: to train on, to judge by, to query."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.config import Target
from cdk.constructs.delivery import Delivery
from cdk.constructs.findings import acknowledge
from cdk.constructs.lake_tables import LakeTable, LakeTables
from cdk.constructs.objects import allow_objects
from cdk.constructs.private_bucket import private_bucket
from cdk.constructs.processing import Processing

_KEPT_DAYS = 400  # a year, and the window before it
_SCRATCH_DAYS = 30


class Lake(Construct):
    """One bucket: <pipeline>/<name>/dt=YYYY-MM-DD/ of each delivery in `keeps`, and what training leaves beside it.

    Models are kept for ever: the registry's versions point at them.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        pipeline: str,
        keeps: Sequence[str],
        target: Target,
        access_logs: s3.IBucket,
        tell: sns.ITopic,
    ) -> None:
        super().__init__(scope, name)
        self.pipeline = pipeline
        self.target = target
        self.tell = tell
        kept = dict.fromkeys((*keeps, "reports"), _KEPT_DAYS)
        scratch = dict.fromkeys(("lake-errors", "training", "captured", "queries"), _SCRATCH_DAYS)
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

    def delivery(
        self,
        name: str,
        *,
        source: kinesis.Stream | None = None,
        table: LakeTable | None = None,
        processing: Processing | None = None,
    ) -> Delivery:
        """A delivery stream to <pipeline>/<name>/dt=<day of arrival>/, in UTC, or by what `processing` says."""
        return Delivery(self, name, source=source, table=table, processing=processing)

    def tables(self) -> LakeTables:
        """The database of this lake's tables. Call it once."""
        return LakeTables(self)

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
