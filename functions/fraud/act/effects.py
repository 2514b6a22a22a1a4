"""Decisions from the outbox -> events, blocks, stream, alerts, lake, last the decision's item: all done, or done again.

The item marks a decision as acted upon, so it is written when everything else has happened. What a failure makes us
repeat carries the same transaction_id, by which receivers can tell.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.partiql import insertion
from cuatro.adapters.publishing import publish_alerts, publish_events, put_lines, put_records
from cuatro.errors import Refused, Unavailable
from cuatro.events import CardBlocked
from functions.fraud import lake
from functions.fraud.act import messages
from functions.fraud.act.settings import Settings
from functions.fraud.cards import BY_NOBODY_ELSE, block
from functions.fraud.decide import CARD_BLOCKED
from functions.fraud.outbox import DecidedTransaction
from functions.fraud.reasons import reasons_of
from functions.fraud.scoring import Scoring


@dataclass
class Acted:
    """inserted: acted upon now. failed: transaction id -> why; to be done again. Others were acted upon before.

    unknown: versions of models that made decisions, are not at hand, and so did not explain them.
    """

    inserted: list[DecidedTransaction] = field(default_factory=list)
    alerts: int = 0
    blocked: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)


def act(
    decisions: Sequence[DecidedTransaction],
    setting: Settings,
    dynamo: Dynamo,
    models: Callable[[], Sequence[Scoring]],
    block_on_decline: bool,
) -> Acted:
    """Everything that follows from decisions, once in effect. Models (the live one first) only if there are alerts.

    Raises Unavailable when it cannot be told which decisions were acted upon.
    """
    acted = Acted()
    fresh = _fresh(decisions, setting, dynamo, acted)
    alerts = [each for each in fresh if each.outcome != "approve"]
    reasons: dict[str, list[str]] = {each.transaction_id: [] for each in fresh}
    if alerts:
        explainers = models()
        acted.unknown = {each.model_version for each in alerts} - {model.version for model in explainers}
        reasons |= zip([each.transaction_id for each in alerts], reasons_of(alerts, explainers), strict=True)
    events = [messages.event(each, reasons[each.transaction_id]) for each in fresh]
    fresh = _without(fresh, publish_events(setting.bus_name, events), "the bus did not take the event", acted)
    if block_on_decline:
        fresh = _block(fresh, setting, dynamo, acted)
    by_api = [each for each in fresh if each.channel == "api"]
    left = put_records(setting.stream_name, [messages.record(each) for each in by_api])
    fresh = _without(fresh, _places(fresh, by_api, left), "the stream did not take the transaction", acted)
    alerts = [each for each in fresh if each.outcome != "approve"]
    left = publish_alerts(
        setting.alerts_topic_arn, [messages.alert(each, reasons[each.transaction_id]) for each in alerts]
    )
    acted.alerts = len(alerts) - len(left)
    fresh = _without(fresh, _places(fresh, alerts, left), "the alert could not be published", acted)
    lines = [lake.encode(messages.line(each)) for each in fresh]
    fresh = _without(fresh, put_lines(setting.decisions_delivery, lines), "the lake did not take the decision", acted)
    _insert(fresh, reasons, setting, dynamo, acted)
    return acted


def _fresh(
    decisions: Sequence[DecidedTransaction], setting: Settings, dynamo: Dynamo, acted: Acted
) -> list[DecidedTransaction]:
    by_id = {each.transaction_id: each for each in reversed(decisions)}  # the first one of an id counts
    table = setting.decisions_table
    found, unread = dynamo.read({table: Keys("transaction_id", by_id, ("transaction_id",))})[table]
    acted.failed.update(dict.fromkeys(unread, "the decision could not be read"))
    return [each for each in reversed(by_id.values()) if each.transaction_id not in found.keys() | unread]


def _block(
    decisions: list[DecidedTransaction], setting: Settings, dynamo: Dynamo, acted: Acted
) -> list[DecidedTransaction]:
    blocked: list[DecidedTransaction] = []
    events: list[CardBlocked] = []
    failed: set[int] = set()
    for place, each in enumerate(decisions):
        if each.outcome != "decline" or CARD_BLOCKED in each.rules:
            continue
        reason = f"declined {each.transaction_id}"
        try:
            block(dynamo, setting.cards_table, each.card_id, reason, BY_NOBODY_ELSE)
        except Unavailable:
            failed.add(place)
        except Refused as refused:
            if refused.code != "ConditionalCheckFailedException":  # somebody has blocked it already
                raise
        else:
            blocked.append(each)
            events.append(CardBlocked(card_id=each.card_id, reason=reason, correlation_id=each.correlation_id))
    failed |= _places(decisions, blocked, publish_events(setting.bus_name, events))
    acted.blocked = len(blocked)
    return _without(decisions, failed, "the card could not be blocked", acted)


def _insert(
    decisions: list[DecidedTransaction], reasons: dict[str, list[str]], setting: Settings, dynamo: Dynamo, acted: Acted
) -> None:
    table = setting.decisions_table
    statements = [insertion(table, messages.item(each, reasons[each.transaction_id])) for each in decisions]
    for each, written in zip(decisions, dynamo.write(statements), strict=True):
        if written.status == "failed":
            acted.failed[each.transaction_id] = written.code
        elif written.status == "done":
            acted.inserted.append(each)


def _without(
    decisions: list[DecidedTransaction], places: Iterable[int], why: str, acted: Acted
) -> list[DecidedTransaction]:
    failed = set(places)
    acted.failed.update({decisions[place].transaction_id: why for place in failed})
    return [each for place, each in enumerate(decisions) if place not in failed]


def _places(decisions: list[DecidedTransaction], some: list[DecidedTransaction], failed: Iterable[int]) -> set[int]:
    """Positions in `some` -> positions in `decisions`."""
    ids = {some[place].transaction_id for place in failed}
    return {place for place, each in enumerate(decisions) if each.transaction_id in ids}
