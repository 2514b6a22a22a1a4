"""What could not be processed -> a queue that `cuatro replay` empties, and one for what replays did not cure."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.constructs.alarms import alarm

_REPLAYS = 5


class FailuresQueue(Construct):
    """Encrypted, TLS only, kept for 14 days (SQS's longest); an alarm as soon as something lies in either queue."""

    def __init__(self, scope: Construct, name: str, *, tell: sns.ITopic) -> None:
        super().__init__(scope, name)
        self.incurable = self._queue("Incurable", None)
        self.queue = self._queue("Queue", sqs.DeadLetterQueue(queue=self.incurable, max_receive_count=_REPLAYS))
        for queue, means in (
            (self.queue, "Events wait in the failures queue. Mend the cause, then run: cuatro replay"),
            (
                self.incurable,
                f"Events failed {_REPLAYS} replays. Read them in the queue; they are deleted 14 days after they came",
            ),
        ):
            visible = queue.metric_approximate_number_of_messages_visible(
                period=Duration.minutes(1), statistic="Maximum"
            )
            alarm(queue, "Waiting", visible, at_least=1, means=means, tell=tell)

    def _queue(self, name: str, dead_letters: sqs.DeadLetterQueue | None) -> sqs.Queue:
        return sqs.Queue(
            self,
            name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            visibility_timeout=Duration.minutes(5),
            dead_letter_queue=dead_letters,
            removal_policy=RemovalPolicy.DESTROY,
        )
