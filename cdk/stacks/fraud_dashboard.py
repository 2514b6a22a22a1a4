"""One CloudWatch dashboard of the fraud pipeline: what was decided, by which version, how fast, what failed, drift."""

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.constructs.graphs import Graphs, behind, errors, graph, versions

if TYPE_CHECKING:
    from cdk.stacks.fraud import CuatroFraud


def fraud_dashboard(stack: "CuatroFraud") -> cloudwatch.Dashboard:
    """The dashboard; an account's first three are free."""
    readers = {"score": stack.score, "act": stack.act, "learn": stack.learn}
    graphs = Graphs(stack.pipeline)
    dashboard = cloudwatch.Dashboard(stack, "Dashboard", default_interval=Duration.hours(3))
    dashboard.add_widgets(
        graphs.counted("Decisions", "Approved", "Reviewed", "Declined"),
        graphs.timed("Event to decision (ms)", "EventToDecision"),
        graphs.counted("Not decided as usual", "Rejected", "Duplicates", "StateConflicts"),
    )
    dashboard.add_widgets(
        graphs.counted("Alerts and labels", "AlertsPublished", "LabelsLearned"),
        behind(readers),
        errors({**readers, "api": stack.authorize}, stack.failures),
    )
    drift = [graphs.metric(name, "Maximum", name) for name in ("InputPsiMax", "ScorePsi", "PerformanceRatio")]
    labels = graphs.metric("NewFraudLabels", "Maximum")
    dashboard.add_widgets(
        versions(stack.score, stack.authorize),
        *([graph("Drift", *drift), graph("New labels", labels)] if stack.loop else []),
    )
    return dashboard
