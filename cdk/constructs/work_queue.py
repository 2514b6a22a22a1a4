"""Senders -> SQS -> one function, in batches; what it fails again and again goes to a dead-letter queue.

Two alarms a pair: one when the oldest message grows old, one when something lies in the dead letters.
"""

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.constructs.alarms import alarm
from cdk.constructs.data_key import DataKey
from cdk.constructs.suite_function import SuiteFunction

# AWS's advice: a message is not seen again while the function may still be at it.
_TIMEOUTS = 6


class WorkQueue(Construct):
    """timeout_s: of the function that reads it. attempts: before a message is a dead letter. old_s: when somebody is
    told that messages wait. fifo: in order, each once in five minutes. encrypted_with: a key of ours; without, SQS's.

    `what` names a message in alarms, `mend` says what to do about dead letters.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        what: str,
        mend: str,
        timeout_s: int,
        tell: sns.ITopic,
        attempts: int = 5,
        old_s: int = 900,
        fifo: bool = False,
        encrypted_with: DataKey | None = None,
    ) -> None:
        super().__init__(scope, name)
        self._key, self._fifo = encrypted_with, fifo
        self._timeout_s = timeout_s
        self.dead = self._queue("Dead", None)
        self.queue = self._queue("Queue", sqs.DeadLetterQueue(queue=self.dead, max_receive_count=attempts))
        age = self.queue.metric_approximate_age_of_oldest_message(period=Duration.minutes(1), statistic="Maximum")
        alarm(
            self.queue, "Old", age, at_least=old_s, periods=3, tell=tell,
            means=f"{what} waits for more than {old_s // 60} minutes: read the log of who takes it: cuatro logs",
        )  # fmt: skip
        visible = self.dead.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(1), statistic="Maximum"
        )
        alarm(
            self.dead, "Waiting", visible, at_least=1, tell=tell,
            means=f"{what} failed {attempts} times and waits in the dead letters for 14 days. {mend}",
        )  # fmt: skip

    def _queue(self, name: str, dead_letters: sqs.DeadLetterQueue | None) -> sqs.Queue:
        return sqs.Queue(
            self,
            name,
            fifo=True if self._fifo else None,
            encryption=sqs.QueueEncryption.KMS if self._key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=self._key.key if self._key else None,
            data_key_reuse=Duration.hours(1) if self._key else None,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            visibility_timeout=Duration.seconds(self._timeout_s * _TIMEOUTS),
            dead_letter_queue=dead_letters,
            removal_policy=RemovalPolicy.DESTROY,
        )

    @property
    def url(self) -> str:
        return self.queue.queue_url

    def allow_send(self, role: iam.Role) -> None:
        """Grant sending, and what it needs of the key."""
        self._grant(role, ["SendMessage"], ["Decrypt", "GenerateDataKey"])

    def allow_s3(self) -> None:
        """S3 may send, for buckets of this account: a bucket's own name here would be a circle."""
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )

    def feed(self, reader: SuiteFunction, *, batch: int, window_s: int = 0, at_once: int | None = None) -> None:
        """Let `reader` take messages, `batch` at a time; it says which of them failed. at_once: batches, at most."""
        self._grant(reader.role, ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"], ["Decrypt"])
        mapping = lambda_.EventSourceMapping(
            reader,
            "Queue",
            target=reader.reached,
            event_source_arn=self.queue.queue_arn,
            batch_size=batch,
            max_batching_window=Duration.seconds(window_s) if window_s else None,
            max_concurrency=at_once,
            report_batch_item_failures=True,
        )
        mapping.node.add_dependency(reader.role)  # AWS refuses a mapping whose role may not read the queue yet

    def _grant(self, role: iam.Role, actions: list[str], uses: list[str]) -> None:
        role.add_to_policy(
            iam.PolicyStatement(actions=[f"sqs:{action}" for action in actions], resources=[self.queue.queue_arn])
        )
        if self._key:
            self._key.allow(role, uses, by="sqs", context={"aws:sqs:arn": self.queue.queue_arn})
