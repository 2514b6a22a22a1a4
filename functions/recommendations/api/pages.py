"""A stored list -> a page of it as the API tells it: titles, reasons, and where the next one begins."""

from collections.abc import Collection, Mapping
from typing import Any

from cuatro.errors import Rejected
from functions.recommendations import lists
from functions.recommendations.api.queries import Asked, Page
from functions.recommendations.api.sources import Sources, Tables
from functions.recommendations.catalogue import Entry
from functions.recommendations.experiment import assigned
from functions.recommendations.explain import why
from functions.recommendations.lists import Served, ServedItem
from functions.recommendations.person import person
from functions.recommendations.policy import policies


def page(asked: Asked, wanted: Page, tables: Tables, now: float) -> dict[str, Any]:
    """A later page of a list that was stored, without what was sold out or bought since: it may be shorter than k.

    Raises Rejected (not_found), Unavailable.
    """
    of = policies(tables.setting.policy)
    sources = Sources(tables, of.of_arm[assigned(of.whole.experiment, asked.user_id).name], now)
    profile, item = sources.begin(asked.user_id, (), wanted.list_id)
    served = lists.served(item) if item else None
    if served is None or served.user_id != asked.user_id:
        raise Rejected("no such list of this user, or it is too old", "page", "not_found")
    part = served.items[wanted.start : wanted.start + wanted.k]
    entries = sources.entries([name for each in part for name in (each.item, each.because) if name])
    whom = person(asked.user_id, profile, sources.policy, served.context, now)
    bought = {each.item for each in profile.purchases} if profile else set()
    gone = {each.item for each in part if each.item in bought or not sources.may_be_shown(each.item, entries)}
    return answer(served, wanted, entries, whom.kinds, sources.degraded, gone)


def answer(  # noqa: PLR0913, PLR0917 - all that a page is made of
    served: Served,
    part: Page,
    entries: Mapping[str, Entry | None],
    kinds: Mapping[str, str],
    degraded: Collection[str],
    gone: Collection[str] = (),
) -> dict[str, Any]:
    """A page as the API tells it. degraded: what was away when it was made; a list that is not stored has no id.

    gone: items of the list that are not shown any more; the others keep their places.
    """
    end = part.start + part.k
    more = end < len(served.items) and "list" not in degraded
    return {
        "list_id": None if "list" in degraded else served.list_id,
        "user_id": served.user_id,
        "model_version": served.model_version,
        "arm": served.arm,
        "items": [_told(each, entries, kinds) for each in served.items[part.start : end] if each.item not in gone],
        "next": Page(served.list_id, end, part.k).token if more else None,
        "degraded": sorted(degraded),
    }


def _told(each: ServedItem, entries: Mapping[str, Entry | None], kinds: Mapping[str, str]) -> dict[str, Any]:
    found = entries.get(each.item)
    reason = entries.get(each.because) if each.because else None
    return {
        "item_id": each.item,
        **({name: found.shown.get(name) for name in ("title", "category")} if found else {}),
        "score": each.score,
        "why": why(each, kinds.get(each.because or ""), reason.title if reason else None),
        "because": each.because,
        "source": each.source,
    }
