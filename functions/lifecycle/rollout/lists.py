"""Lists that were shown, with those that the challenger would have shown -> how they differ, and whether it may go on.

Nobody saw the challenger's lists, so nothing tells whether they are better: that was the gate's question. Here it is
whether it answers everybody, with much the same and not with the same few items for all.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from cuatro.events import ZonedTime
from functions.lifecycle.rollout.compare import Judgement, Trial, Verdict, paired, too_few
from functions.lifecycle.rollout.plan import ListsPlan

TOP = 10
EXPLORED, RANKED = "new", "model"
"""Sources of a place of a list: explored whatever the model says; ranked by the model."""
UNRANKED = "popular"
"""The version of lists that the live model had no say in."""
MIN_COMPARABLE = 20
"""Fewer lists with ranked items say nothing about what both models have in common."""


class _Shown(msgspec.Struct, frozen=True, gc=False):
    item: str
    source: str


class _Shadow(msgspec.Struct, frozen=True, gc=False):
    version: str
    items: list[str]


class Served(msgspec.Struct, frozen=True, gc=False):
    """What the comparison needs of a list in the lake."""

    list_id: str
    served_at: ZonedTime
    model_version: str
    items: list[_Shown]
    shadow: _Shadow | None = None

    @property
    def key(self) -> str:
        return self.list_id

    @property
    def at(self) -> ZonedTime:
        return self.served_at

    @property
    def beside(self) -> str:
        return self.shadow.version if self.shadow else ""

    @property
    def ours(self) -> list[str]:
        """The champion's first items; the explored one is nobody's choice."""
        return [shown.item for shown in self.items if shown.source != EXPLORED][:TOP]

    @property
    def theirs(self) -> list[str]:
        """The challenger's."""
        return self.shadow.items[:TOP] if self.shadow else []


decode = msgspec.json.Decoder(Served).decode


def judged(rows: Iterable[Served], trial: Trial, plan: ListsPlan) -> Judgement:
    """The shadow phase's verdict. Of the lists that the champion did not rank, only those count that the challenger
    would have ranked: not those of a hold-out, nor strangers'."""
    pairs = paired((row for row in rows if row.model_version == trial.champion or _only_theirs(row)), trial)
    figures = _figures(pairs.found, pairs.missing)
    verdict, reason = too_few(pairs, "lists", trial, plan) or _compared(figures, plan)
    return Judgement(verdict, reason, figures)


def _only_theirs(row: Served) -> bool:
    return row.model_version == UNRANKED and row.shadow is not None


def _compared(figures: dict[str, Any], plan: ListsPlan) -> tuple[Verdict, str]:
    rows, empty, different = figures["rows"], figures["empty"]["challenger_only"], figures["different_items"]
    if empty > plan.max_empty * rows:
        return "bad", (
            f"the challenger has nothing for {empty} of {rows} lists that the champion filled: allowed are "
            f"{plan.max_empty:.0%}"
        )
    if different["challenger"] < plan.min_variety * different["champion"]:
        return "bad", (
            f"the challenger would show {different['challenger']} different items where the champion showed "
            f"{different['champion']}, in {rows} lists: at least {plan.min_variety:.0%} of them are wanted"
        )
    overlap = figures["overlap_10"]
    if figures["comparable"] >= MIN_COMPARABLE and overlap["mean"] < plan.min_overlap:
        return "bad", (
            f"the challenger's first {TOP} items have {overlap['mean']:.0%} in common with the champion's, in "
            f"{figures['comparable']} lists: at least {plan.min_overlap:.0%} are wanted"
        )
    return "good", (
        f"{rows} lists compared: {overlap['mean']:.0%} of the first {TOP} items in common, "
        f"{different['challenger']} different items of the challenger, {different['champion']} of the champion"
    )


def _figures(pairs: Sequence[Served], missing: int) -> dict[str, Any]:
    """comparable: lists with something that the champion ranked; overlap_10 and same_first are of these.

    top_ten_share: of the places, those that the ten items shown most often take: how much a model likes the popular.
    """
    comparable = [row for row in pairs if any(shown.source == RANKED for shown in row.items) and row.ours]
    overlaps = sorted(len(set(row.ours) & set(row.theirs)) / len(row.ours) for row in comparable)
    number = len(overlaps)
    shown = {
        "champion": Counter(item for row in pairs for item in row.ours),
        "challenger": Counter(item for row in pairs for item in row.theirs),
    }
    return {
        "rows": len(pairs),
        "missing": missing,
        "comparable": number,
        "overlap_10": {
            "mean": sum(overlaps) / number if number else 0.0,
            "p5": overlaps[number * 5 // 100] if number else 0.0,
        },
        "same_first": sum(row.ours[:1] == row.theirs[:1] for row in comparable) / number if number else 0.0,
        "empty": {
            "champion": sum(not row.ours for row in pairs),
            "challenger": sum(not row.theirs for row in pairs),
            "challenger_only": sum(bool(row.ours) and not row.theirs for row in pairs),
        },
        "different_items": {name: len(counts) for name, counts in shown.items()},
        "top_ten_share": {name: _top_ten(counts) for name, counts in shown.items()},
    }


def _top_ten(counts: Counter[str]) -> float:
    total = counts.total()
    return sum(count for _, count in counts.most_common(TOP)) / total if total else 0.0
