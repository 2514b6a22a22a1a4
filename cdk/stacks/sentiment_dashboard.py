"""One CloudWatch dashboard of sentiment: what was collected, classified and counted, how soon, what failed."""

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.constructs.graphs import Graphs, behind, errors, versions

if TYPE_CHECKING:
    from cdk.stacks.sentiment import CuatroSentiment


def sentiment_dashboard(stack: "CuatroSentiment") -> cloudwatch.Dashboard:
    """The dashboard; an account's first three are free."""
    readers = {"tally": stack.tally, "watch": stack.watch}
    functions = {**readers, "classify": stack.classify, "api": stack.answer, **stack.pollers}
    graphs = Graphs(stack.pipeline)
    dashboard = cloudwatch.Dashboard(stack, "Dashboard", default_interval=Duration.hours(3))
    dashboard.add_widgets(
        graphs.counted("Posts", "PostsCollected", "PostsClassified", "PostsCounted"),
        graphs.counted("Not as usual", "Rejected", "Duplicates", "SourceFailed", "SourceLimited"),
        errors(functions, stack.failures),
    )
    dashboard.add_widgets(behind(readers), versions(stack.classify))
    return dashboard
