"""What --backends names -> something that classifies, and what a thousand posts cost with it by list price.

A name is one of the policy's, and may go on with a second opinion: onnx+bedrock:amazon.nova-micro-v1:0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cuatro import prices
from cuatro.adapters.backends import COMPREHEND, ONNX, backend
from cuatro.adapters.bedrock import MOST, BedrockOpinion
from cuatro.adapters.sentiment_endpoint import WIRES
from cuatro.classification import Backend, Text
from cuatro.config import Misconfigured
from cuatro.posts import Verdict
from functions.sentiment import features
from local.platform.process import ROOT

MODEL = ROOT / "models" / "sentiment" / "model.onnx"
FUNCTION_MB = 1769
"""Memory with which a Lambda function has one processor."""
BATCH = 100


class Cost(NamedTuple):
    """usd: of a thousand posts. basis: how that comes about, in words."""

    usd: float
    basis: str


class Prices(NamedTuple):
    """budget_usd: of second opinions. instance, posts_an_hour: of endpoints."""

    budget_usd: float = 1.0
    instance: str = "ml.m5.large"
    posts_an_hour: float = 10_000


@dataclass
class Wallet:
    """A purse for one comparison, in millionths of a dollar (as bedrock.Purse says)."""

    left: int

    def take(self, costs: Sequence[int], month: str) -> int:  # noqa: ARG002 - a comparison has no month
        """As Purse says."""
        for count, each in enumerate(costs):
            if each > self.left:
                return count
            self.left -= each
        return len(costs)

    def give_back(self, amount: int, month: str) -> None:  # noqa: ARG002
        """As Purse says."""
        self.left += amount


@dataclass
class Candidate:
    """A backend with or without a second opinion. spent_usd: on opinions so far; unanswered: opinions that failed."""

    name: str
    backend: Backend
    opinion: BedrockOpinion | None = None
    instance: str = ""
    posts_an_hour: float = 0.0
    spent_usd: float = 0.0
    opinions: int = 0
    changed: int = 0
    unanswered: int = 0
    problems: set[str] = field(default_factory=set)

    def classify(self, texts: Sequence[Text]) -> list[Verdict]:
        """A verdict each. Raises what a backend raises."""
        first = self.backend.classify(texts)
        if self.opinion is None:
            return first
        found: list[Verdict] = []
        for start in range(0, len(texts), MOST):  # one review looks at so many at most
            part = self.opinion.review(texts[start : start + MOST], first[start : start + MOST], "")
            found += part.verdicts
            self.spent_usd += part.spent_usd
            self.opinions += part.asked
            self.changed += part.changed
            self.unanswered += part.unanswered + part.unpaid
            self.problems |= {part.problem} - {""}
        return found

    def cost(self, posts: Sequence[Text], seconds_a_post: float, classified: int) -> Cost:
        """Of a thousand posts like these. seconds_a_post: in batches; classified: posts whose opinions were paid."""
        own = self._own(posts, seconds_a_post)
        if self.opinion is None:
            return own
        asked = 1000 * self.spent_usd / max(classified, 1)
        share = self.opinions / max(classified, 1)
        return Cost(own.usd + asked, f"{own.basis}; a second opinion on {share:.0%} by the tokens counted")

    def _own(self, posts: Sequence[Text], seconds_a_post: float) -> Cost:
        kind = self.backend.name
        if kind == ONNX:
            usd = prices.compute(1000 * seconds_a_post, FUNCTION_MB) + 1000 / BATCH * prices.LAMBDA_REQUEST
            return Cost(usd, f"Lambda with {FUNCTION_MB:,} MB at this machine's speed, batches of {BATCH}")
        if kind == COMPREHEND:
            usd = 1000 * sum(prices.comprehend(len(each.text)) for each in posts) / len(posts)
            return Cost(usd, "units of 100 characters, 3 at least a post")
        usd = 1000 * prices.endpoint(self.instance, self.posts_an_hour)
        return Cost(usd, f"{self.instance} around the clock, {self.posts_an_hour:,.0f} posts an hour")


def candidate(name: str, given: Prices, model: Path | None = None) -> Candidate:
    """model: of onnx, by default the one that is shipped.

    Raises Misconfigured for a name that is none, OSError and ModelMismatch for the model's file.
    """
    first, _, opinion = name.partition("+bedrock:")
    if first.partition(":")[0] in WIRES and given.instance not in prices.ENDPOINT_HOUR:
        known = ", ".join(prices.ENDPOINT_HOUR)
        raise Misconfigured(f"no price is known of an endpoint on {given.instance}, only of {known}")
    made = backend(first, str(model or MODEL) if first == ONNX else "", features if first == ONNX else None)
    second = BedrockOpinion(opinion, Wallet(int(given.budget_usd * 1_000_000))) if opinion else None
    return Candidate(name, made, second, given.instance, given.posts_an_hour)


def remote(name: str) -> bool:
    """Does it call a service? Raises Misconfigured for a name of no known form."""
    first, _, opinion = name.partition("+bedrock:")
    if first.partition(":")[0] not in {ONNX, COMPREHEND, *WIRES}:
        raise Misconfigured(f"no backend is called {name!r}")
    return first != ONNX or bool(opinion)


def known() -> list[str]:
    """Forms that a name may have."""
    return [ONNX, COMPREHEND, *(f"{kind}:<endpoint>" for kind in WIRES), "<one of these>+bedrock:<model id>"]
