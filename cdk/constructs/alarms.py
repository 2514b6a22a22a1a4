"""Metric -> alarm that tells the platform's alarm topic. Every alarm of the suite is made here."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
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
) -> cloudwatch.Alarm:
    """Alarm when `metric` is `at_least` for `periods` periods in a row; silence is no alarm.

    `means` is for the person who is told: what it means and what to do.
    """
    made = cloudwatch.Alarm(
        scope,
        name,
        metric=metric,
        threshold=at_least,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluation_periods=periods,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=means,
    )
    made.add_alarm_action(actions.SnsAction(tell))
    return made
