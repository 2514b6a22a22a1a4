"""Card fraud: transactions -> Kinesis -> score -> cards table -> act -> decisions, alerts, bus; labels -> learn.

A decision commits in the same write as the card's state; `act` reads it from the table's stream (decision 0001).
"""

from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.config import Target
from cdk.constructs.event_source import consume_stream, consume_table
from cdk.constructs.failures import FailuresQueue
from cdk.constructs.findings import acknowledge
from cdk.constructs.lake import Lake
from cdk.constructs.model_endpoint import ModelEndpoint, model_layer_name
from cdk.constructs.models_image import ModelsImage
from cdk.constructs.private_api import PrivateApi, Route
from cdk.constructs.private_bucket import private_bucket
from cdk.constructs.state_table import StateTable
from cdk.constructs.suite_function import RUNTIME, SuiteFunction, code
from cdk.layers import layer_archive, model_archive
from cdk.stacks.fraud_access import allow_act, allow_api, allow_learn, allow_score
from cdk.stacks.fraud_dashboard import fraud_dashboard
from cdk.stacks.fraud_retraining import retrain_fraud
from cdk.stacks.platform import CuatroPlatform, synthesizer

ROUTES: tuple[Route, ...] = (
    ("POST", "/authorizations"),
    ("POST", "/labels"),
    ("GET", "/cards/{card_id}"),
    ("POST", "/cards/{card_id}/block"),
    ("POST", "/cards/{card_id}/unblock"),
    ("GET", "/decisions/{transaction_id}"),
)
_SHADOW = "/opt/models/fraud/shadow.onnx"
# Of the cards table's changes, `act` needs those that carry decisions: the attribute `d`, the outbox.
_WITH_DECISIONS = lambda_.FilterCriteria.filter({"dynamodb": {"NewImage": {"d": {"B": lambda_.FilterRule.exists()}}}})


class CuatroFraud(Stack):
    """The stream, the state, the lake, four functions (score, act, api, learn), what retrains them and watches them."""

    def __init__(self, scope: Construct, name: str, *, target: Target, platform: CuatroPlatform, **kwargs: Any) -> None:
        super().__init__(
            scope, name, synthesizer=synthesizer(target), description="Cuatro: card fraud in real time", **kwargs
        )
        self.target = target
        self.tell = platform.alarm_topic
        self._state(platform)
        self._layers()
        self.failures = FailuresQueue(self, "Failures", tell=self.tell)
        self._functions(platform)
        self.api = PrivateApi(self, "Api", routes=ROUTES, answers=self.authorize, target=target)
        failures = self.failures.queue
        consume_stream(self.score, self.stream, failures=failures, target=target)
        consume_table(self.act, self.cards.table, failures=failures, target=target, only=_WITH_DECISIONS)
        consume_table(self.learn, self.labels.table, failures=failures, target=target)
        self.loop = retrain_fraud(self, target.retraining, platform) if target.retraining else None
        fraud_dashboard(self)
        self._outputs()

    def _state(self, platform: CuatroPlatform) -> None:
        profile, retain = self.target.profile, self.target.retain_data
        on_demand = profile.shards is None
        self.stream = kinesis.Stream(
            self,
            "Transactions",
            encryption=kinesis.StreamEncryption.MANAGED,
            stream_mode=kinesis.StreamMode.ON_DEMAND if on_demand else kinesis.StreamMode.PROVISIONED,
            shard_count=profile.shards,
            retention_period=Duration.hours(profile.stream_retention_hours),
            removal_policy=RemovalPolicy.RETAIN if retain else RemovalPolicy.DESTROY,
        )
        self.cards = StateTable(self, "Cards", key="card_id", target=self.target, stream=True)
        self.terminals = StateTable(self, "Terminals", key="terminal_id", target=self.target)
        self.decisions = StateTable(self, "Decisions", key="transaction_id", target=self.target)
        self.labels = StateTable(self, "Labels", key="transaction_id", target=self.target, stream=True)
        # By name: the platform's policy lets S3 write there already, and must not come to depend on this stack.
        access_logs = s3.Bucket.from_bucket_name(self, "AccessLogs", platform.access_logs.bucket_name)
        self.rejected = private_bucket(
            self, "Rejected", expire_days=profile.object_retention_days, retain=retain,
            access_logs=access_logs, log_prefix="fraud/rejected/",
        )  # fmt: skip
        acknowledge(
            self.rejected,
            "Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded",
            "The platform stack's policy allows it.",
        )
        self.lake = Lake(self, "Lake", pipeline="fraud", target=self.target, access_logs=access_logs, tell=self.tell)
        self.decided = self.lake.delivery("decisions")
        self.learned = self.lake.delivery("labels")
        self.alerts = sns.Topic(
            self, "Alerts", display_name="Cuatro fraud alerts", enforce_ssl=True,
            master_key=kms.Alias.from_alias_name(self, "SnsKey", "alias/aws/sns"),
        )  # fmt: skip

    def _layers(self) -> None:
        """Each stack has its own layers: one that another stack uses could never be replaced."""
        self.core = self._layer(
            "Core", layer_archive("core", self.target.layer_platform), "cuatro, Powertools, msgspec, Chalice's router"
        )
        self.inference = self._layer(
            "Inference", layer_archive("inference", self.target.layer_platform), "ONNX Runtime and numpy, slimmed"
        )
        self.model = ModelEndpoint(
            self, "Model", pipeline="fraud", serving=self.target.serving, layer=self._model_layer,
            image=self._models_image, lake=self.lake, tell=self.tell,
        )  # fmt: skip

    def _model_layer(self) -> lambda_.LayerVersion:
        archive = model_archive("fraud", self.target.shadow_model)
        return self._layer("Model", archive, "The fraud model", model_layer_name(self))

    def _models_image(self) -> ModelsImage:
        """Made when something uses it: building it takes Docker, Finch or Podman."""
        return ModelsImage(self, "ModelsImage", target=self.target)

    def _layer(self, name: str, archive: Any, description: str, layer_name: str | None = None) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self, f"{name}Layer", code=code(archive), compatible_runtimes=[RUNTIME], layer_version_name=layer_name,
            compatible_architectures=[lambda_.Architecture.X86_64], description=description,
        )  # fmt: skip

    def _functions(self, platform: CuatroPlatform) -> None:
        target, profile = self.target, self.target.profile
        cards, terminals = {"CARDS_TABLE": self.cards.name}, {"TERMINALS_TABLE": self.terminals.name}
        decisions, labels = {"DECISIONS_TABLE": self.decisions.name}, {"LABELS_TABLE": self.labels.name}
        self.shadow_uri = _SHADOW if target.shadow_model else ""
        models = {"MODEL_URI": self.model.uri, "SHADOW_MODEL_URI": self.shadow_uri}
        policy = {**models, "POLICY": target.fraud_policy.as_json()}
        deciding = {**policy, "MAX_AGE_DAYS": str(target.max_age_days)}

        self.score = self._function(
            "Score", "score", "Decides the transactions of the stream", profile.score_memory_mb, scores=True,
            settings={**cards, **terminals, **deciding, "REJECTED_BUCKET": self.rejected.bucket_name},
        )  # fmt: skip
        self.act = self._function(
            "Act", "act", "Publishes decisions, alerts with reasons, blocks cards", profile.score_memory_mb,
            scores=True,
            settings={
                **cards, **decisions, **policy, "STREAM_NAME": self.stream.stream_name,
                "BUS_NAME": platform.bus.event_bus_name, "ALERTS_TOPIC_ARN": self.alerts.topic_arn,
                "DECISIONS_DELIVERY": self.decided.name,
            },
        )  # fmt: skip
        self.authorize = self._function(
            "ApiFunction", "api", "Decides while the card waits; takes labels; blocks cards", profile.score_memory_mb,
            scores=True, settings={**cards, **terminals, **decisions, **labels, **deciding}, timeout_s=20,
        )  # fmt: skip
        self.learn = self._function(
            "Learn", "learn", "Folds labels into terminals' risk and decisions", profile.job_memory_mb, scores=False,
            settings={**terminals, **decisions, "LABELS_DELIVERY": self.learned.name},
        )  # fmt: skip
        for scoring in (self.score, self.act, self.authorize):
            self.model.allow(scoring.role)
        allow_score(self)
        allow_act(self, platform)
        allow_api(self)
        allow_learn(self)

    def _function(
        self,
        name: str,
        job: str,
        purpose: str,
        memory_mb: int,
        *,
        scores: bool,
        settings: dict[str, str],
        timeout_s: int = 60,
    ) -> SuiteFunction:
        return SuiteFunction(
            self, name, pipeline="fraud", job=job, purpose=purpose, settings=settings, target=self.target,
            memory_mb=memory_mb, timeout=Duration.seconds(timeout_s), failures=self.failures.queue, tell=self.tell,
            live=scores,
            layers=self.layers_of(scores=scores),
        )  # fmt: skip

    def layers_of(self, *, scores: bool) -> list[lambda_.ILayerVersion]:
        model = [self.model.layer] if self.model.layer else []
        return [self.core, self.inference, *model] if scores else [self.core]

    def _outputs(self) -> None:
        endpoint = self.model.endpoint
        for key, value in {
            **({"ModelEndpointName": endpoint.attr_endpoint_name} if endpoint else {}),
            "StreamName": self.stream.stream_name,
            "ApiUrl": self.api.url,
            "CardsTable": self.cards.name,
            "TerminalsTable": self.terminals.name,
            "DecisionsTable": self.decisions.name,
            "LabelsTable": self.labels.name,
            "AlertsTopicArn": self.alerts.topic_arn,
            "RejectedBucket": self.rejected.bucket_name,
            "FailuresQueueUrl": self.failures.queue.queue_url,
            "ScoreFunction": self.score.function.function_name,
            "ActFunction": self.act.function.function_name,
            "ApiFunction": self.authorize.function.function_name,
            "LearnFunction": self.learn.function.function_name,
            "LakeBucket": self.lake.bucket.bucket_name,
            "DecisionsDelivery": self.decided.name,
            "LabelsDelivery": self.learned.name,
        }.items():
            CfnOutput(self, f"{key}Output", value=value).override_logical_id(key)
