"""Sentiment: networks, hooks, API -> Firehose -> classify -> lake and posts -> tally -> aggregates -> watch -> people.

Nothing runs between the collectors and the lake but Firehose, which gathers, tries again and keeps what fails. A post's
row commits what is to be told of it; `tally` reads that from the table's stream (decision 0001).
"""

from dataclasses import replace
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.artefact import shipped
from cdk.config import Target
from cdk.constructs.event_source import WITH_OUTBOX, consume_table
from cdk.constructs.kept_secret import kept_secret
from cdk.constructs.models_image import ModelsImage
from cdk.constructs.private_api import PrivateApi, Route
from cdk.constructs.retraining import RetrainingLoop
from cdk.constructs.state_table import StateTable
from cdk.retraining_sentiment import SentimentRetraining
from cdk.stacks.pipeline import PipelineStack
from cdk.stacks.platform import CuatroPlatform
from cdk.stacks.sentiment_access import allow_api, allow_classify, allow_poll, allow_tally, allow_watch
from cdk.stacks.sentiment_dashboard import alarm_on_sources, sentiment_dashboard
from cdk.stacks.sentiment_lake import KEEPS, kept, scored
from cdk.stacks.sentiment_quicksight import quicksight_data
from cdk.stacks.sentiment_search import endpoint, search_domain
from cdk.stacks.sentiment_sources import NETWORKS, network_secrets, pollers

ROUTES: tuple[Route, ...] = (
    ("POST", "/posts"),
    ("GET", "/posts/{post}"),
    ("POST", "/posts/{post}/label"),
    ("GET", "/brands"),
    ("GET", "/brands/{brand}"),
    ("PUT", "/brands/{brand}"),
    ("DELETE", "/brands/{brand}"),
    ("GET", "/brands/{brand}/series"),
    ("GET", "/brands/{brand}/terms"),
    ("GET", "/brands/{brand}/posts"),
    ("GET", "/brands/{brand}/alerts"),
    ("GET", "/sources"),
)
SIGNED: tuple[Route, ...] = (("POST", "/hooks/{source}"),)
_COUNTING_MB = 256
_GATHERED = 500
# Posts that stop coming change no aggregate: an alert is cleared by the clock.
_WATCH = Duration.minutes(5)


class CuatroSentiment(PipelineStack):
    """Five pollers, api, classify, tally, watch, their tables and secrets, the lake, what retrains and what watches."""

    def __init__(self, scope: Construct, name: str, *, target: Target, platform: CuatroPlatform, **kwargs: Any) -> None:
        super().__init__(
            scope, name, pipeline="sentiment", purpose="Cuatro: what the networks say about a brand, now", events=None,
            keeps=KEEPS, target=target, platform=platform, **kwargs,
        )  # fmt: skip
        policy = target.sentiment_policy
        self.policy = replace(policy, backend=self.model.uri) if self.model.endpoint else policy
        self._state()
        self._classification()
        self._collection()
        self._counting(platform)
        self._grants(platform)
        self._sources()
        if target.quicksight:
            quicksight_data(self, target.quicksight)
        plan = target.sentiment_retraining
        self.loop = self._retrain(plan, platform) if plan else None
        alarm_on_sources(self)
        sentiment_dashboard(self)
        self._outputs()

    def _state(self) -> None:
        target = self.target
        self.brands = StateTable(self, "Brands", key="brand", target=target)
        self.cursors = StateTable(self, "Cursors", key="source", target=target)
        self.posts = StateTable(self, "Posts", key="post", target=target, stream=True)
        self.posts.index("by_brand", key="b", sort="t")
        self.aggregates = StateTable(self, "Aggregates", key="bucket", target=target, stream=True)
        self.alerts = StateTable(self, "Alerts", key="brand", target=target)
        self.kept = kept(self.lake)
        self.secrets = network_secrets(self)
        self.pseudonyms = kept_secret(self, "PseudonymSecret", purpose="Key of authors' pseudonyms", target=target)
        self.hooks = kept_secret(
            self, "HookSecret", purpose="Secrets of web hooks by their name", target=target, template="{}", key="web"
        )
        self.told = sns.Topic(
            self, "Told", display_name="Cuatro sentiment alerts", enforce_ssl=True,
            master_key=kms.Alias.from_alias_name(self, "SnsKey", "alias/aws/sns"),
        )  # fmt: skip

    def _classification(self) -> None:
        """What every post passes, whoever sends it."""
        text = self.packages("text", "Tokenizer and languages of posts")
        self.classify = self.function(
            "ClassifyFunction", "classify", "Takes each post once, finds its language and class",
            self.target.profile.score_memory_mb, scores=True, timeout_s=120, more=[text],
            settings={
                "POSTS_TABLE": self.posts.name, "RAW_DELIVERY": self.kept.raw.name,
                "REJECTED_BUCKET": self.rejected.bucket_name, "BUDGET_TABLE": self.cursors.name,
                "MODEL_URI": self.model.uri, "SHADOW_MODEL_URI": self.shadow_uri, "POLICY": self.policy.as_json(),
            },
        )  # fmt: skip
        self.posted = scored(self.lake, self.classify, self.target.gather_s)

    def _collection(self) -> None:
        self.collect = self.packages("collect", "Feeds; personal data in posts")
        self.pollers = pollers(self)
        self.answer = self.function(
            "ApiFunction", "api", "Takes posts, brands and labels; shows what is said",
            self.target.profile.job_memory_mb, scores=False, timeout_s=20, more=[self.collect],
            settings={
                "POSTS_DELIVERY": self.posted.name, "POSTS_TABLE": self.posts.name, "BRANDS_TABLE": self.brands.name,
                "CURSORS_TABLE": self.cursors.name, "AGGREGATES_TABLE": self.aggregates.name,
                "ALERTS_TABLE": self.alerts.name, "REJECTED_BUCKET": self.rejected.bucket_name,
                "HOOK_SECRET_ARN": self.hooks.secret_arn, "PSEUDONYM_SECRET_ARN": self.pseudonyms.secret_arn,
                "POLICY": self.policy.as_json(),
            },
        )  # fmt: skip
        self.api = PrivateApi(self, "Api", routes=ROUTES, signed=SIGNED, answers=self.answer, target=self.target)

    def _counting(self, platform: CuatroPlatform) -> None:
        bus, policy = {"BUS_NAME": platform.bus.event_bus_name}, {"POLICY": self.policy.as_json()}
        aggregates = {"AGGREGATES_TABLE": self.aggregates.name}
        self.search = search_domain(self) if self.target.search else None
        self.tally = self.function(
            "TallyFunction", "tally", "Counts posts and labels, tells the bus", _COUNTING_MB, scores=False,
            settings={
                **aggregates, **bus, **policy, "LABELS_DELIVERY": self.kept.labels.name,
                "SEARCH_ENDPOINT": endpoint(self, self.search) if self.search else "",
            },
        )  # fmt: skip
        self.watch = self.function(
            "WatchFunction", "watch", "Alarms when a brand is written about as never before", _COUNTING_MB,
            scores=False,
            settings={
                **aggregates, **bus, **policy, "ALERTS_TABLE": self.alerts.name, "BRANDS_TABLE": self.brands.name,
                "ALERT_TOPIC_ARN": self.told.topic_arn,
            },
        )  # fmt: skip

    def _grants(self, platform: CuatroPlatform) -> None:
        for network, poll in self.pollers.items():
            allow_poll(self, network, poll)
        allow_api(self)
        allow_classify(self)
        allow_tally(self, platform)
        allow_watch(self, platform)

    def _sources(self) -> None:
        failures, target = self.failures.queue, self.target
        for reader, source, only in ((self.tally, self.posts, WITH_OUTBOX), (self.watch, self.aggregates, None)):
            consume_table(
                reader, source.table, failures=failures, target=target, only=only, batch=_GATHERED,
                window_s=target.gather_s,
            )  # fmt: skip
        events.Rule(
            self, "WatchSchedule", schedule=events.Schedule.rate(_WATCH),
            targets=[targets.LambdaFunction(self.watch.function)],
        )  # fmt: skip

    def _retrain(self, plan: SentimentRetraining, platform: CuatroPlatform) -> RetrainingLoop:
        loop = RetrainingLoop(
            self, "Retraining", plan=plan, lake=self.lake,
            image=ModelsImage(self, "ModelsImage", target=self.target), artefact=shipped(self.pipeline),
            bus=platform.bus, core=self.core, failures=self.failures.queue, tell=self.tell, target=self.target,
        )  # fmt: skip
        loop.serve(weighted=[self.classify], follows=[])
        loop.outputs()
        return loop

    def _outputs(self) -> None:
        tables = {"Brands": self.brands, "Cursors": self.cursors, "Posts": self.posts, "Alerts": self.alerts}
        functions = {"Classify": self.classify, "Tally": self.tally, "Watch": self.watch, "Api": self.answer}
        functions |= {f"Poll{NETWORKS[network].name}": poll for network, poll in self.pollers.items()}
        secrets = {NETWORKS[network].name: secret for network, secret in self.secrets.items()}
        self.outputs(
            {
                "ApiUrl": self.api.url,
                "PostsDelivery": self.posted.name,
                "RawDelivery": self.kept.raw.name,
                "LabelsDelivery": self.kept.labels.name,
                "GlueDatabase": self.kept.tables.name,
                "AlertTopicArn": self.told.topic_arn,
                "AggregatesTable": self.aggregates.name,
                **{f"{name}Table": table.name for name, table in tables.items()},
                **{f"{name}Function": made.function.function_name for name, made in functions.items()},
                **{f"{name}Secret": secret.secret_arn for name, secret in secrets.items()},
                "HookSecret": self.hooks.secret_arn,
            }
        )
