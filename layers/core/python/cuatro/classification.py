"""Texts -> verdicts: what every classifier of sentiment keeps to, whoever runs the model, and how a verdict is made."""

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple, Protocol

from cuatro.errors import ModelMismatch
from cuatro.posts import LABELS, Verdict

NEUTRAL = LABELS.index("neutral")
UNSURE_BELOW = 0.5
"""A verdict whose best probability is less is unsure, where neither the policy nor the model says another limit."""
UNSUPPORTED = ":unsupported"
"""Ends the `backend` of a verdict that the backend refused to give: it is neutral, unsure, and knows nothing."""


class Text(NamedTuple):
    """text: cleaned and redacted. language: a primary subtag as `en`, "und" where nobody knows."""

    text: str
    language: str


class Backend(Protocol):
    """A classifier in this process or behind a service. `name` and `version` stand in each verdict it gives."""

    @property
    def name(self) -> str:
        """As the policy calls it, without what it is given: onnx, comprehend, sagemaker, huggingface, blazingtext."""
        ...

    @property
    def version(self) -> str:
        """Of the model that answered last; empty before the first answer of a service that only then tells it."""
        ...

    def classify(self, texts: Sequence[Text]) -> list[Verdict]:
        """A verdict each, in their order; none for none.

        A text that the backend cannot judge (empty, too long for the service, a language that it does not know) gets
        `unsupported`. Raises Unavailable (try again), ModelMismatch or Refused (a wrong model, name or grant).
        """
        ...


class Reviewed(NamedTuple):
    """verdicts: all, in their order. asked: answered by the second opinion; changed: of these, with another label.

    Unsure ones that kept the first verdict are counted: `unpaid`, since the budget was spent; `unanswered`, since the
    service did not answer, or not with a label. spent_usd: by list price, of this call. problem: the last failure, in
    words for the log; empty without one.
    """

    verdicts: list[Verdict]
    asked: int = 0
    changed: int = 0
    unpaid: int = 0
    unanswered: int = 0
    spent_usd: float = 0.0
    problem: str = ""


class Opinion(Protocol):
    """Somebody who is asked about the unsure verdicts only, within a budget."""

    def review(self, texts: Sequence[Text], verdicts: Sequence[Verdict], month: str) -> Reviewed:
        """verdicts: of these texts, in their order. month: as 2026-11 (UTC), whose budget it takes.

        Never raises: who is only asked when in doubt stops nothing, the first verdicts stand.
        """
        ...


def verdict(probabilities: Sequence[float], backend: str, version: str, unsure_below: float) -> Verdict:
    """Of three scores in the order of LABELS, 0 or more and not all 0, made to sum to 1. Unsure: best < unsure_below.

    Between equals the neutral one wins: nobody is alarmed by a coin. Raises ModelMismatch for what is no probability.
    """
    total = sum(probabilities)
    usable = len(probabilities) == len(LABELS) and all(isfinite(each) and each >= 0 for each in probabilities)
    if not usable or not isfinite(total) or total <= 0:
        raise ModelMismatch(f"{backend} {version} gave {list(probabilities)!r}, not the probabilities of three classes")
    negative, neutral, positive = (each / total for each in probabilities)
    best = max(negative, neutral, positive)
    place = NEUTRAL if neutral == best else (negative, neutral, positive).index(best)
    return Verdict(LABELS[place], (negative, neutral, positive), best < unsure_below, backend, version)


def unsupported(backend: str, version: str) -> Verdict:
    """What is known of a text that a backend cannot judge: nothing. Neutral, so that it raises no alarm, and unsure."""
    third = 1 / len(LABELS)
    return Verdict("neutral", (third, third, third), True, f"{backend}{UNSUPPORTED}", version)


def second(first: Verdict, label: str, reliability: float, opinion: str, unsure_below: float) -> Verdict:
    """The first verdict and what somebody else called the text (one of LABELS), as one.

    Two raters who err independently, one that tells probabilities and one that is right with `reliability` (between
    1/3 and 1) and else takes either other class as often: p(class) ~ first's p(class) * p(label | class); Dawid and
    Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm", Applied Statistics 28 (1979).
    """
    wrong = (1 - reliability) / (len(LABELS) - 1)
    told = [
        each * (reliability if name == label else wrong) for name, each in zip(LABELS, first.probabilities, strict=True)
    ]
    name = f"{first.backend.removesuffix(UNSUPPORTED)}+{opinion.partition(':')[0]}"
    return verdict(told, name, f"{first.model_version}+{opinion.partition(':')[2]}", unsure_below)
