"""Metrics of a pipeline's service -> widgets of its CloudWatch dashboard."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.constructs.failures import FailuresQueue
from cdk.constructs.suite_function import NAMESPACE, SuiteFunction

_MINUTE = Duration.minutes(1)


class Graphs:
    """Of the metrics that functions of one service write."""

    def __init__(self, service: str) -> None:
        self._service = service

    def metric(self, name: str, statistic: str, label: str | None = None) -> cloudwatch.Metric:
        """labelled by its name if it is a sum, else by the statistic."""
        return cloudwatch.Metric(
            namespace=NAMESPACE, metric_name=name, dimensions_map={"service": self._service}, statistic=statistic,
            period=_MINUTE, label=label or (name if statistic == "Sum" else statistic),
        )  # fmt: skip

    def counted(self, title: str, *names: str) -> cloudwatch.GraphWidget:
        """How many a minute."""
        return graph(title, *(self.metric(name, "Sum") for name in names))

    def timed(self, title: str, name: str) -> cloudwatch.GraphWidget:
        """p50 and p99."""
        return graph(title, *(self.metric(name, statistic) for statistic in ("p50", "p99")))


def graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    """A third of the dashboard's width."""
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8)


def behind(readers: Mapping[str, SuiteFunction]) -> cloudwatch.GraphWidget:
    """How far functions lag behind their streams."""
    return graph(
        "Behind the stream (ms)",
        *(
            each.function.metric("IteratorAge", statistic="Maximum", period=_MINUTE, label=name)
            for name, each in readers.items()
        ),
    )


def errors(functions: Mapping[str, SuiteFunction], failures: FailuresQueue) -> cloudwatch.GraphWidget:
    """Errors of functions, and what waits in the failures queue."""
    return graph(
        "Errors and failures",
        *(each.function.metric_errors(period=_MINUTE, statistic="Sum", label=name) for name, each in functions.items()),
        failures.queue.metric_approximate_number_of_messages_visible(statistic="Maximum", label="failures queue"),
    )


def versions(*functions: SuiteFunction) -> cloudwatch.GraphWidget:
    """Invocations by version: each that a roll-out makes appears by itself."""
    dimensions = "AWS/Lambda,ExecutedVersion,FunctionName,Resource"
    return graph(
        "Versions that decide (of the aliases live)",
        *(
            cloudwatch.MathExpression(
                expression=f'SEARCH(\'{{{dimensions}}} MetricName="Invocations" '
                f"FunctionName=\"{each.function.function_name}\"', 'Sum')",
                period=_MINUTE,
                label="",
            )
            for each in functions
        ),
    )
