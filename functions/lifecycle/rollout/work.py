"""What every action of a roll-out works with: settings, plan, table, functions; and the roll-out it belongs to."""

from dataclasses import dataclass

from cuatro.adapters.dynamodb import dynamo
from cuatro.adapters.publishing import publish_events
from cuatro.adapters.registry import Stage, StageStatus, stage
from cuatro.errors import Rejected, Unavailable
from cuatro.events import ModelPromoted, ModelRolledBack
from functions.lifecycle.models import SHIPPED, Model, Models, RollOut
from functions.lifecycle.rollout import layer
from functions.lifecycle.rollout.plan import AnyPlan, plan_of
from functions.lifecycle.rollout.settings import Settings
from functions.lifecycle.rollout.switch import Switch


@dataclass(frozen=True)
class Work:
    """now: unix seconds. execution: ARN of the state machine's execution, empty for a person."""

    setting: Settings
    plan: AnyPlan
    models: Models
    switch: Switch
    now: float
    execution: str

    @classmethod
    def of(cls, setting: Settings, now: float, execution: str) -> "Work":
        """From the environment."""
        shipped = Model(
            version=setting.shipped_version,
            artefact=setting.shipped_uri,
            uri=layer.path(setting.pipeline, layer.MODEL),
        )
        models = Models(dynamo(), setting.models_table, shipped)
        return cls(setting, plan_of(setting.plan), models, Switch(setting), now, execution)

    @property
    def champion_uri(self) -> str:
        """MODEL_URI of the champion in the layer of a roll-out."""
        return layer.path(self.setting.pipeline, layer.MODEL)

    @property
    def challenger_uri(self) -> str:
        """The challenger's."""
        return layer.path(self.setting.pipeline, layer.SHADOW)

    def own(self) -> RollOut:
        """The roll-out under way. Raises Rejected when there is none, or another execution's."""
        found = self.models.roll_out()
        if found is None or not found.active or found.phase == "rolling_back":
            ended = f"{found.version} was {found.phase}: {found.reason}" if found else "none was begun"
            raise Rejected(f"no roll-out is under way; {ended}")
        if self.execution and found.execution and found.execution != self.execution:
            raise Rejected(f"the roll-out under way, of {found.version}, belongs to {found.execution}")
        return found

    def settle(self, changed: RollOut) -> None:
        """After aliases were moved for `changed`: undo it if somebody has ended the roll-out meanwhile."""
        found = self.models.roll_out()
        if found is None or found.n != changed.n:
            self.switch.back(changed.stable)
            raise Unavailable("the roll-out was ended meanwhile: all calls go to the version before it")

    def stage(self, model: Model | RollOut, name: Stage, status: StageStatus, why: str) -> None:
        """In the registry; the shipped model is in none."""
        if model.package_arn != SHIPPED:
            stage(model.package_arn, name, status, why)

    def tell(self, event: ModelPromoted | ModelRolledBack) -> None:
        """On the bus. Raises Unavailable."""
        if publish_events(self.setting.bus_name, [event], f"cuatro.{self.setting.pipeline}"):
            raise Unavailable("the bus did not take the event")
