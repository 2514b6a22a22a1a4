"""A table of a pipeline's state: paid by use, restorable to any second of 35 days, encrypted; items expire by `x`."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.config import Target
from cdk.constructs.data_key import DataKey

EXPIRES_AT = "x"
_STRING, _NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER
# Whatever changes or deletes an item that is there; PutItem does where it finds one.
_CHANGES = ("BatchWriteItem", "DeleteItem", "PartiQLDelete", "PartiQLUpdate", "PutItem", "UpdateItem")


class StateTable(Construct):
    """`key` is the partition key, a string; `sort`, where there is one, a number.

    stream: its changes (new images) feed another function. encrypted_with: a key of ours, which then everybody needs
    who reads or writes; without it the one that DynamoDB owns. append_only: items are inserted, and no identity of any
    account changes or deletes one; they do not expire.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        key: str,
        target: Target,
        sort: str | None = None,
        stream: bool = False,
        encrypted_with: DataKey | None = None,
        append_only: bool = False,
    ) -> None:
        super().__init__(scope, name)
        self._indices: list[str] = []
        self._key = encrypted_with
        encryption = dynamodb.TableEncryption
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name=key, type=_STRING),
            sort_key=dynamodb.Attribute(name=sort, type=_NUMBER) if sort else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            # DynamoDB's own key has no price for each use.
            encryption=encryption.CUSTOMER_MANAGED if encrypted_with else encryption.DEFAULT,
            encryption_key=encrypted_with.key if encrypted_with else None,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=None if append_only else EXPIRES_AT,
            stream=dynamodb.StreamViewType.NEW_IMAGE if stream else None,
            resource_policy=_append_only() if append_only else None,
            deletion_protection=True if target.retain_data and (append_only or encrypted_with) else None,
            removal_policy=RemovalPolicy.RETAIN if target.retain_data else RemovalPolicy.DESTROY,
        )

    @property
    def name(self) -> str:
        return self.table.table_name

    def index(self, name: str, *, key: str, sort: str, text: bool = False) -> None:
        """A second way in: by `key` (a string), in the order of `sort` (a number, or text), with every attribute."""
        self.table.add_global_secondary_index(
            index_name=name,
            partition_key=dynamodb.Attribute(name=key, type=_STRING),
            sort_key=dynamodb.Attribute(name=sort, type=_STRING if text else _NUMBER),
            projection_type=dynamodb.ProjectionType.ALL,
        )
        self._indices.append(name)

    def allow_query(self, role: iam.IRole, *indices: str) -> None:
        """Grant reading by the table's indices: those named, or all."""
        self._grant(role, ["Query"], [f"{self.table.table_arn}/index/{name}" for name in indices or self._indices])

    def allow(self, role: iam.IRole, *actions: str) -> None:
        """Grant exactly `actions` ("BatchGetItem", "PartiQLUpdate", ...) on this table, not on its stream."""
        self._grant(role, actions, [self.table.table_arn])

    def _grant(self, role: iam.IRole, actions: Sequence[str], arns: Sequence[str]) -> None:
        iam.Grant.add_to_principal(
            grantee=role, actions=[f"dynamodb:{action}" for action in actions], resource_arns=list(arns)
        )
        if self._key:
            # DynamoDB opens the table's own key with the caller's rights, for reads and writes alike.
            self._key.allow(role, ["Decrypt"], by="dynamodb", context={"aws:dynamodb:tableName": self.name})


def _append_only() -> iam.PolicyDocument:
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=[f"dynamodb:{action}" for action in _CHANGES],
                resources=["*"],  # of this table: its own name in its own policy would be a circle
            )
        ]
    )
