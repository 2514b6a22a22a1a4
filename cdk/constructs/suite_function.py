"""One pipeline's job -> its Lambda function with log group, role, failure destination and alarms, always made here."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import AssetHashType, Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.config import PYTHON, Target
from cdk.constructs.alarms import alarm
from cdk.constructs.findings import acknowledge
from cdk.functions import function_archive

RUNTIME = lambda_.Runtime(f"python{PYTHON}", lambda_.RuntimeFamily.PYTHON)
NAMESPACE = "Cuatro"
LIVE = "live"
# A duration this near the timeout is about to become an error.
_NEAR_TIMEOUT = 0.8


def code(archive: Path) -> lambda_.AssetCode:
    """An archive of .build/ as Lambda code. Its name carries the hash of its content: CDK need not hash it again."""
    return lambda_.Code.from_asset(str(archive), asset_hash_type=AssetHashType.CUSTOM, asset_hash=archive.stem)


class SuiteFunction(Construct):
    """functions/<pipeline>/<job>/handler.py as a function that may write its log and no more.

    `settings` are the handler's Settings in upper case: a test holds that they are exactly its fields. With `live` it
    is reached by that alias of its newest version. A function that runs `rarely` (seconds a day) has one alarm, errors.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        pipeline: str,
        job: str,
        purpose: str,
        settings: Mapping[str, str],
        target: Target,
        memory_mb: int,
        timeout: Duration,
        layers: Sequence[lambda_.ILayerVersion],
        failures: sqs.IQueue,
        tell: sns.ITopic,
        service: str | None = None,
        live: bool = False,
        rarely: bool = False,
    ) -> None:
        super().__init__(scope, name)
        self.tell = tell
        self.layers = list(layers)
        self.alarms: list[cloudwatch.Alarm] = []
        self.log_group = logs.LogGroup(
            self,
            "Log",
            retention=target.profile.log_retention,
            removal_policy=RemovalPolicy.RETAIN if target.retain_data else RemovalPolicy.DESTROY,
        )
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), description=f"{pipeline} {job}"
        )
        self.log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            code=code(function_archive(pipeline)),
            handler=f"functions.{pipeline}.{job}.handler.handler",
            runtime=RUNTIME,
            architecture=lambda_.Architecture.X86_64,  # ONNX Runtime aborts on some arm64 Lambda hosts
            description=purpose,
            role=self.role,
            log_group=self.log_group,
            memory_size=memory_mb,
            timeout=timeout,
            layers=self.layers,
            on_failure=destinations.SqsDestination(failures),
            environment={
                **settings,
                "POWERTOOLS_SERVICE_NAME": service or pipeline,
                "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
                "POWERTOOLS_LOG_LEVEL": "INFO",
            },
        )
        acknowledge(
            self.function,
            "AwsSolutions-L1",
            "The runtime is the Python minor version that ran the tests, so that wheels and byte code fit.",
        )
        # What triggers use: the alias, whose version a roll-out changes, or the function itself.
        self.reached: lambda_.IFunction = self.function
        self.version = ""  # ARN of the version that a deployment publishes
        if live:
            self.version = self.function.current_version.function_arn
            self.reached = lambda_.Alias(
                self,
                "Live",
                alias_name=LIVE,
                version=self.function.current_version,
                on_failure=destinations.SqsDestination(failures),
            )
        self._watch(timeout, f"{service or pipeline} {job}", rarely=rarely)

    def _watch(self, timeout: Duration, who: str, *, rarely: bool) -> None:
        five = Duration.minutes(5)
        log = "Read its log: cuatro logs"
        self._alarm(
            "Errors", self.function.metric_errors(period=five, statistic="Sum"),
            at_least=1, means=f"{who} fails. {log}",
        )  # fmt: skip
        if rarely:
            return
        self._alarm(
            "Throttles", self.function.metric_throttles(period=five, statistic="Sum"),
            at_least=1, means=f"{who} is throttled: raise the account's Lambda concurrency",
        )  # fmt: skip
        self._alarm(
            "Duration", self.function.metric_duration(period=five, statistic="p99"),
            at_least=timeout.to_milliseconds() * _NEAR_TIMEOUT, means=f"{who} is about to time out. {log}",
        )  # fmt: skip

    def alarm_when_behind(self, target: Target) -> None:
        """For a function that reads a stream: an alarm when it lags further behind than the profile allows."""
        age = self.function.metric("IteratorAge", period=Duration.minutes(1), statistic="Maximum")
        self._alarm(
            "Behind", age, at_least=target.profile.iterator_age_alarm_s * 1000, periods=3,
            means="The function is behind its stream: look for errors that it retries, then for too few shards",
        )  # fmt: skip

    def _alarm(self, name: str, metric: cloudwatch.Metric, *, at_least: float, means: str, periods: int = 1) -> None:
        made = alarm(self, name, metric, at_least=at_least, means=means, tell=self.tell, periods=periods)
        self.alarms.append(made)
