"""One CloudWatch dashboard of imaging, and alarms on readings that fail and on access that is not as usual."""

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.constructs.alarms import alarm
from cdk.constructs.graphs import Graphs, errors, graph
from cdk.constructs.suite_function import NAMESPACE

if TYPE_CHECKING:
    from cdk.stacks.imaging import CuatroImaging

# Guesses at a token, and results fetched, that are more than a clinic's systems do by themselves.
_GUESSES, _RETRIEVALS = 20, 500
_SEE = "Who did it: cuatro audit show"


def alarm_on_reading(stack: "CuatroImaging") -> None:
    """A study that was not read says so itself; somebody must begin it again."""
    alarm(
        stack, "ReadingFailed", stack.machine.metric_failed(period=Duration.minutes(5), statistic="Sum"), at_least=1,
        tell=stack.tell,
        means="A study could not be read: cuatro studies says which. Mend the cause (cuatro logs imaging), then run: "
        "cuatro replay imaging",
    )  # fmt: skip
    alarm(
        stack, "Undelivered", _metric(stack, "StudiesUndelivered", Duration.minutes(5)), at_least=1, tell=stack.tell,
        means="A sender's system refused a result, or could not be reached: cuatro studies says why. The result is "
        "kept, and offered by WADO-RS",
    )  # fmt: skip


def alarm_on_access(stack: "CuatroImaging") -> None:
    """What the ledger counts."""
    hour, five = Duration.hours(1), Duration.minutes(5)
    guessed = (
        "A caller without a known token tries again and again: a sender whose token was changed, or an intruder. "
        "API Gateway's access log has the address"
    )
    retrieved = (
        f"More results were fetched in an hour than a clinic's systems do. {_SEE}; take a token back: "
        "cuatro sender add gives the sender a new one"
    )
    broken = (
        "The chain of the ledger does not fit: an entry was changed or is missing. Keep everything as it is, then run: "
        "cuatro audit verify"
    )
    for name, metric, at_least, period, means in (
        ("AccessDenied", "Denied", 1, five, f"Somebody asked for what is not theirs, and was refused. {_SEE}"),
        ("TokensGuessed", "AuthorizeFailed", _GUESSES, five, guessed),
        ("MuchRetrieved", "Retrievals", _RETRIEVALS, hour, retrieved),
        ("LedgerBroken", "LedgerBroken", 1, five, broken),
    ):
        alarm(stack, name, _metric(stack, metric, period), at_least=at_least, means=means, tell=stack.tell)


def imaging_dashboard(stack: "CuatroImaging") -> cloudwatch.Dashboard:
    """What came and what became of it, how soon, who looked at it, what failed."""
    graphs = Graphs(stack.pipeline)
    dashboard = cloudwatch.Dashboard(stack, "Dashboard", default_interval=Duration.hours(3))
    dashboard.add_widgets(
        graphs.counted("Images", "InstancesStored", "InstancesValid", "InstancesRejected", "ImagesRead"),
        graphs.counted(
            "Studies", "StudiesBegun", "StudiesRead", "StudiesReviewed", "StudiesRejected", "StudiesExpired",
            "StudiesFailed",
        ),
        errors(stack.jobs, stack.failures),
    )  # fmt: skip
    dashboard.add_widgets(
        graphs.counted("Access", "Audited", "Retrievals", "Views", "Denied", "AuthorizeFailed"),
        graph(
            "A step (ms, p99)",
            *(
                stack.jobs[job].function.metric_duration(statistic="p99", label=job)
                for job in ("validate", "deidentify", "normalise", "infer", "report", "reidentify")
            ),
        ),
        graph(
            "Waiting",
            *(
                queue.queue.metric_approximate_number_of_messages_visible(statistic="Maximum", label=label)
                for label, queue in (("arrivals", stack.arrivals), ("quiet", stack.quiet), ("ledger", stack.audited))
            ),
        ),
    )
    return dashboard


def _metric(stack: "CuatroImaging", name: str, period: Duration) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE, metric_name=name, dimensions_map={"service": stack.pipeline}, statistic="Sum",
        period=period,
    )  # fmt: skip
