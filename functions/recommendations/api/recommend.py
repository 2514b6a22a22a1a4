"""A user and a context -> a new list, stored with what it was made from: items, reasons, chance, the shadow's list."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from time import perf_counter
from typing import Any, NamedTuple
from uuid import uuid4

from aws_lambda_powertools import Logger

from cuatro.adapters.ranker import ranker as ranker_at
from cuatro.errors import ModelMismatch, Refused, Unavailable
from cuatro.ranking import Ranker
from cuatro.times import text_of
from functions.recommendations import lists
from functions.recommendations.api.making import POPULAR, Made, Maker
from functions.recommendations.api.pages import answer
from functions.recommendations.api.queries import Asked, Page
from functions.recommendations.api.sources import Sources, Tables
from functions.recommendations.catalogue import Entry
from functions.recommendations.experiment import Arm, assigned
from functions.recommendations.explore import Tried, explores, sample, tried
from functions.recommendations.lists import Served, ServedItem, ShadowList
from functions.recommendations.person import Person, person
from functions.recommendations.policy import Policy, policies
from functions.recommendations.profile import Profile
from functions.recommendations.rank import Pooled

logger = Logger(child=True)

_BROKEN = (ModelMismatch, Refused, Unavailable, OSError)
_DAY_S = 86_400


class Answered(NamedTuple):
    """body None: the client's own copy is good. tag: of the answer. counts: metrics of this request."""

    body: dict[str, Any] | None
    tag: str
    counts: dict[str, int]
    cache_s: int


@dataclass(frozen=True)
class _Work:
    asked: Asked
    arm: Arm
    policy: Policy
    sources: Sources
    counts: dict[str, int]


def recommend(asked: Asked, known_tags: Sequence[str], tables: Tables, now: float) -> Answered:
    """A new list of at most asked.k items, or nothing where the client has a fresh one. now: unix seconds.

    Answers whatever is away: without the tables what is popular, then without titles and not stored.
    """
    started, setting = perf_counter(), tables.setting
    of = policies(setting.policy)
    arm = assigned(of.whole.experiment, asked.user_id)
    policy = of.of_arm[arm.name]
    work = _Work(asked, arm, policy, Sources(tables, policy, now), {})
    profile, _ = work.sources.begin(asked.user_id, Maker.shelves(asked.context))
    live = _ranker(setting.model_uri, work)
    ranker = None if policy.ranker == "popular" else live
    fingerprint = _fingerprint(asked, profile, ranker, setting.policy)
    if tag := _still_good(known_tags, fingerprint, now, policy):
        return Answered(None, tag, {"NotModified": 1}, policy.list_cache_s)
    whom = person(asked.user_id, profile, policy, asked.context, now)
    maker = Maker(whom, work.sources, min(asked.k * policy.pages, max(asked.k, policy.candidates)), live)
    served, entries = _served(work, maker, ranker, started)
    expires = int(now + policy.list_days * _DAY_S)
    if not _stored(served, expires, work):
        work.sources.degraded.add("list")
    counted = {
        "ListsServed": 1,
        "ListsDegraded": int(bool(work.sources.degraded)),
        "ListsExplored": int(served.explored is not None),
        "ListsCold": int(not whom.taken),
        "ListsEmpty": int(not served.items),
    }
    body = answer(served, Page(served.list_id, 0, asked.k), entries, whom.kinds, work.sources.degraded)
    # A degraded list is not to be kept: the next may be whole.
    tag = "" if work.sources.degraded else f"{served.list_id}.{int(now)}.{fingerprint}"
    return Answered(body, tag, counted | work.counts, policy.list_cache_s)


def _served(work: _Work, maker: Maker, ranker: Ranker | None, started: float) -> tuple[Served, dict[str, Entry | None]]:
    asked, policy = work.asked, work.policy
    try:
        made = maker.made(ranker)
    except _BROKEN as error:
        _failed(work, error)
        made = replace(maker, live=None).made(None)
    list_id = uuid4().hex
    trial = _tried(list_id, made, work, maker.person)
    items = [_item(each) for each in made.items]
    if trial:
        items = [each for each in items if each.item != trial.chosen.item]
        items.insert(
            policy.explore_slot - 1,
            ServedItem(trial.chosen.item, 0.0, None, "new", trial.chosen.propensity),
        )
        del items[maker.size :]
    served = Served(
        list_id=list_id,
        user_id=asked.user_id,
        served_at=text_of(int(work.sources.now * 1000)),
        arm=work.arm.name,
        experiment=policy.experiment.name,
        model_version=made.version,
        context=asked.context,
        items=tuple(items),
        explored=policy.explore_slot if trial else None,
        candidates=trial.candidates if trial else (),
        shadow=_shadow(maker, made, work) if ranker else None,
        latency_ms=round((perf_counter() - started) * 1000, 3),
    )
    return served, made.entries


def _item(each: Pooled) -> ServedItem:
    return ServedItem(each.item, round(float(each.score), 6), each.because, each.source, 1.0, each.among)


def _tried(list_id: str, made: Made, work: _Work, whom: Person) -> Tried | None:
    """A new item for the explored place, where the list is long enough to have one."""
    policy, sources = work.policy, work.sources
    if not explores(list_id, policy.explore_share) or not policy.explore_slot <= min(work.asked.k, len(made.items)):
        return None
    shown = {each.item for each in made.items[: policy.explore_slot - 1]}
    new = [each for each in sources.new() if each.item not in whom.exclude and each.item not in shown]
    some = sample(list_id, new)
    made.entries.update(sources.entries([each.item for each in some]))
    return tried(list_id, [each for each in some if sources.may_be_shown(each.item, made.entries)])


def _shadow(maker: Maker, made: Made, work: _Work) -> ShadowList | None:
    """What the second model would have shown; its failure is told and stops nothing.

    None where neither model has a say. Where only the second has, there is one: the live model may know nothing of this
    shop, and the next would never get a trial.
    """
    uri = work.sources.tables.setting.shadow_model_uri
    if not uri:
        return None
    try:
        ranker = ranker_at(uri)
        other = maker.made(ranker)
        if made.version == other.version == POPULAR:
            return None
        return ShadowList(ranker.version, tuple(each.item for each in other.items[: work.asked.k]))
    except Exception:  # whatever it is: the shadow is never shown, and must stop nothing
        logger.exception("shadow model did not rank")
        work.counts["ShadowFailures"] = 1
        return None


def _ranker(uri: str, work: _Work) -> Ranker | None:
    try:
        return ranker_at(uri)
    except _BROKEN as error:
        _failed(work, error)
        return None


def _failed(work: _Work, error: Exception) -> None:
    logger.error("model did not rank", why=str(error), kind=type(error).__name__)
    work.counts["RankerFailures"] = 1
    work.sources.degraded.add("model")


def _stored(served: Served, expires: int, work: _Work) -> bool:
    if work.sources.away:
        return False
    tables = work.sources.tables
    (written,) = tables.dynamo.write([lists.insert(tables.setting.lists_table, served, expires)])
    # A conflict is with this very write, whose answer was lost: nobody else has the id.
    return written.status != "failed"


def _fingerprint(asked: Asked, profile: Profile | None, ranker: Ranker | None, policy: str) -> str:
    of = (asked.user_id, asked.k, sorted(asked.context.items()), profile.n if profile else 0)
    model = ranker.version if ranker else POPULAR
    return blake2b(repr((of, model, policy)).encode(), digest_size=8).hexdigest()


def _still_good(known_tags: Sequence[str], fingerprint: str, now: float, policy: Policy) -> str | None:
    for tag in known_tags:
        parts = tag.split(".")
        if len(parts) == 3 and parts[2] == fingerprint and parts[1].isdecimal():
            age = now - int(parts[1][:12])
            if -1 <= age < max(policy.list_fresh_s, policy.list_cache_s):
                return tag
    return None
