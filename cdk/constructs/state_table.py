"""A table of a pipeline's state: paid by use, restorable to any second of 35 days, encrypted; items expire by `x`."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.config import Target

EXPIRES_AT = "x"


class StateTable(Construct):
    """`key` is the partition key, a string. `stream`: its changes (new images) feed another function."""

    def __init__(self, scope: Construct, name: str, *, key: str, target: Target, stream: bool = False) -> None:
        super().__init__(scope, name)
        self._indices: list[str] = []
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name=key, type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.DEFAULT,  # with the key that DynamoDB owns: no price for each key use
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=EXPIRES_AT,
            stream=dynamodb.StreamViewType.NEW_IMAGE if stream else None,
            removal_policy=RemovalPolicy.RETAIN if target.retain_data else RemovalPolicy.DESTROY,
        )

    @property
    def name(self) -> str:
        return self.table.table_name

    def index(self, name: str, *, key: str, sort: str) -> None:
        """A second way in: by `key` (a string), in the order of `sort` (a number), with every attribute."""
        self.table.add_global_secondary_index(
            index_name=name,
            partition_key=dynamodb.Attribute(name=key, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=sort, type=dynamodb.AttributeType.NUMBER),
            projection_type=dynamodb.ProjectionType.ALL,
        )
        self._indices.append(name)

    def allow_query(self, role: iam.IRole) -> None:
        """Grant reading by the table's indices."""
        arns = [f"{self.table.table_arn}/index/{name}" for name in self._indices]
        iam.Grant.add_to_principal(grantee=role, actions=["dynamodb:Query"], resource_arns=arns)

    def allow(self, role: iam.IRole, *actions: str) -> None:
        """Grant exactly `actions` ("BatchGetItem", "PartiQLUpdate", ...) on this table, not on its stream."""
        iam.Grant.add_to_principal(
            grantee=role, actions=[f"dynamodb:{action}" for action in actions], resource_arns=[self.table.table_arn]
        )
