"""A bucket that nobody outside sees: encrypted, TLS only, no public access, objects expire, access logged."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct


def private_bucket(
    scope: Construct,
    name: str,
    *,
    expire_days: int | Mapping[str, int],
    retain: bool,
    access_logs: s3.IBucket | None = None,
    log_prefix: str | None = None,
) -> s3.Bucket:
    """The bucket; objects are deleted after `expire_days` (of each prefix where it is a mapping, what is under none
    of them is kept); its access log goes to `access_logs` under `log_prefix`."""
    days = {None: expire_days} if isinstance(expire_days, int) else expire_days
    return s3.Bucket(
        scope,
        name,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        lifecycle_rules=[
            s3.LifecycleRule(
                prefix=prefix, expiration=Duration.days(age), abort_incomplete_multipart_upload_after=Duration.days(1)
            )
            for prefix, age in days.items()
        ],
        server_access_logs_bucket=access_logs,
        server_access_logs_prefix=log_prefix,
        removal_policy=RemovalPolicy.RETAIN if retain else RemovalPolicy.DESTROY,
    )
