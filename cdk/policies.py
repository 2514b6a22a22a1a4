"""What each pipeline decides by: thresholds, rules, shares; the functions get them as JSON in POLICY."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


class Policy:
    """A frozen dataclass of values that JSON knows."""

    def as_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))  # type: ignore[call-overload]


@dataclass(frozen=True)
class FraudPolicy(Policy):
    """Thresholds and rules of the fraud decision.

    Scores are probabilities (0 takes the threshold stored in the model). Amounts are minor units of `base_currency`;
    `rates` converts one minor unit of a currency to minor units of `base_currency`, so a yen (which has no decimals) is
    worth 0.61 cents. The rates are indicative: replace them.
    """

    review_at: float = 0.0
    decline_at: float = 0.0
    hard_limit: int = 1_000_000
    max_1h_count: int = 20
    base_currency: str = "EUR"
    block_on_decline: bool = False
    rates: Mapping[str, float] = field(
        default_factory=lambda: {
            "EUR": 1.0, "USD": 0.92, "GBP": 1.17, "CHF": 1.05, "SEK": 0.087, "NOK": 0.086, "DKK": 0.134, "PLN": 0.23,
            "CZK": 0.04, "HUF": 0.0025, "RON": 0.2, "CAD": 0.67, "AUD": 0.61, "JPY": 0.61, "CNY": 0.13, "INR": 0.011,
            "BRL": 0.17, "MXN": 0.05, "ZAR": 0.05, "TRY": 0.024,
        }
    )  # fmt: skip


@dataclass(frozen=True)
class Arm:
    """`share` of all users; `changes` of fields of the policy, for them."""

    name: str
    share: float
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """Another name deals all users anew."""

    name: str
    arms: tuple[Arm, ...]


@dataclass(frozen=True)
class RecommendationPolicy(Policy):
    """How lists are made; what the fields mean is said in functions.recommendations.policy.Policy, which takes them.

    A tenth of the users get what is popular, so that `cuatro experiment` can always say what the model is worth.
    """

    def __str__(self) -> str:
        return f"catalogue read every {self.catalogue_cache_s} s, shelves every {self.shelf_cache_s} s"

    ranker: str = "model"
    diversity: float = 0.1
    popularity_guard: float = 0.0
    explore_share: float = 0.1
    explore_slot: int = 5
    exclude_days: float = 30
    contexts: tuple[str, ...] = ("country", "device", "page")
    half_life_days: float = 7
    new_days: float = 14
    disliked_below: float = 2.5
    missing: str = "show"
    candidates: int = 100
    pages: int = 3
    prior_mass: float = 200
    list_days: float = 14
    profile_days: float = 400
    list_cache_s: int = 0
    list_fresh_s: int = 60
    similar_cache_s: int = 300
    catalogue_cache_s: int = 30
    shelf_cache_s: int = 10
    experiment: Experiment = Experiment("ranking-1", (Arm("model", 0.9), Arm("popular", 0.1, {"ranker": "popular"})))


@dataclass(frozen=True)
class AlertPolicy:
    """When a brand's people are told; the fields are those of functions.sentiment.policy.Alerts."""

    window_min: int = 5
    baseline_h: int = 24
    min_posts: int = 8
    raise_at: float = 5.0
    clear_at: float = 2.0
    raise_windows: int = 2
    clear_windows: int = 3
    quiet_min: int = 30


@dataclass(frozen=True)
class SentimentPolicy(Policy):
    """Who classifies, and how posts are counted, kept and alarmed about: functions.sentiment.policy.Policy takes it."""

    def __str__(self) -> str:
        return f"{self.backend}; alerts by windows of {self.alerts.window_min} min"

    backend: str = "onnx"
    second_opinion: str = ""
    monthly_budget_usd: float = 5.0
    unsure_below: float = 0.0
    repost_window_h: int = 48
    max_age_days: int = 30
    post_days: int = 30
    minute_days: int = 3
    hour_days: int = 90
    day_days: int = 1825
    samples: int = 3
    terms: int = 50
    alerts: AlertPolicy = AlertPolicy()


@dataclass(frozen=True)
class Deadlines:
    """Minutes until a task of the review queue is overdue, by its priority."""

    routine: int = 1440
    urgent: int = 60


@dataclass(frozen=True)
class ImagingPolicy(Policy):
    """What studies are taken, how they are read, reviewed and kept: functions.imaging.policy.Policy takes it."""

    def __str__(self) -> str:
        return f"a study is read after {self.quiet_s} s without another image"

    quiet_s: int = 60
    max_instances: int = 200
    max_object_mb: int = 200
    max_pixels: int = 64_000_000
    max_frames: int = 1
    reads: int = 1
    double_read: bool = False
    adjudicate: bool = True
    review_days: int = 30
    sla_min: Deadlines = Deadlines()
    lease_min: int = 15
    min_age: int = 0
    max_age: int = 18
    retention_days: int = 3650
    mask_text: bool = True
    push_results: bool = True
