"""What the pipelines share: event bus, alarm topic, bucket of access logs, API Gateway's permission to log."""

from typing import Any

from aws_cdk import Aws, CfnOutput, CliCredentialsStackSynthesizer, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.config import Target
from cdk.constructs.alarms import alarm_topic
from cdk.constructs.findings import acknowledge
from cdk.constructs.private_bucket import private_bucket


def synthesizer(target: Target) -> CliCredentialsStackSynthesizer | None:
    """How the CDK CLI deploys a stack: with bootstrap's roles (None is CDK's default), or with the caller's own."""
    return CliCredentialsStackSynthesizer() if target.cli_credentials else None


class CuatroPlatform(Stack):
    """Outputs: BusName, AlarmTopicArn. Subscribe a person or a chat to the alarm topic."""

    def __init__(self, scope: Construct, name: str, *, target: Target, **kwargs: Any) -> None:
        purpose = "Cuatro: what the pipelines share"
        super().__init__(scope, name, synthesizer=synthesizer(target), description=purpose, **kwargs)
        self.bus = events.EventBus(self, "Bus", description="Typed events of every pipeline, named in the past tense")
        if target.profile.archive_days:
            self.bus.archive(
                "Archive",
                event_pattern=events.EventPattern(account=[Aws.ACCOUNT_ID]),
                retention=Duration.days(target.profile.archive_days),
            )
        self.alarm_topic = alarm_topic(self, "Alarms", "Cuatro alarms")
        self.access_logs = self._access_logs(target)
        self._let_api_gateway_log()
        CfnOutput(self, "BusName", value=self.bus.event_bus_name)
        CfnOutput(self, "AlarmTopicArn", value=self.alarm_topic.topic_arn)

    def _access_logs(self, target: Target) -> s3.Bucket:
        days = target.profile.object_retention_days
        bucket = private_bucket(self, "AccessLogs", expire_days=days, retain=target.retain_data)
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[bucket.arn_for_objects("*")],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        acknowledge(bucket, "AwsSolutions-S1", "It holds the access logs: logging its own would never end.")
        return bucket

    def _let_api_gateway_log(self) -> None:
        """A setting of the account and region, without which no stage may log; it stays when the stack goes."""
        role = iam.Role(
            self,
            "ApiGatewayLogs",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonAPIGatewayPushToCloudWatchLogs"),
            ],
        )
        acknowledge(
            role,
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
            "API Gateway refuses a role with less, and creates log groups whose names nobody knows beforehand.",
        )
        account = apigateway.CfnAccount(self, "ApiGatewayAccount", cloud_watch_role_arn=role.role_arn)
        role.apply_removal_policy(RemovalPolicy.RETAIN)
        account.apply_removal_policy(RemovalPolicy.RETAIN)
