"""One CloudWatch dashboard of recommendations: what was taken, shown and clicked, how fast, by which version."""

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.constructs.graphs import Graphs, behind, errors, versions

if TYPE_CHECKING:
    from cdk.stacks.recommendations import CuatroRecommendations


def recommendations_dashboard(stack: "CuatroRecommendations") -> cloudwatch.Dashboard:
    """The dashboard; an account's first three are free."""
    readers = {"record": stack.record, "observe": stack.observe, "tally": stack.tally, "shelve": stack.shelve}
    graphs = Graphs(stack.pipeline)
    dashboard = cloudwatch.Dashboard(stack, "Dashboard", default_interval=Duration.hours(3))
    dashboard.add_widgets(
        graphs.counted("Interactions", "InteractionsAccepted", "InteractionsRecorded", "InteractionsRejected"),
        graphs.timed("A list (ms)", "ListLatency"),
        graphs.counted("Lists", "ListsServed", "ListsCold", "ListsExplored", "ListsEmpty", "NotModified"),
    )
    dashboard.add_widgets(
        graphs.counted("Lists and answers to them", "ListsRecorded", "FeedbackRecorded"),
        behind(readers),
        errors({**readers, "api": stack.answer}, stack.failures),
    )
    dashboard.add_widgets(
        versions(stack.answer),
        graphs.counted("Not as usual", "Rejected", "Duplicates", "ListsDegraded", "ShadowFailures"),
        graphs.timed("Event to profile (ms)", "EventToProfile"),
    )
    return dashboard
