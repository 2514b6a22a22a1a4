"""Readings of a study -> where it goes: to a person, to the report, or nowhere; and what the person is asked.

The model decides alone only where every image that was read is normal and the model is sure of it: a finding, a doubt
or an image that it cannot read goes to a reader (human in the loop by default, not by exception).
"""

from collections.abc import Iterable
from typing import Any

from functions.imaging.policy import Policy
from functions.imaging.progress import CHOICES, Choice, Item, Progress, Routing

QUEUE, KIND = "imaging", "chest-radiograph"
REASONS = (
    "model_missed", "model_overcalled", "image_quality", "positioning", "not_intended_use", "several_findings",
    "other",
)  # fmt: skip
"""Why a reader decides otherwise than the model."""
_POSITIVE, _UNSURE, _UNREADABLE = "positive", "unsure", "not_readable"


def routed(items: Iterable[Item]) -> Routing:
    """Urgent is what the model is sure to see; a doubt can wait its turn."""
    read = [each for each in items if each.state == "read"]
    if not read:
        return Routing(route="nothing", why=("nothing_read",))
    why: set[str] = set()
    for each in read:
        if each.finding == "not_readable":
            why |= {_UNREADABLE, *each.why}
            continue
        if each.finding == "pneumonia":
            why.add(_POSITIVE)
        if each.unsure:
            why |= {_UNSURE, *each.why}
    urgent = any(each.finding == "pneumonia" and not each.unsure for each in read)
    return Routing(route="review" if why else "report", priority="urgent" if urgent else "routine", why=_sorted(why))


def suggested(items: Iterable[Item]) -> Choice:
    """The model's reading of the study as a whole: its gravest; not readable when no image is."""
    findings = {each.finding for each in items if each.state == "read"}
    if "pneumonia" in findings:
        return "pneumonia"
    return "normal" if "normal" in findings else "not_readable"


def probability(items: Iterable[Item]) -> float | None:
    """The highest of the images that the model could read; None when there is none."""
    readable = [each for each in items if each.state == "read" and each.finding != "not_readable"]
    return max((each.probability for each in readable if each.probability is not None), default=None)


def asked(progress: Progress, routing: Routing, policy: Policy, bucket: str) -> dict[str, Any]:
    """What the review queue is asked (functions.review takes it). bucket: of the de-identified images.

    A second reader is asked where the policy wants one, or the model sees something and the policy wants two then.
    """
    positive = _POSITIVE in routing.why
    return {
        "queue": QUEUE,
        "kind": KIND,
        "once": progress.correlation,
        "subject": progress.study,
        "priority": routing.priority,
        "suggested": suggested(progress.items),
        "choices": [*CHOICES],
        "reasons": [*REASONS],
        "reads": 2 if positive and policy.double_read else policy.reads,
        "adjudicate": policy.adjudicate,
        "sla_min": policy.sla_min.urgent if routing.priority == "urgent" else policy.sla_min.routine,
        "lease_min": policy.lease_min,
        "review_days": policy.review_days,
        "keep_days": policy.retention_days,
        "attachments": [each for item in progress.read for each in _attachments(progress.study, item, bucket)],
        "payload": {
            "revision": progress.revision,
            "why": [*routing.why],
            "rejected": len(progress.rejected),
            "model_version": model_version(progress.items),
            "readings": [_shown(item) for item in progress.read],
        },
    }


def model_version(items: Iterable[Item]) -> str:
    """Of the model that read them; several with a comma, "" when none did."""
    return ",".join(sorted({each.model_version for each in items if each.state == "read" and each.model_version}))


def _attachments(study: str, item: Item, bucket: str) -> list[dict[str, str]]:
    """The image, and what the model looked at in it."""
    names = ("image",) if item.finding == "not_readable" else ("image", "heatmap")
    return [
        {
            "name": f"{name}-{item.instance}",
            "bucket": bucket,
            "key": f"studies/{study}/{item.instance}/{name}.png",
            "type": "image/png",
        }
        for name in names
    ]


def _shown(item: Item) -> dict[str, Any]:
    shown: dict[str, Any] = {"instance": item.instance, "finding": item.finding}
    if item.probability is not None and item.finding != "not_readable":
        shown["probability"] = round(item.probability, 4)
    if item.why:
        shown["why"] = [*item.why]
    return shown


def _sorted(why: set[str]) -> tuple[str, ...]:
    """The suite's own reasons first."""
    order = (_POSITIVE, _UNSURE, _UNREADABLE)
    return tuple(sorted(why, key=lambda code: (order.index(code) if code in order else len(order), code)))
