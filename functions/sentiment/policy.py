"""POLICY (JSON) -> how posts are classified, counted, kept and alarmed about, checked."""

from functools import cache
from typing import Annotated

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]
Windows = Annotated[int, msgspec.Meta(ge=1, le=100)]
Score = Annotated[float, msgspec.Meta(gt=0, le=1000)]
_BACKENDS = r"^(onnx|comprehend|(sagemaker|blazingtext|huggingface):[A-Za-z0-9-]{1,63})$"
Backend = Annotated[str, msgspec.Meta(pattern=_BACKENDS)]
SecondOpinion = Annotated[str, msgspec.Meta(pattern=r"^(bedrock:[A-Za-z0-9.:/_-]{1,256})?$")]


class Alerts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a brand's people are told (the statistic itself: see alerts).

    window_min: minutes that are compared with as many at a time in the baseline_h hours before them.
    min_posts: a window with fewer is never the reason for an alert.
    raise_at, clear_at: robust standard deviations; between them an alert stays as it is.
    raise_windows, clear_windows: so many windows in a row must say so.
    quiet_min: no second message about the same brand and kind within so many minutes.
    """

    window_min: Annotated[int, msgspec.Meta(ge=1, le=60)] = 5
    baseline_h: Annotated[int, msgspec.Meta(ge=2, le=72)] = 24
    min_posts: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 8
    raise_at: Score = 5.0
    clear_at: Score = 2.0
    raise_windows: Windows = 2
    clear_windows: Windows = 3
    quiet_min: Annotated[int, msgspec.Meta(ge=0, le=10_080)] = 30

    def __post_init__(self) -> None:
        if self.clear_at >= self.raise_at:
            raise ValueError("clear_at must be below raise_at")


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How posts are treated. Days, hours and minutes as the names say.

    backend: who classifies: onnx (the model of the layer), comprehend, or an endpoint of SageMaker: sagemaker:<name>
    (the model's own container), blazingtext:<name>, huggingface:<name> (their containers).
    second_opinion: who is asked about a post that the first was unsure of: nobody (""), or bedrock:<model id>.
    monthly_budget_usd: what second opinions may cost in a calendar month (UTC).
    unsure_below: the highest probability under which a verdict is unsure; 0 takes the model's own.
    repost_window_h: the same words again within so many hours count as a repost. max_age_days: older posts are refused.
    post_days, minute_days, hour_days, day_days: how long rows and aggregates are kept in DynamoDB.
    samples: posts a class that an aggregate shows. terms: most frequent words a class that it counts.
    """

    backend: Backend = "onnx"
    second_opinion: SecondOpinion = ""
    monthly_budget_usd: Annotated[float, msgspec.Meta(ge=0, le=1_000_000)] = 5.0
    unsure_below: Share = 0.0
    repost_window_h: Annotated[int, msgspec.Meta(ge=0, le=720)] = 48
    max_age_days: Days = 30
    post_days: Days = 30
    minute_days: Days = 3
    hour_days: Days = 90
    day_days: Days = 1825
    samples: Annotated[int, msgspec.Meta(ge=0, le=20)] = 3
    terms: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50
    alerts: Alerts = Alerts()

    @classmethod
    def from_json(cls, text: str) -> "Policy":
        """Raises msgspec.ValidationError, which names the field."""
        return msgspec.json.decode(text, type=cls)


@cache
def policy(text: str) -> Policy:
    """Of POLICY, parsed once. Raises msgspec.ValidationError."""
    return Policy.from_json(text)
