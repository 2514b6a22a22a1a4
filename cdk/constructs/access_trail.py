"""Buckets about patients -> CloudTrail: who read, wrote or deleted which object, by which identity, when.

The application's own ledger says what the pipeline did and why; the trail says what anybody did, past it too.
"""

from collections.abc import Sequence

from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.config import Target
from cdk.constructs.findings import acknowledge
from cdk.constructs.secure_bucket import SecureBucket

# What 45 CFR 164.316(b)(2)(i) asks of documentation.
KEPT_DAYS = 6 * 366


class AccessTrail(Construct):
    """Data events of `buckets` alone, with digests that show whether a file of the trail was changed or is missing.

    CloudTrail's files are under S3's own key: they hold no patient's data but the keys of objects, and whoever looks
    into an incident must not need the images' key.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        buckets: Sequence[SecureBucket],
        access_logs: s3.IBucket,
        log_prefix: str,
        target: Target,
    ) -> None:
        super().__init__(scope, name)
        self.kept = SecureBucket(
            self, "Kept", encrypted_with=None, expire_days={"AWSLogs": KEPT_DAYS}, lock=target.object_lock,
            access_logs=access_logs, log_prefix=log_prefix, target=target,
        )  # fmt: skip
        self.trail = cloudtrail.Trail(
            self,
            "Trail",
            bucket=self.kept.bucket,
            enable_file_validation=True,
            include_global_service_events=False,
            is_multi_region_trail=False,
            management_events=cloudtrail.ReadWriteType.NONE,
        )
        self.trail.add_s3_event_selector(
            [cloudtrail.S3EventSelector(bucket=each.bucket) for each in buckets],
            include_management_events=False,
            read_write_type=cloudtrail.ReadWriteType.ALL,
        )
        acknowledge(
            self.kept, "AwsSolutions-S1", "Its access is logged as that of every bucket; CDK's check looks elsewhere."
        )
