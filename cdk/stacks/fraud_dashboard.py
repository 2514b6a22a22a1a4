"""One CloudWatch dashboard of the fraud pipeline: what was decided, by which version, how fast, what failed, drift."""

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.constructs.suite_function import NAMESPACE, SuiteFunction

if TYPE_CHECKING:
    from cdk.stacks.fraud import CuatroFraud

_MINUTE = Duration.minutes(1)


def fraud_dashboard(stack: "CuatroFraud") -> cloudwatch.Dashboard:
    """The dashboard; an account's first three are free."""
    functions = {"score": stack.score, "act": stack.act, "api": stack.authorize, "learn": stack.learn}
    readers = ("score", "act", "learn")
    dashboard = cloudwatch.Dashboard(stack, "Dashboard", default_interval=Duration.hours(3))
    dashboard.add_widgets(
        _graph("Decisions", *(_counted(name) for name in ("Approved", "Reviewed", "Declined"))),
        _graph("Event to decision (ms)", *(_metric("EventToDecision", statistic) for statistic in ("p50", "p99"))),
        _graph("Not decided as usual", *(_counted(name) for name in ("Rejected", "Duplicates", "StateConflicts"))),
    )
    dashboard.add_widgets(
        _graph("Alerts and labels", *(_counted(name) for name in ("AlertsPublished", "LabelsLearned"))),
        _graph(
            "Behind the stream (ms)",
            *(
                functions[name].function.metric("IteratorAge", statistic="Maximum", period=_MINUTE, label=name)
                for name in readers
            ),
        ),
        _graph(
            "Errors and failures",
            *(
                each.function.metric_errors(period=_MINUTE, statistic="Sum", label=name)
                for name, each in functions.items()
            ),
            stack.failures.queue.metric_approximate_number_of_messages_visible(
                statistic="Maximum", label="failures queue"
            ),
        ),
    )
    drift = [_metric(name, "Maximum", name) for name in ("InputPsiMax", "ScorePsi", "PerformanceRatio")]
    dashboard.add_widgets(
        _graph("Versions that decide (of the aliases live)", _versions(stack.score), _versions(stack.authorize)),
        *([_graph("Drift", *drift), _graph("New labels", _metric("NewFraudLabels", "Maximum"))] if stack.loop else []),
    )
    return dashboard


def _versions(function: SuiteFunction) -> cloudwatch.MathExpression:
    """Invocations by version: each that a roll-out makes appears by itself."""
    name = function.function.function_name
    dimensions = "AWS/Lambda,ExecutedVersion,FunctionName,Resource"
    return cloudwatch.MathExpression(
        expression=f"SEARCH('{{{dimensions}}} MetricName=\"Invocations\" FunctionName=\"{name}\"', 'Sum')",
        period=_MINUTE,
        label="",
    )


def _counted(name: str) -> cloudwatch.Metric:
    return _metric(name, "Sum")


def _metric(name: str, statistic: str, label: str | None = None) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE, metric_name=name, dimensions_map={"service": "fraud"}, statistic=statistic, period=_MINUTE,
        label=label or (name if statistic == "Sum" else statistic),
    )  # fmt: skip


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8)
