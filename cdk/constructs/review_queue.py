"""A question that a state machine waits with -> people who decide it: table, three functions, their API, who is told.

Pipelines meet the queue by its function `ask` alone, with JSON and a task token; it knows nothing of any of them.
"""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk.config import Target
from cdk.constructs.alarms import alarm
from cdk.constructs.data_key import DataKey
from cdk.constructs.private_api import PrivateApi, Route
from cdk.constructs.secure_bucket import SecureBucket
from cdk.constructs.state_table import StateTable
from cdk.constructs.suite_function import NAMESPACE, SuiteFunction
from cdk.constructs.wildcards import allow_begun
from cdk.constructs.work_queue import WorkQueue

ROUTES: tuple[Route, ...] = (
    ("GET", "/tasks"),
    ("GET", "/tasks/{task}"),
    ("POST", "/tasks/{task}/lease"),
    ("POST", "/tasks/{task}/heartbeat"),
    ("POST", "/tasks/{task}/release"),
    ("POST", "/tasks/{task}/decision"),
    ("GET", "/agreement"),
    ("GET", "/labels"),
)
SERVICE = "review"
SHOWN, OUTPUT = "studies", "a2i"
"""Folders of the bucket: what reviewers look at, and what A2I writes."""
_MEMORY_MB = 256
# What people wait for is at most this late: a reminder, an answer that the asker could not take at once.
_CLOCK = Duration.minutes(5)
_LINK_S = 300
_READ, _WRITE = ("BatchGetItem",), ("UpdateItem",)
_ALARMS = {
    "TasksExpired": "A question expired: nobody decided it in its days. Its study says so: cuatro studies",
    "TasksOverdue": "A task is overdue. The review topic named it to the reviewers: cuatro review list",
    "AnswersUndelivered": "A decision does not reach who waits for it; it is tried again. Read: cuatro logs",
    "RemindersFailed": "Reviewers cannot be told of an overdue task; it is tried again. Read: cuatro logs",
}


class ReviewQueue(Construct):
    """deidentified: the bucket with what reviewers look at; key: for what they say. audit: takes who did what.

    `jobs` are the functions by a name of their own in the stack, `topic` gets what is overdue.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        target: Target,
        core: lambda_.ILayerVersion,
        failures: sqs.IQueue,
        tell: sns.ITopic,
        key: DataKey,
        deidentified: SecureBucket,
        audit: WorkQueue,
    ) -> None:
        super().__init__(scope, name)
        self._target, self._core, self._failures, self._tell = target, core, failures, tell
        self._audit, self._bucket = audit, deidentified
        self.table = StateTable(self, "Reviews", key="task", target=target, encrypted_with=key)
        for index, partition, sort in (("by_queue", "q", "t"), ("by_clock", "w", "z"), ("by_subject", "s", "t")):
            self.table.index(index, key=partition, sort=sort)
        self.topic = sns.Topic(
            self, "Overdue", display_name="Cuatro reviews", enforce_ssl=True,
            master_key=kms.Alias.from_alias_name(self, "SnsKey", "alias/aws/sns"),
        )  # fmt: skip
        self._functions()
        self._grants()
        if target.review_flow:
            self._review_elsewhere(target.review_flow)
        self._watch()

    def allow_answers(self, machine: sfn.IStateMachine, *, queue: str) -> None:
        """Let decisions answer the tokens of `machine`; what it asked `queue` is withdrawn when it was stopped.

        The function that the machine calls does not answer it: each would have to be there before the other.
        """
        for job in ("reviews", "remind"):
            self.jobs[job].role.add_to_policy(
                iam.PolicyStatement(
                    actions=["states:SendTaskFailure", "states:SendTaskSuccess"], resources=[machine.state_machine_arn]
                )
            )
        ended = events.Rule(
            self,
            "Ended",
            description="An execution was stopped, failed or took too long: nobody need decide its question",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"stateMachineArn": [machine.state_machine_arn], "status": ["ABORTED", "FAILED", "TIMED_OUT"]},
            ),
        )
        withdrawn = {"cancel": {"queue": queue, "once": events.EventField.from_path("$.detail.name")}}
        event = events.RuleTargetInput.from_object(withdrawn)
        ended.add_target(targets.LambdaFunction(self.ask.function, event=event))

    def _functions(self) -> None:
        flow = {"FLOW_DEFINITION_ARN": self._target.review_flow}
        self.ask = self._function("Ask", "ask", "Opens a task for people, once for each question", flow)
        self.answer = self._function(
            "Reviewers", "api", "Shows tasks to reviewers, takes what they decide",
            {"TRUSTED_BACKENDS": self._target.trusted_backends, "LINK_S": str(_LINK_S)},
        )  # fmt: skip
        self.remind = self._function(
            "Remind", "remind", "Frees what was left, reminds of what is overdue, answers again",
            {**flow, "REVIEW_TOPIC_ARN": self.topic.topic_arn},
        )  # fmt: skip
        self.jobs = {"ask": self.ask, "reviews": self.answer, "remind": self.remind}
        self.api = PrivateApi(self, "Api", routes=ROUTES, answers=self.answer, target=self._target)
        events.Rule(
            self, "Clock", schedule=events.Schedule.rate(_CLOCK),
            targets=[targets.LambdaFunction(self.remind.function)],
        )  # fmt: skip

    def _function(self, name: str, job: str, purpose: str, settings: dict[str, str]) -> SuiteFunction:
        every = {"REVIEWS_TABLE": self.table.name, "AUDIT_QUEUE_URL": self._audit.url}
        return SuiteFunction(
            self, f"{name}Function", pipeline=SERVICE, job=job, purpose=purpose, settings={**every, **settings},
            target=self._target, memory_mb=_MEMORY_MB, timeout=Duration.seconds(20 if job == "api" else 60),
            layers=[self._core], failures=self._failures, tell=self._tell,
        )  # fmt: skip

    def _grants(self) -> None:
        for made in self.jobs.values():
            self.table.allow(made.role, *_READ, *_WRITE)
            self._audit.allow_send(made.role)
        self.table.allow_query(self.answer.role, "by_queue")
        self.table.allow_query(self.remind.role, "by_clock")
        self._bucket.allow(self.answer.role, ["GetObject"], SHOWN)  # by the links that it makes
        # Not grant_publish: it asks for the key as well, which AWS manages and opens to whoever may publish.
        self.remind.role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[self.topic.topic_arn]))

    def _review_elsewhere(self, flow: str) -> None:
        """Amazon A2I's workers give the reads; where they differ, the own queue decides."""
        self.ask.role.add_to_policy(iam.PolicyStatement(actions=["sagemaker:StartHumanLoop"], resources=[flow]))
        because = "A human loop has the name of its task, which nobody knows before."
        allow_begun(self.ask.role, ["sagemaker:StopHumanLoop"], "sagemaker", "human-loop/*", because)
        allow_begun(self.remind.role, ["sagemaker:DescribeHumanLoop"], "sagemaker", "human-loop/*", because)
        self._bucket.allow(self.remind.role, ["GetObject"], OUTPUT)
        events.Rule(
            self,
            "HumanLoops",
            description="People of A2I have answered, or will not",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker A2I HumanLoop Status Change"],
                detail={"flowDefinitionArn": [flow], "humanLoopStatus": ["Completed", "Failed", "Stopped"]},
            ),
            targets=[targets.LambdaFunction(self.remind.function)],
        )

    def _watch(self) -> None:
        for name, means in _ALARMS.items():
            metric = cloudwatch.Metric(
                namespace=NAMESPACE, metric_name=name, dimensions_map={"service": SERVICE}, statistic="Sum",
                period=_CLOCK,
            )  # fmt: skip
            alarm(self, name, metric, at_least=1, means=means, tell=self._tell)
