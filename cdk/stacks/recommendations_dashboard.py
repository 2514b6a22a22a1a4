"""One CloudWatch dashboard of recommendations: what was taken, shown and clicked, how fast, by which version.

And an alarm where only a metric tells that something is wrong.
"""

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.constructs.alarms import alarm
from cdk.constructs.graphs import Graphs, behind, errors, versions
from cdk.constructs.suite_function import NAMESPACE

if TYPE_CHECKING:
    from cdk.stacks.recommendations import CuatroRecommendations


def alarm_when_unranked(stack: "CuatroRecommendations") -> None:
    """Lists that the model should have ranked are answered without it, so no error tells; a roll-out minds it too."""
    failures = cloudwatch.Metric(
        namespace=NAMESPACE, metric_name="RankerFailures", dimensions_map={"service": stack.pipeline},
        statistic="Sum", period=Duration.minutes(5),
    )  # fmt: skip
    made = alarm(
        stack.answer, "Unranked", failures, at_least=1, tell=stack.tell,
        means="The model does not rank, lists are what is popular. Read why: cuatro logs recommendations api",
    )  # fmt: skip
    stack.answer.alarms.append(made)


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
        graphs.counted("Not as usual", "Rejected", "Duplicates", "ListsDegraded", "RankerFailures", "ShadowFailures"),
        graphs.timed("Event to profile (ms)", "EventToProfile"),
    )
    return dashboard
