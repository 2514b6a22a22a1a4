"""Posts with both models' classes -> how far they agree, and whether the challenger sees quite another mix of classes.

Nothing tells here which of the two is right: that was the gate's question, on posts that people had labelled. Here it
is whether the challenger answers at all, and much the same on what is written now.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from cuatro.events import ZonedTime
from cuatro.posts import LABELS
from functions.lifecycle.rollout.compare import Judgement, Trial, Verdict, paired, too_few
from functions.lifecycle.rollout.plan import PostsPlan

UNREAD = ":unsupported"
"""Ends the backend's name where there was nothing to classify: neither model was asked."""
Matrix = dict[str, dict[str, int]]


class _Shadow(msgspec.Struct, frozen=True, gc=False):
    version: str
    label: str
    unsure: bool = False


class Classified(msgspec.Struct, frozen=True, gc=False):
    """What the comparison needs of a post in the lake."""

    brand: str
    network: str
    id: str
    classified_at: ZonedTime
    model_version: str
    label: str
    language: str = "und"
    backend: str = ""
    unsure: bool = False
    repost: bool = False
    shadow: _Shadow | None = None

    @property
    def key(self) -> str:
        return f"{self.brand}#{self.network}#{self.id}"

    @property
    def at(self) -> ZonedTime:
        return self.classified_at

    @property
    def beside(self) -> str:
        return self.shadow.version if self.shadow else ""


decode = msgspec.json.Decoder(Classified).decode


def judged(rows: Iterable[Classified], trial: Trial, plan: PostsPlan) -> Judgement:
    """The shadow phase's verdict. A repost is the same text again, and what another backend classified says nothing of
    the champion: neither counts."""
    ours = (row for row in rows if row.model_version == trial.champion and not _apart(row))
    pairs = paired(ours, trial)
    figures = _figures(pairs.found, pairs.missing)
    verdict, reason = too_few(pairs, "posts", trial, plan) or _compared(figures, plan)
    return Judgement(verdict, reason, figures)


def _apart(row: Classified) -> bool:
    return row.repost or row.backend.endswith(UNREAD)


def _compared(figures: dict[str, Any], plan: PostsPlan) -> tuple[Verdict, str]:
    rows, agreement, unsure = figures["rows"], figures["agreement"], figures["unsure"]
    if agreement < plan.min_agreement:
        return "bad", (
            f"the challenger puts {agreement:.0%} of {rows} posts into the champion's class: at least "
            f"{plan.min_agreement:.0%} are wanted"
        )
    if unsure["challenger"] - unsure["champion"] > plan.max_unsure_rise:
        return "bad", (
            f"the challenger is unsure of {unsure['challenger']:.0%} of {rows} posts where the champion is of "
            f"{unsure['champion']:.0%}: {plan.max_unsure_rise:.0%} more are allowed"
        )
    label, moved = max(figures["moved"].items(), key=lambda each: abs(each[1]))
    if abs(moved) > plan.max_class_shift:
        return "bad", (
            f"the challenger's share of {label} posts is {moved:+.0%} off the champion's, in {rows} posts: "
            f"{plan.max_class_shift:.0%} are allowed"
        )
    return "good", f"{rows} posts compared: {agreement:.1%} in the same class, {label} {moved:+.1%}"


def _figures(pairs: Sequence[Classified], missing: int) -> dict[str, Any]:
    """agreement, unsure, classes, moved: shares of the posts. confusion: champion -> challenger -> number."""
    both = [(row, row.shadow) for row in pairs if row.shadow]
    number = max(len(both), 1)
    matrix: Matrix = {ours: dict.fromkeys(LABELS, 0) for ours in LABELS}
    languages: dict[str, Counter[str]] = {}
    for row, shadow in both:
        column = matrix.setdefault(row.label, {})
        column[shadow.label] = column.get(shadow.label, 0) + 1
        languages.setdefault(row.language, Counter()).update(["posts", *["same"] * (row.label == shadow.label)])
    mix = {
        "champion": Counter(row.label for row, _ in both),
        "challenger": Counter(shadow.label for _, shadow in both),
    }
    return {
        "rows": len(both),
        "missing": missing,
        "agreement": sum(row.label == shadow.label for row, shadow in both) / number,
        "unsure": {
            "champion": sum(row.unsure for row, _ in both) / number,
            "challenger": sum(shadow.unsure for _, shadow in both) / number,
        },
        "classes": {name: {label: counts[label] / number for label in LABELS} for name, counts in mix.items()},
        "moved": {label: (mix["challenger"][label] - mix["champion"][label]) / number for label in LABELS},
        "languages": {
            name: {"posts": counts["posts"], "agreement": counts["same"] / counts["posts"]}
            for name, counts in sorted(languages.items())
        },
        "confusion": matrix,
    }
