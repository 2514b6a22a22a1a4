"""A class of data -> its key: rotated every year, used by a role only through the service and for the store it names.

Who may open what is said by the roles' policies: the key's own lets this account's IAM decide, and AWS's services use
it for the callers that may.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk.config import Target

# After that a deleted key, and everything under it, is gone: the shortest and the longest that KMS knows.
_DAYS, _DAYS_RETAINED = 7, 30


class DataKey(Construct):
    """`purpose` says what lies under the key, for the people who see it in the console."""

    def __init__(self, scope: Construct, name: str, *, purpose: str, target: Target) -> None:
        super().__init__(scope, name)
        self.key = kms.Key(
            self,
            "Key",
            description=purpose,
            enable_key_rotation=True,
            pending_window=Duration.days(_DAYS_RETAINED if target.retain_data else _DAYS),
            removal_policy=RemovalPolicy.RETAIN if target.retain_data else RemovalPolicy.DESTROY,
        )

    @property
    def arn(self) -> str:
        return self.key.key_arn

    def allow(self, role: iam.IRole, actions: Sequence[str], *, by: str, context: Mapping[str, str]) -> None:
        """Let `role` do `actions` ("Decrypt", "GenerateDataKey") by way of the service `by` ("s3", ...), for what this
        encryption context names: a bucket, a table, a queue or a secret."""
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=[f"kms:{action}" for action in actions],
                resources=[self.arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": f"{by}.{Aws.REGION}.amazonaws.com",
                        **{f"kms:EncryptionContext:{name}": value for name, value in context.items()},
                    }
                },
            )
        )

    def allow_service(self, service: str) -> None:
        """Let an AWS service write for this account into what the key encrypts: S3 its messages into a queue."""
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],  # in a key's policy: this key
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
