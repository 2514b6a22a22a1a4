"""Texts -> verdicts of the backend that the policy names, second opinions on the unsure, and the shadow's word."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cuatro.adapters.backends import ONNX, backend, second_opinion
from cuatro.classification import Backend, Opinion, Reviewed, Text
from cuatro.errors import ModelMismatch, Refused, Unavailable
from cuatro.posts import ShadowVerdict, Verdict
from functions.sentiment import features
from functions.sentiment.classify.settings import Settings
from functions.sentiment.policy import Policy


class Judged(NamedTuple):
    """shadows: None where there is none, or it failed. problem: why it did; empty otherwise."""

    verdicts: list[Verdict]
    shadows: list[ShadowVerdict | None]
    reviewed: Reviewed
    problem: str = ""


@dataclass(frozen=True)
class Judge:
    """shadow: gives the version that follows; it may fail without a post being the worse for it."""

    backend: Backend
    opinion: Opinion | None = None
    shadow: Callable[[], Backend] | None = None

    def __call__(self, texts: Sequence[Text], month: str) -> Judged:
        """month: such as 2026-11, whose budget pays. Raises Unavailable when the backend cannot."""
        verdicts = self.backend.classify(texts)
        reviewed = self.opinion.review(texts, verdicts, month) if self.opinion else Reviewed(verdicts)
        shadows: list[ShadowVerdict | None] = [None] * len(texts)
        problem = ""
        if self.shadow and texts:
            try:
                said = self.shadow().classify(texts)
                shadows = [ShadowVerdict(each.model_version, each.label, each.unsure) for each in said]
            except (ModelMismatch, Refused, Unavailable, OSError, RuntimeError, ValueError) as error:
                problem = f"{type(error).__name__}: {error}"
        return Judged(reviewed.verdicts, shadows, reviewed, problem)


def judge(setting: Settings, policy: Policy) -> Judge:
    """Of this process; models are loaded once. Raises Misconfigured, ModelMismatch, OSError."""

    def of(uri: str) -> Backend:
        return backend(policy.backend, uri, features, policy.unsure_below)

    opinion = second_opinion(
        policy.second_opinion, setting.budget_table, policy.monthly_budget_usd, policy.unsure_below
    )
    follows = setting.shadow_model_uri if policy.backend == ONNX else ""
    return Judge(of(setting.model_uri), opinion, (lambda: of(follows)) if follows else None)
