"""Recommendations: interactions -> Kinesis -> record -> profiles -> observe -> shelves, bus; lists <- api -> feedback.

The lake gets interactions from the stream itself, lists and feedback from `tally`. Profiles and lists carry what is to
be told with the write that makes it so; `observe` and `tally` read it from the tables' streams (decision 0001).
"""

from typing import Any

from constructs import Construct

from cdk.artefact import shipped
from cdk.config import Target
from cdk.constructs.event_source import WITH_OUTBOX, consume_stream, consume_table
from cdk.constructs.managed_recommender import ManagedRecommender
from cdk.constructs.models_image import ModelsImage
from cdk.constructs.private_api import PrivateApi, Route
from cdk.constructs.retraining import RetrainingLoop
from cdk.constructs.state_table import StateTable
from cdk.retraining_recommendations import RecommendationsRetraining
from cdk.stacks.pipeline import PipelineStack
from cdk.stacks.platform import CuatroPlatform
from cdk.stacks.recommendations_access import allow_api, allow_observe, allow_record, allow_shelve, allow_tally
from cdk.stacks.recommendations_dashboard import alarm_when_unranked, recommendations_dashboard
from cdk.stacks.recommendations_lake import KEEPS, kept

ROUTES: tuple[Route, ...] = (
    ("GET", "/recommendations/{user_id}"),
    ("GET", "/items/{item_id}"),
    ("GET", "/items/{item_id}/similar"),
    ("POST", "/interactions"),
    ("POST", "/feedback"),
    ("GET", "/profiles/{user_id}"),
    ("DELETE", "/profiles/{user_id}"),
)
# What becomes of an interaction beyond its user's profile may wait, so that a shelf is written once for many.
_GATHERED = 1000
_SHELVING_MB = 256


class CuatroRecommendations(PipelineStack):
    """The stream, the state, the lake, five functions (record, api, observe, tally, shelve), what retrains, watches."""

    def __init__(self, scope: Construct, name: str, *, target: Target, platform: CuatroPlatform, **kwargs: Any) -> None:
        super().__init__(
            scope, name, pipeline="recommendations", purpose="Cuatro: recommendations, from click to better list",
            events="Interactions", keeps=KEEPS, target=target, platform=platform, **kwargs,
        )  # fmt: skip
        self._state()
        self._functions(platform)
        self.api = PrivateApi(self, "Api", routes=ROUTES, answers=self.answer, target=target)
        self._sources()
        alarm_when_unranked(self)
        plan = target.recommendations_retraining
        self.loop = self._retrain(plan, platform) if plan else None
        recommendations_dashboard(self)
        self._outputs()

    def _state(self) -> None:
        self.profiles = StateTable(self, "Profiles", key="user_id", target=self.target, stream=True)
        self.items = StateTable(self, "Items", key="item_id", target=self.target, stream=True)
        self.shelves = StateTable(self, "Shelves", key="shelf", target=self.target)
        self.lists = StateTable(self, "Lists", key="list_id", target=self.target, stream=True)
        self.kept = kept(self.lake, self.stream)
        # The model's layer stays where Personalize ranks: it costs nothing, and leaving the option out switches back.
        self.managed = (
            ManagedRecommender(self, "Managed", lake=self.lake) if self.target.ranking == "personalize" else None
        )

    def _functions(self, platform: CuatroPlatform) -> None:
        profile = self.target.profile
        policy = {"POLICY": self.target.recommendation_policy.as_json()}
        recent = {"MAX_AGE_DAYS": str(self.target.max_age_days)}
        profiles, items = {"PROFILES_TABLE": self.profiles.name}, {"ITEMS_TABLE": self.items.name}
        shelves, lists = {"SHELVES_TABLE": self.shelves.name}, {"LISTS_TABLE": self.lists.name}
        self.record = self.function(
            "Record", "record", "Folds the stream's interactions into profiles", profile.job_memory_mb, scores=False,
            settings={**profiles, **policy, **recent, "REJECTED_BUCKET": self.rejected.bucket_name},
        )  # fmt: skip
        self.answer = self.function(
            "ApiFunction", "api", "Makes lists; takes interactions and feedback", profile.score_memory_mb,
            scores=True, timeout_s=20,
            settings={
                **profiles, **items, **shelves, **lists, **policy, **recent, "STREAM_NAME": self.stream.stream_name,
                "MODEL_URI": self.managed.uri if self.managed else self.model.uri,
                "SHADOW_MODEL_URI": self.shadow_uri,
            },
        )  # fmt: skip
        self.observe = self.function(
            "Observe", "observe", "Counts what is popular, tells the bus", _SHELVING_MB, scores=False,
            settings={
                **shelves, **items, **policy, "BUS_NAME": platform.bus.event_bus_name,
                "PERSONALIZE_DATASET_GROUP": self.managed.group if self.managed else "",
            },
        )  # fmt: skip
        self.tally = self.function(
            "Tally", "tally", "Sends lists and feedback to the lake, counts answers", _SHELVING_MB, scores=False,
            settings={
                **shelves, **policy, "LISTS_DELIVERY": self.kept.lists.name,
                "FEEDBACK_DELIVERY": self.kept.feedback.name,
            },
        )  # fmt: skip
        self.shelve = self.function(
            "Shelve", "shelve", "Puts the catalogue's new items on their shelf", _SHELVING_MB, scores=False,
            settings={**shelves, **policy},
        )  # fmt: skip
        allow_record(self)
        allow_api(self)
        allow_observe(self, platform)
        allow_tally(self)
        allow_shelve(self)
        if self.managed:
            self.managed.allow_ranking(self.answer.role)
            self.managed.allow_events(self.observe.role)

    def _sources(self) -> None:
        failures, target = self.failures.queue, self.target
        consume_stream(self.record, self.stream, failures=failures, target=target)
        for reader, source, only in (
            (self.observe, self.profiles, WITH_OUTBOX),
            (self.tally, self.lists, None),
            (self.shelve, self.items, None),
        ):
            consume_table(
                reader, source.table, failures=failures, target=target, only=only, batch=_GATHERED,
                window_s=target.gather_s,
            )  # fmt: skip

    def _retrain(self, plan: RecommendationsRetraining, platform: CuatroPlatform) -> RetrainingLoop:
        loop = RetrainingLoop(
            self, "Retraining", plan=plan, lake=self.lake,
            image=ModelsImage(self, "ModelsImage", target=self.target), artefact=shipped(self.pipeline),
            bus=platform.bus, core=self.core, failures=self.failures.queue, tell=self.tell, target=self.target,
        )  # fmt: skip
        loop.serve(weighted=[self.answer], follows=[])
        loop.outputs()
        return loop

    def _outputs(self) -> None:
        self.outputs(
            {
                "ApiUrl": self.api.url,
                "ProfilesTable": self.profiles.name,
                "ItemsTable": self.items.name,
                "ShelvesTable": self.shelves.name,
                "ListsTable": self.lists.name,
                "InteractionsDelivery": self.kept.interactions.name,
                "ListsDelivery": self.kept.lists.name,
                "FeedbackDelivery": self.kept.feedback.name,
                "GlueDatabase": self.kept.tables.name,
                "RecordFunction": self.record.function.function_name,
                "ApiFunction": self.answer.function.function_name,
                "ObserveFunction": self.observe.function.function_name,
                "TallyFunction": self.tally.function.function_name,
                "ShelveFunction": self.shelve.function.function_name,
                **(self.managed.outputs() if self.managed else {}),
            }
        )
