"""An item's id -> its entry in the catalogue, and the items that are like it."""

from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools import Logger

from cuatro.adapters.ranker import ranker as ranker_at
from cuatro.errors import ModelMismatch, Refused, Rejected, Unavailable
from cuatro.interactions import checked_name
from cuatro.ranking import Relating
from functions.recommendations.api.making import POPULAR, likes
from functions.recommendations.api.sources import Sources, Tables
from functions.recommendations.catalogue import Entry
from functions.recommendations.policy import policies
from functions.recommendations.rank import Pooled, joined, personal
from functions.recommendations.shelves import NEW, in_category

logger = Logger(child=True)

_MARGIN = 2
"""So many times the wanted items are ranked: some cannot be shown."""


def show(item_id: str, tables: Tables, now: float) -> dict[str, Any]:
    """Raises Rejected (not_found), Unavailable."""
    name = checked_name(unquote(item_id), "item_id")
    sources = Sources(tables, policies(tables.setting.policy).whole, now)
    entries = sources.entries([name])
    if name not in entries:
        raise Unavailable("the catalogue could not be read")
    found = entries[name]
    if found is None:
        raise Rejected("no such item", "item_id", "not_found")
    return {"item_id": name, **found.shown}


def similar(item_id: str, k: int, tables: Tables, now: float) -> dict[str, Any]:
    """What people take with it, by the model; for what that does not know, and after it, its category's items.

    Raises Rejected (not_found: neither the model nor the catalogue can say anything of it), Unavailable.
    """
    name = checked_name(unquote(item_id), "item_id")
    sources = Sources(tables, policies(tables.setting.policy).whole, now)
    entries = sources.entries([name])
    own = entries.get(name)
    ranked, version = _ranked(name, k, sources)
    if own is None and not ranked:
        if name not in entries:
            raise Unavailable("the catalogue could not be read")
        raise Rejected("no such item", "item_id", "not_found")
    alike: list[Pooled] = []
    if own and own.category and len(ranked) < k:
        sources.begin(None, [NEW, in_category(own.category)])
        alike = [Pooled(item, score, name, "similar") for item, score in likes(own, sources, frozenset([name]))]
    pool = joined(ranked, [], alike)[:k]
    entries |= sources.entries([each.item for each in pool])
    return {
        "item_id": name,
        "model_version": version if ranked else POPULAR,
        "items": [_told(each, entries.get(each.item)) for each in pool],
        "degraded": sorted(sources.degraded),
    }


def _ranked(name: str, k: int, sources: Sources) -> tuple[list[Pooled], str]:
    """The model's, as far as they may be shown and it has a reason: an item of its own."""
    try:
        ranker = ranker_at(sources.tables.setting.model_uri)
        if not isinstance(ranker, Relating) or not ranker.knows(name):
            return [], POPULAR
        meant, _ = personal(ranker.similar(name, _MARGIN * k), reasons=True)
    except (ModelMismatch, Refused, Unavailable, OSError):
        logger.exception("model did not rank")
        sources.degraded.add("model")
        return [], POPULAR
    entries = sources.entries([each.item for each in meant])
    return [each for each in meant if sources.may_be_shown(each.item, entries)][:k], ranker.version


def _told(each: Pooled, found: Entry | None) -> dict[str, Any]:
    return {
        "item_id": each.item,
        **({key: found.shown.get(key) for key in ("title", "category")} if found else {}),
        "score": round(float(each.score), 6),
        "source": each.source,
    }
