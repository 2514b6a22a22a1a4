"""Drift, schedule, labels or a person -> retrain -> pipeline -> registry -> roll-out: a pipeline's model adapts itself.

Neutral to the pipeline: it knows the lake, the functions that score, and the image that trains.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.artefact import Artefact
from cdk.config import Target
from cdk.constructs.alarms import alarm, alarm_topic
from cdk.constructs.lake import Lake
from cdk.constructs.model_endpoint import model_layer_name
from cdk.constructs.models_image import ModelsImage
from cdk.constructs.rollout import RollOut
from cdk.constructs.rollout_access import allow_functions, allow_judging, allow_registry, allow_telling
from cdk.constructs.state_table import StateTable
from cdk.constructs.suite_function import LIVE, NAMESPACE, SuiteFunction
from cdk.constructs.training_pipeline import TrainingPipeline, allow_asset
from cdk.retraining import Retraining, Signal

_MEMORY_MB = 512
# It has two models and the layer with both in memory, and packs them: with one whole vCPU.
_ROLL_OUT_MEMORY_MB = 1769


class RetrainingLoop(Construct):
    """Everything between a drifting model and the next one that is live.

    Make it with the shipped artefact and tell `serve` which functions use the model. `watch` adds what a pipeline has
    that measures drift; without it a retraining begins by schedule or by hand.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: Retraining,
        lake: Lake,
        image: ModelsImage,
        artefact: Artefact,
        bus: events.IEventBus,
        core: lambda_.ILayerVersion,
        failures: sqs.IQueue,
        tell: sns.ITopic,
        target: Target,
    ) -> None:
        super().__init__(scope, name)
        self.plan, self.lake, self.target, self.tell = plan, lake, target, tell
        self._bus, self._core, self._failures = bus, core, failures
        self.models = StateTable(self, "Models", key="name", target=target)
        self.shipped = s3_assets.Asset(self, "Shipped", path=str(artefact.path))
        self._feature_set = artefact.feature_set
        self._shipped = {"SHIPPED_URI": self.shipped.s3_object_url, "SHIPPED_VERSION": artefact.version}
        self.champion = self._function("Champion", "champion", "Names the model to beat", self._shipped)
        self.models.allow(self.champion.role, "BatchGetItem")
        self.training = TrainingPipeline(
            self, "Training", lake=lake, image=image, shipped=self.shipped, champion=self.champion, plan=plan,
            target=target,
        )  # fmt: skip
        self.retrain = self._function(
            "Retrain", "retrain", "Starts the pipeline, one run at a time", {"PIPELINE_NAME": self.training.name}
        )
        self._allow_retrain()
        retrain = {"reason": "schedule"}
        self._run("RetrainSchedule", events.Schedule.expression(plan.schedule), self.retrain.function, retrain)

    def watch(self, drift: SuiteFunction, signals: Sequence[Signal], every: Duration) -> None:
        """A rule runs `drift`; alarms on what it measures start a retraining."""
        topic = alarm_topic(self, "Topic", f"Cuatro {self.lake.pipeline}: reasons to retrain")
        for signal in signals:
            made = alarm(
                self, signal.name, self._metric(signal.metric), at_least=signal.limit, below=signal.below,
                tell=self.tell,
                means=f"The {self.lake.pipeline} model is trained anew: {signal.means}. See: cuatro drift",
            )  # fmt: skip
            made.add_alarm_action(actions.SnsAction(topic))
        topic.add_subscription(subscriptions.LambdaSubscription(self.retrain.function))
        self._run("DriftSchedule", events.Schedule.rate(every), drift.reached, {})

    def serve(self, weighted: Sequence[SuiteFunction], follows: Sequence[SuiteFunction]) -> None:
        """A roll-out shifts the aliases of `weighted` step by step; those of `follows` get both models at once."""
        stack = Stack.of(self)
        kinds = {each.function.function_name: "weighted" for each in weighted}
        kinds |= {each.function.function_name: "follows" for each in follows}
        alarms = [each.alarm_name for function in weighted for each in function.alarms]
        machine, layer_name = f"{self.training.name}-roll-out", model_layer_name(self)
        self.change = self._function(
            "RollOut", "rollout", "Brings a model live step by step, or takes it back",
            {
                **self._shipped, "FUNCTIONS": stack.to_json_string(kinds), "ALIAS": LIVE, "LAYER_NAME": layer_name,
                "ALARMS": stack.to_json_string(alarms), "LAKE_BUCKET": self.lake.bucket.bucket_name,
                "PIPELINE": self.lake.pipeline, "BUS_NAME": self._bus.event_bus_name,
                "PLAN": self.plan.plan.as_json(), "FEATURE_SET": self._feature_set,
            },
            timeout=Duration.minutes(5), memory_mb=_ROLL_OUT_MEMORY_MB,
        )  # fmt: skip
        role = self.change.role
        allow_functions(role, [*weighted, *follows], layer_name)
        allow_registry(role, self.training.name)
        allow_judging(role, self.lake, self.plan.plan.compares, machine)
        allow_telling(role, self.models, self._bus)
        allow_asset(role, self.shipped)
        self.roll_out = RollOut(
            self, "Live", function=self.change, machine=machine, group=self.training.name, target=self.target,
            tell=self.tell,
        )  # fmt: skip
        self.roll_out.restore_after([*weighted, *follows])

    def outputs(self) -> None:
        """Those of the stack by which commands and tests find the loop."""
        for key, value in {
            "RetrainFunction": self.retrain.function.function_name,
            "ChampionFunction": self.champion.function.function_name,
            "RollOutFunction": self.change.function.function_name,
            "PipelineName": self.training.name,
            "ModelPackageGroupName": self.training.name,
            "ModelsTable": self.models.name,
            "RollOutStateMachineArn": self.roll_out.machine.state_machine_arn,
        }.items():
            CfnOutput(Stack.of(self), f"{key}Output", value=value).override_logical_id(key)

    def _function(
        self,
        name: str,
        job: str,
        purpose: str,
        settings: Mapping[str, str],
        *,
        timeout: Duration | None = None,
        memory_mb: int = _MEMORY_MB,
    ) -> SuiteFunction:
        return SuiteFunction(
            self, name, pipeline="lifecycle", service=self.lake.pipeline, job=job, purpose=purpose,
            settings={**settings, "MODELS_TABLE": self.models.name}, target=self.target, memory_mb=memory_mb,
            timeout=timeout or Duration.minutes(1), layers=[self._core], failures=self._failures, tell=self.tell,
            rarely=True,
        )  # fmt: skip

    def _metric(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE, metric_name=name, dimensions_map={"service": self.lake.pipeline},
            statistic="Maximum", period=Duration.minutes(5),
        )  # fmt: skip

    def _run(self, name: str, when: events.Schedule, function: lambda_.IFunction, event: Mapping[str, str]) -> None:
        events.Rule(
            self,
            name,
            schedule=when,
            enabled=self.plan.scheduled,
            targets=[targets.LambdaFunction(function, event=events.RuleTargetInput.from_object(dict(event)))],
        )

    def _allow_retrain(self) -> None:
        """Holds the item that says which run is on; starts the pipeline."""
        self.models.allow(self.retrain.role, "BatchGetItem", "UpdateItem")
        self.training.allow_start(self.retrain.role)
