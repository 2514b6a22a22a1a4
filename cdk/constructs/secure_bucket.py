"""Data about patients -> a bucket under a key of its own: versioned, TLS only, access logged, locked where asked for.

A role gets actions on prefixes, and the use of the key through S3 for this bucket alone.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.config import ObjectLock, Target
from cdk.constructs.data_key import DataKey
from cdk.constructs.findings import acknowledge
from cdk.constructs.objects import allow_objects
from cdk.constructs.work_queue import WorkQueue

# A version that was replaced or deleted by mistake can be had back so long; erasing a patient removes versions at once.
_OLD_VERSIONS_DAYS = 30
_OPENS = {"GetObject", "GetObjectVersion"}
_CLOSES = {"PutObject"}


class SecureBucket(Construct):
    """encrypted_with: its key; None for S3's own, where there is nothing to keep from anybody.

    expire_days: by prefix; under others objects stay. lock: objects cannot be deleted so long, by governance or by
    compliance; None locks none.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        encrypted_with: DataKey | None,
        expire_days: Mapping[str, int],
        lock: ObjectLock | None,
        access_logs: s3.IBucket,
        log_prefix: str,
        target: Target,
    ) -> None:
        super().__init__(scope, name)
        self._key = encrypted_with
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS if encrypted_with else s3.BucketEncryption.S3_MANAGED,
            encryption_key=encrypted_with.key if encrypted_with else None,
            bucket_key_enabled=True if encrypted_with else None,  # a hundredth of the calls to KMS
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            object_lock_enabled=True if lock else None,
            object_lock_default_retention=_retention(lock) if lock else None,
            lifecycle_rules=[
                s3.LifecycleRule(
                    noncurrent_version_expiration=Duration.days(_OLD_VERSIONS_DAYS),
                    expired_object_delete_marker=True,
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                ),
                *(
                    s3.LifecycleRule(prefix=f"{prefix}/", expiration=Duration.days(days))
                    for prefix, days in expire_days.items()
                ),
            ],
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=log_prefix,
            removal_policy=RemovalPolicy.RETAIN if target.retain_data else RemovalPolicy.DESTROY,
        )
        if encrypted_with:
            self._refuse_other_keys(encrypted_with)
        acknowledge(
            self.bucket,
            "Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded",
            "The platform stack's policy allows it.",
        )

    @property
    def name(self) -> str:
        return self.bucket.bucket_name

    def allow(self, role: iam.Role, actions: Sequence[str], *prefixes: str) -> None:
        """Grant `actions` ("GetObject", "PutObject", ...) on the objects under `prefixes`, with what they need of the
        key."""
        allow_objects(role, actions, self.bucket, *prefixes)
        uses = [*(["Decrypt"] if _OPENS & {*actions} else []), *(["GenerateDataKey"] if _CLOSES & {*actions} else [])]
        if self._key and uses:
            self._key.allow(role, uses, by="s3", context={"aws:s3:arn": self.bucket.bucket_arn})

    def allow_listing(self, role: iam.Role, *, versions: bool = False) -> None:
        """Grant listing the bucket: S3 says that an object is missing only to who may list. versions: old ones too."""
        actions = ["s3:ListBucket", *(["s3:ListBucketVersions"] if versions else [])]
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[self.bucket.bucket_arn]))

    def _refuse_other_keys(self, key: DataKey) -> None:
        """Nobody writes an object under another key, under S3's, or under one that they alone hold, whatever their
        rights. What names no encryption gets the bucket's."""
        header = "s3:x-amz-server-side-encryption"
        for name, conditions in {
            "RefuseOtherKeys": {
                "StringNotEquals": {f"{header}-aws-kms-key-id": key.arn},
                "Null": {f"{header}-aws-kms-key-id": "false"},
            },
            "RefuseOtherEncryption": {"StringNotEquals": {header: "aws:kms"}, "Null": {header: "false"}},
            "RefuseKeysOfCallers": {"Null": {f"{header}-customer-algorithm": "false"}},
        }.items():
            self.bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=name, effect=iam.Effect.DENY, principals=[iam.AnyPrincipal()], actions=["s3:PutObject"],
                    resources=[self.bucket.arn_for_objects("*")], conditions=conditions,
                )
            )  # fmt: skip

    def tell_of_new(self, queue: WorkQueue, *prefixes: str) -> None:
        """S3 sends a message for each object that is made under `prefixes`; the queue lets it.

        By the bucket's own property: CDK's way is a function of its own with wildcard rights.
        """
        made: s3.CfnBucket = self.bucket.node.default_child  # type: ignore[assignment]
        made.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*",
                    queue=queue.queue.queue_arn,
                    filter=s3.CfnBucket.NotificationFilterProperty(
                        s3_key=s3.CfnBucket.S3KeyFilterProperty(
                            rules=[s3.CfnBucket.FilterRuleProperty(name="prefix", value=f"{prefix}/")]
                        )
                    ),
                )
                for prefix in prefixes
            ]
        )
        policy = queue.queue.node.find_child("Policy")
        self.bucket.node.add_dependency(policy)  # S3 tries to send when it is told to


def _retention(lock: ObjectLock) -> s3.ObjectLockRetention:
    days = Duration.days(lock.days)
    kinds = s3.ObjectLockRetention
    return kinds.compliance(days) if lock.mode == "compliance" else kinds.governance(days)
