"""Brands -> alerts that begin and end, each told once: judged, written with what is to be told of it, then told.

A write is conditional on the row's number, so of several that judge a brand at once one writes, and that one tells.
It has CLAIM_S seconds for that; what is not told by then, since it crashed, the next judgement tells: twice at worst.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.partiql import change, insertion
from cuatro.adapters.publishing import publish_alerts, publish_events
from cuatro.errors import Unavailable
from functions.sentiment import aggregates, alerting, alerts
from functions.sentiment.aggregates import bucket, decode, place, starts
from functions.sentiment.alerting import Notice, Row
from functions.sentiment.alerts import Alert, Brand, Example, State, judged
from functions.sentiment.policy import policy as policy_of
from functions.sentiment.statistic import Minutes
from functions.sentiment.tally.effects import SOURCE
from functions.sentiment.watch.settings import Settings

CLAIM_S = 60
EXAMPLES = 5
_ROUNDS = 4
"""Of compare-and-set against other judgements of the same brand."""


@dataclass
class Watched:
    """failed: brand -> why; to be judged again. damaged: rows (of both tables) that nobody can read."""

    raised: list[Alert] = field(default_factory=list)
    cleared: list[Alert] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)


def watch(brands: Collection[str], setting: Settings, dynamo: Dynamo, now_s: int) -> Watched:
    """Raises nothing: what a service did not take is among the failed."""
    watched = Watched()
    for name in brands:
        try:
            _Watch(name, setting, dynamo, now_s, watched).judge()
        except Unavailable as error:
            watched.failed[name] = str(error)
    return watched


class _Watch:
    def __init__(self, name: str, setting: Settings, dynamo: Dynamo, now_s: int, watched: Watched) -> None:
        self.name, self.setting, self.dynamo, self.now_s, self.watched = name, setting, dynamo, now_s, watched
        self.policy = policy_of(setting.policy).alerts

    def judge(self) -> None:
        """Raises Unavailable."""
        for _ in range(_ROUNDS):
            item, row = self._row()
            found = judged(Brand(self.name, row.state, self._minutes(row.state), self.now_s, self.policy))
            raised = [self._with_examples(alert) for alert in found.raised]
            after = _next(row, found.state, raised, found.cleared, self.now_s)
            if after == row:
                return
            if self._written(item, after):
                self.watched.raised += raised
                self.watched.cleared += found.cleared
                if after.claimed_s > row.claimed_s:
                    self._tell(after, number=item["n"] + 1 if item else 1)
                return
        raise Unavailable("too many judge this brand at once")

    def _row(self) -> tuple[Item | None, Row]:
        table = self.setting.alerts_table
        found = self.dynamo.read({table: Keys(alerting.KEY, [self.name])})[table]
        if found.unread:
            raise Unavailable("the brand's alerts could not be read")
        item = found.items.get(self.name)
        try:
            return item, alerting.decode(item["p"] if item else None)
        except ValueError:  # alerts that nobody can read are worth less than those to come
            self.watched.damaged.add(self.name)
            return item, Row()

    def _written(self, item: Item | None, row: Row) -> bool:
        """False: somebody else has been here. Raises Unavailable."""
        table, p = self.setting.alerts_table, alerting.encode(row)
        if item is None:
            statement = insertion(table, {alerting.KEY: self.name, "n": 1, "p": p})
        else:
            statement = change(table, {"n": item["n"] + 1, "p": p}, {alerting.KEY: self.name, "n": item["n"]})
        (written,) = self.dynamo.write([statement])
        if written.status == "failed":
            raise Unavailable(f"the brand's alerts could not be written: {written.code}")
        return written.status == "done"

    def _minutes(self, state: State) -> Minutes:
        """Of the hours that a judgement looks at."""
        now = datetime.fromtimestamp(self.now_s, UTC)
        near = [datetime.fromtimestamp(minute * 60, UTC) for minute in alerts.near_min(self.now_s)]
        since = datetime.fromtimestamp(alerts.since_min(state, self.now_s, self.policy) * 60, UTC)
        hours = [*starts("hour", near[0], near[1]), *starts("hour", since, now)]
        found: dict[int, tuple[int, int, int]] = {}
        for key, row in self._rows([bucket(self.name, "hour", hour) for hour in hours]).items():
            first = int(place(key)[2].timestamp()) // 60
            found |= {first + minute: counts for minute, counts in row.minutes.items()}
        return found

    def _rows(self, keys: Sequence[str]) -> dict[str, aggregates.Aggregate]:
        table = self.setting.aggregates_table
        found = self.dynamo.read({table: Keys(aggregates.KEY, dict.fromkeys(keys), (aggregates.KEY, "p"))})[table]
        if found.unread:
            raise Unavailable("aggregates could not be read")
        rows = {}
        for key, item in found.items.items():
            try:
                rows[key] = decode(item["p"])
            except ValueError:
                self.watched.damaged.add(key)
        return rows

    def _with_examples(self, alert: Alert) -> Alert:
        """The newest posts of the windows that raised it, negative ones first."""
        first = datetime.fromtimestamp(alert.started * 60, UTC)
        minutes = starts("minute", first, datetime.fromtimestamp(self.now_s, UTC))
        rows = self._rows([bucket(self.name, "minute", minute) for minute in minutes])
        samples = [sample for row in rows.values() for sample in row.samples]
        samples.sort(key=lambda each: (each.label != "negative", -each.time_ms, each.post))
        examples = tuple(Example(each.post, each.text, each.url, each.label) for each in samples[:EXAMPLES])
        return msgspec.structs.replace(alert, examples=examples)

    def _tell(self, row: Row, number: int) -> None:
        """All notices of a row that this judgement has claimed, with the write of that number. Raises Unavailable."""
        events = [alerting.event(self.name, notice) for notice in row.notices]
        messages = [message for notice in row.notices if (message := alerting.message(self.name, notice))]
        lost = publish_alerts(self.setting.alert_topic_arn, messages) if messages else set()
        unpublished = publish_events(self.setting.bus_name, events, source=SOURCE)
        if lost or unpublished:
            self._written({"n": number}, msgspec.structs.replace(row, claimed_s=0))  # for whoever comes next
            raise Unavailable("the topic or the bus did not take an alert")
        self._written({"n": number}, msgspec.structs.replace(row, notices=(), claimed_s=0))


def _next(row: Row, state: State, raised: Sequence[Alert], cleared: Sequence[Alert], now_s: int) -> Row:
    """The row after a judgement, claimed if there is something to tell and nobody else is at it."""
    known = {each.alert_id: each for each in raised}
    state = msgspec.structs.replace(state, alerts=tuple(known.get(each.alert_id, each) for each in state.alerts))
    new = [*(Notice("raised", each) for each in raised), *(Notice("cleared", each) for each in cleared)]
    notices = (*row.notices, *new)
    claims = bool(notices) and row.claimed_s <= now_s
    return Row(state=state, notices=notices, claimed_s=now_s + CLAIM_S if claims else row.claimed_s)
