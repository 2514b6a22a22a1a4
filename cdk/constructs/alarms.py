"""Metric -> alarm that tells the platform's alarm topic. Every alarm of the suite is made here."""

from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct


def alarm(
    scope: Construct,
    name: str,
    metric: cloudwatch.IMetric,
    *,
    at_least: float,
    means: str,
    tell: sns.ITopic,
    periods: int = 1,
    below: bool = False,
) -> cloudwatch.Alarm:
    """Alarm when `metric` is `at_least` (or, with `below`, under that) for `periods` periods in a row; silence is none.

    `means` is for the person who is told: what it means and what to do.
    """
    compared = cloudwatch.ComparisonOperator
    made = cloudwatch.Alarm(
        scope,
        name,
        metric=metric,
        threshold=at_least,
        comparison_operator=compared.LESS_THAN_THRESHOLD if below else compared.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluation_periods=periods,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=means,
    )
    made.add_alarm_action(actions.SnsAction(tell))
    return made


def alarm_topic(scope: Construct, name: str, display_name: str) -> sns.Topic:
    """A topic that alarms of this account may tell. A policy, which TLS only needs, replaces SNS's own that let them.

    Not encrypted with a key: CloudWatch cannot use the one that AWS manages, another costs 1 USD a month, and alarms
    hold no personal data.
    """
    topic = sns.Topic(scope, name, display_name=display_name, enforce_ssl=True)
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    return topic
