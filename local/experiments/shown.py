"""Lists, feedback and purchases of the lake -> each list of one experiment with what its user did with it, once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from functions.recommendations.lists import FeedbackRecorded, Served
from local.experiments.lake import Lake
from models.recommendations.trials.off_policy import Line

PURCHASE = "purchase"
_SERVED, _FEEDBACK = msgspec.json.Decoder(Served).decode, msgspec.json.Decoder(FeedbackRecorded).decode


@dataclass
class Shown:
    """A list. Times in unix seconds: clicked, bought = of the first click and of the first purchase that name it.

    explored: the item left to chance and all candidates with their probabilities; clicked_there: was it clicked?
    """

    user: str
    arm: str
    at: float
    clicked: float | None = None
    bought: float | None = None
    place: int | None = None
    item: str = ""
    candidates: dict[str, float] = field(default_factory=dict)
    clicked_there: bool = False

    @property
    def line(self) -> Line | None:
        """What the log says of the explored place; None where nothing was left to chance."""
        if self.item not in self.candidates:
            return None
        return Line(self.user, self.item, float(self.clicked_there), self.candidates)


def shown(lake: Lake, experiment: str, since: datetime) -> dict[str, Shown]:
    """By list id. A line that was delivered twice counts once."""
    found: dict[str, Shown] = {}
    for served in lake.lines("lists", since, _SERVED):
        if served.experiment == experiment:
            found.setdefault(served.list_id, of_served(served))
    add_clicks(found, lake.lines("feedback", since, _FEEDBACK))
    _add_purchases(found, lake.rows("interactions", since, ("list_id", "kind", "time")))
    return found


def experiments(lake: Lake, since: datetime) -> dict[str, int]:
    """Names of the experiments whose lists the lake has, with the number of lists."""
    names: dict[str, int] = {}
    for served in lake.lines("lists", since, _SERVED):
        names[served.experiment] = names.get(served.experiment, 0) + 1
    return names


def of_served(served: Served) -> Shown:
    """A list before anything is known of its user's answer."""
    one = Shown(served.user_id, served.arm, datetime.fromisoformat(served.served_at).timestamp())
    if served.explored and served.explored <= len(served.items):
        one.place = served.explored
        one.item = served.items[served.explored - 1].item
        one.candidates = {each.item: each.propensity for each in served.candidates}
    return one


def add_clicks(found: dict[str, Shown], feedback: Iterable[FeedbackRecorded]) -> None:
    """To the lists that are there (by list id); feedback on others is none of ours."""
    for each in feedback:
        one = found.get(each.list_id)
        if one is None or each.kind != "click":
            continue
        at = datetime.fromisoformat(each.time).timestamp()
        one.clicked = at if one.clicked is None else min(at, one.clicked)
        one.clicked_there |= any(item.place == one.place for item in each.items)


def _add_purchases(found: dict[str, Shown], interactions: Iterable[dict[str, Any]]) -> None:
    for each in interactions:
        list_id = each["list_id"]
        one = found.get(list_id) if isinstance(list_id, str) and each["kind"] == PURCHASE else None
        at = _seconds(each["time"]) if one else None
        if one and at is not None:
            one.bought = at if one.bought is None else min(at, one.bought)


def _seconds(time: object) -> float | None:
    """None for what is no time with a zone: the lake has the stream's records as they came, the rejected ones too."""
    try:
        when = time if isinstance(time, datetime) else datetime.fromisoformat(str(time))
    except ValueError:
        return None
    return when.timestamp() if when.tzinfo else None
