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

    def allow(self, role: iam.IRole, *actions: str) -> None:
        """Grant exactly `actions` ("BatchGetItem", "PartiQLUpdate", ...) on this table, not on its stream."""
        iam.Grant.add_to_principal(
            grantee=role, actions=[f"dynamodb:{action}" for action in actions], resource_arns=[self.table.table_arn]
        )
