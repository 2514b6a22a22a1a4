"""Card fraud: transactions -> Kinesis -> score -> cards table -> act -> decisions, alerts, bus; labels -> learn.

A decision commits in the same write as the card's state; `act` reads it from the table's stream (decision 0001).
"""

from typing import Any

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.config import Target
from cdk.constructs.event_source import WITH_OUTBOX, consume_stream, consume_table
from cdk.constructs.private_api import PrivateApi, Route
from cdk.constructs.state_table import StateTable
from cdk.stacks.fraud_access import allow_act, allow_api, allow_learn, allow_score
from cdk.stacks.fraud_dashboard import fraud_dashboard
from cdk.stacks.fraud_retraining import retrain_fraud
from cdk.stacks.pipeline import PipelineStack
from cdk.stacks.platform import CuatroPlatform

ROUTES: tuple[Route, ...] = (
    ("POST", "/authorizations"),
    ("POST", "/labels"),
    ("GET", "/cards/{card_id}"),
    ("POST", "/cards/{card_id}/block"),
    ("POST", "/cards/{card_id}/unblock"),
    ("GET", "/decisions/{transaction_id}"),
)


class CuatroFraud(PipelineStack):
    """The stream, the state, the lake, four functions (score, act, api, learn), what retrains them and watches them."""

    def __init__(self, scope: Construct, name: str, *, target: Target, platform: CuatroPlatform, **kwargs: Any) -> None:
        super().__init__(
            scope, name, pipeline="fraud", purpose="Cuatro: card fraud in real time", events="Transactions",
            keeps=("decisions", "labels"), target=target, platform=platform, **kwargs,
        )  # fmt: skip
        self._state()
        self._functions(platform)
        self.api = PrivateApi(self, "Api", routes=ROUTES, answers=self.authorize, target=target)
        failures = self.failures.queue
        consume_stream(self.score, self.stream, failures=failures, target=target)
        consume_table(self.act, self.cards.table, failures=failures, target=target, only=WITH_OUTBOX)
        consume_table(self.learn, self.labels.table, failures=failures, target=target)
        self.loop = retrain_fraud(self, target.retraining, platform) if target.retraining else None
        fraud_dashboard(self)
        self._outputs()

    def _state(self) -> None:
        self.cards = StateTable(self, "Cards", key="card_id", target=self.target, stream=True)
        self.terminals = StateTable(self, "Terminals", key="terminal_id", target=self.target)
        self.decisions = StateTable(self, "Decisions", key="transaction_id", target=self.target)
        self.labels = StateTable(self, "Labels", key="transaction_id", target=self.target, stream=True)
        self.decided = self.lake.delivery("decisions")
        self.learned = self.lake.delivery("labels")
        self.alerts = sns.Topic(
            self, "Alerts", display_name="Cuatro fraud alerts", enforce_ssl=True,
            master_key=kms.Alias.from_alias_name(self, "SnsKey", "alias/aws/sns"),
        )  # fmt: skip

    def _functions(self, platform: CuatroPlatform) -> None:
        target, profile = self.target, self.target.profile
        cards, terminals = {"CARDS_TABLE": self.cards.name}, {"TERMINALS_TABLE": self.terminals.name}
        decisions, labels = {"DECISIONS_TABLE": self.decisions.name}, {"LABELS_TABLE": self.labels.name}
        models = {"MODEL_URI": self.model.uri, "SHADOW_MODEL_URI": self.shadow_uri}
        policy = {**models, "POLICY": target.fraud_policy.as_json()}
        deciding = {**policy, "MAX_AGE_DAYS": str(target.max_age_days)}

        self.score = self.function(
            "Score", "score", "Decides the transactions of the stream", profile.score_memory_mb, scores=True,
            settings={**cards, **terminals, **deciding, "REJECTED_BUCKET": self.rejected.bucket_name},
        )  # fmt: skip
        self.act = self.function(
            "Act", "act", "Publishes decisions, alerts with reasons, blocks cards", profile.score_memory_mb,
            scores=True,
            settings={
                **cards, **decisions, **policy, "STREAM_NAME": self.stream.stream_name,
                "BUS_NAME": platform.bus.event_bus_name, "ALERTS_TOPIC_ARN": self.alerts.topic_arn,
                "DECISIONS_DELIVERY": self.decided.name,
            },
        )  # fmt: skip
        self.authorize = self.function(
            "ApiFunction", "api", "Decides while the card waits; takes labels; blocks cards", profile.score_memory_mb,
            scores=True, settings={**cards, **terminals, **decisions, **labels, **deciding}, timeout_s=20,
        )  # fmt: skip
        self.learn = self.function(
            "Learn", "learn", "Folds labels into terminals' risk and decisions", profile.job_memory_mb, scores=False,
            settings={**terminals, **decisions, "LABELS_DELIVERY": self.learned.name},
        )  # fmt: skip
        allow_score(self)
        allow_act(self, platform)
        allow_api(self)
        allow_learn(self)

    def _outputs(self) -> None:
        self.outputs(
            {
                "ApiUrl": self.api.url,
                "CardsTable": self.cards.name,
                "TerminalsTable": self.terminals.name,
                "DecisionsTable": self.decisions.name,
                "LabelsTable": self.labels.name,
                "AlertsTopicArn": self.alerts.topic_arn,
                "ScoreFunction": self.score.function.function_name,
                "ActFunction": self.act.function.function_name,
                "ApiFunction": self.authorize.function.function_name,
                "LearnFunction": self.learn.function.function_name,
                "DecisionsDelivery": self.decided.name,
                "LabelsDelivery": self.learned.name,
            }
        )
