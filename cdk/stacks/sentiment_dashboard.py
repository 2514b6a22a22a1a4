"""One CloudWatch dashboard of sentiment: what was collected, classified and counted, how soon, what failed."""

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.constructs.alarms import alarm
from cdk.constructs.graphs import Graphs, behind, errors, versions
from cdk.constructs.suite_function import NAMESPACE

if TYPE_CHECKING:
    from cdk.stacks.sentiment import CuatroSentiment


def alarm_on_sources(stack: "CuatroSentiment") -> None:
    """A network that refuses us fails no function: the others go on."""
    failed = cloudwatch.Metric(
        namespace=NAMESPACE, metric_name="SourceFailed", dimensions_map={"service": stack.pipeline}, statistic="Sum",
        period=Duration.minutes(5),
    )  # fmt: skip
    alarm(
        stack, "SourceFailed", failed, at_least=1, periods=3, tell=stack.tell,
        means="A network or feed cannot be read for a quarter of an hour: closed, or its credentials have expired. "
        "GET /sources says which and why; new credentials go into its secret",
    )  # fmt: skip


def sentiment_dashboard(stack: "CuatroSentiment") -> cloudwatch.Dashboard:
    """The dashboard; an account's first three are free."""
    readers = {"tally": stack.tally, "watch": stack.watch}
    functions = {**readers, "classify": stack.classify, "api": stack.answer, **stack.pollers}
    graphs = Graphs(stack.pipeline)
    dashboard = cloudwatch.Dashboard(stack, "Dashboard", default_interval=Duration.hours(3))
    dashboard.add_widgets(
        graphs.counted("Posts", "PostsCollected", "PostsAccepted", "PostsClassified", "PostsCounted"),
        graphs.counted("Not as usual", "Rejected", "PostsRejected", "SourceFailed", "SourceLimited"),
        errors(functions, stack.failures),
    )
    dashboard.add_widgets(
        graphs.counted("Alerts and corrections", "AlertsRaised", "PostsRelabelled"),
        behind(readers),
        graphs.timed("A batch classified (ms)", "ClassifyLatency"),
    )
    dashboard.add_widgets(versions(stack.classify))
    return dashboard
