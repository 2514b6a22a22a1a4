"""Drift, from what `act` and `learn` put into the lake to metrics and a report."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cuatro.adapters.model import loaded
from cuatro.errors import Rejected
from functions.fraud import lake
from functions.fraud.features import FEATURE_SET, FEATURES
from tests.functional import tiny_model
from tests.functional.suite import Context, Suite, client

Metrics = Callable[[], Counter[str]]
NOW = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0)
AMOUNT = FEATURES.index("amount")
RNG = np.random.default_rng(11)
REFERENCE = {
    "features": {"amount": {"edges": [20.0, 40.0, 60.0, 80.0], "shares": [0.2] * 5}, "gone": {}},
    "scores": {"edges": [0.1, 0.3], "shares": [0.268, 0.45, 0.282]},
    "average_precision": 0.9, "recall": 0.8, "prevalence": 0.05,
}  # fmt: skip


@pytest.fixture
def drift(suite: Suite, environment: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    model = tiny_model.save(tmp_path / "live.onnx", {"amount": 0.03}, -3.0, version="v-1", reference=REFERENCE)
    variables = {
        "MODEL_URI": str(model), "SHADOW_MODEL_URI": "", "LAKE_BUCKET": "lake", "MODELS_TABLE": "models",
        "WINDOW_DAYS": "2", "DELAY_DAYS": "1",
    }  # fmt: skip
    for name, value in variables.items():
        environment.setenv(name, value)
    loaded.cache_clear()
    client("dynamodb").create_table(
        TableName="models", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
    )  # fmt: skip
    from functions.fraud.drift.handler import handler  # noqa: PLC0415 - reads the test's environment

    return lambda **event: handler({"as_of": NOW.isoformat(), **event}, Context())


def decision(number: int, amount: float, hours_ago: float, **changes: Any) -> bytes:
    row = np.zeros(len(FEATURES), "<f4")
    row[AMOUNT] = amount
    when = NOW - timedelta(hours=hours_ago)
    score = float(1 / (1 + np.exp(-(0.03 * amount - 3.0))))
    return lake.encode(
        lake.DecisionRecorded(
            **{
                "transaction_id": f"t-{number}", "card_id": "c", "terminal_id": "s", "merchant_id": None,
                "amount": round(100 * amount), "currency": "EUR", "time": when, "channel": "stream",
                "outcome": "approve", "score": score, "rules": (), "model_version": "v-1", "features": row.tobytes(),
                "feature_set": FEATURE_SET, "decided_at": when, "latency_ms": 1, "correlation_id": "x", **changes,
            }
        )
    )  # fmt: skip


def label(number: int, hours_ago: float = 1.0, fraud: bool = True) -> bytes:
    when = NOW - timedelta(hours=hours_ago)
    return lake.encode(
        lake.LabelRecorded(
            transaction_id=f"t-{number}", fraud=fraud, transaction_time=when - timedelta(hours=30), time=when,
            source="chargeback",
        )
    )  # fmt: skip


def deliver(kind: str, lines: list[bytes], days_ago: int = 0, packed: bool = False) -> None:
    body = b"".join(line + b"\n" for line in lines)
    content = gzip.compress(body) if packed else body
    day = f"{NOW - timedelta(days=days_ago):%Y-%m-%d}"
    client("s3").put_object(Bucket="lake", Key=f"fraud/{kind}/dt={day}/{len(lines)}-{packed}", Body=content)


def amounts(number: int, high: float = 100.0) -> list[float]:
    return RNG.uniform(0, high, number).tolist()


def test_the_same_population_does_not_drift_another_one_does(drift: Callable[..., Any], metrics: Metrics) -> None:
    deliver("decisions", [decision(n, amount, 2) for n, amount in enumerate(amounts(2_000))], packed=True)
    report = drift()
    assert report["feature_psi"].keys() == {"amount"}
    assert report["input_psi_max"] < 0.02
    assert report["score_psi"] < 0.02
    assert (report["rows"], report["model_version"], report["bad_lines"]) == (2_000, "v-1", 0)
    assert metrics()["InputPsiMax"] == pytest.approx(report["input_psi_max"])

    deliver("decisions", [decision(n, amount, 1) for n, amount in enumerate(amounts(3_000, 40), 5_000)])
    later = drift()
    assert later["input_psi_max"] > 0.25
    assert metrics()["ScorePsi"] == pytest.approx(later["score_psi"])
    assert later["score_psi"] > 0.25


def test_the_window_ends_where_it_was_asked_to_and_counts_each_decision_once(drift: Callable[..., Any]) -> None:
    lines = [decision(n, amount, 2) for n, amount in enumerate(amounts(400))]
    old = [decision(n, 1.0, 24 * 6) for n in range(1_000, 1_500)]
    deliver("decisions", [*lines, *lines])
    deliver("decisions", old, 6)
    assert drift()["rows"] == 400
    before = (NOW - timedelta(days=5.5)).isoformat()
    assert drift(as_of=before)["rows"] == 500
    replayed = [decision(n, 1.0, 24 * 6, decided_at=NOW) for n in range(2_000, 2_100)]
    deliver("decisions", replayed)
    assert drift(as_of=before)["rows"] == 600, "a replayed history counts by its own time"
    with pytest.raises(Rejected, match="RFC 3339"):
        drift(as_of="yesterday")


def test_performance_falls_when_frauds_no_longer_score_high(drift: Callable[..., Any], metrics: Metrics) -> None:
    genuine = [decision(n, amount, 30) for n, amount in enumerate(amounts(1_000))]
    deliver("decisions", [*genuine, *(decision(n, 190.0, 30) for n in range(5_000, 5_050))], 1)
    deliver("labels", [label(n) for n in range(5_000, 5_050)])
    report = drift()
    assert report["performance"]["frauds"] == report["frauds"] == 50
    assert report["performance_ratio"] == pytest.approx(1 / 0.9)
    assert metrics()["NewFraudLabels"] == 50
    deliver("decisions", [decision(n, 5.0, 30) for n in range(6_000, 6_200)], 1)
    deliver("labels", [label(n) for n in range(6_000, 6_200)])
    assert drift()["performance_ratio"] < 0.5
    assert metrics()["PerformanceRatio"] < 0.5


def test_silence_about_a_declined_payment_is_no_label(drift: Callable[..., Any]) -> None:
    """It did not take place, so nobody complains: counted as genuine, each good decline would look like a mistake."""
    approved = [decision(n, amount, 30) for n, amount in enumerate(amounts(1_000))]
    silent = [decision(n, 190.0, 30, outcome="decline") for n in range(5_000, 5_200)]
    told = [decision(n, 190.0, 30, outcome="decline") for n in range(6_000, 6_050)]
    deliver("decisions", [*approved, *silent, *told], 1)
    deliver("labels", [*(label(n) for n in range(6_000, 6_040)), *(label(n, fraud=False) for n in range(6_040, 6_050))])
    report = drift()
    assert report["matured"] == {"genuine": 1_010, "frauds": 40}
    assert report["performance_ratio"] > 0.8


def test_what_other_versions_decided_and_what_is_not_known_yet_says_nothing(
    drift: Callable[..., Any], metrics: Metrics
) -> None:
    deliver("decisions", [decision(n, 50.0, 30, model_version="v-0") for n in range(100)], 1)
    deliver("labels", [label(n) for n in range(100)])
    corrected = [label(n, 0.5, fraud=False) for n in range(10)]
    future = [label(n, -1) for n in range(100, 120)]
    deliver("labels", [*corrected, *future, label(200, 48)], 1)
    client("dynamodb").put_item(
        TableName="models", Item={"name": {"S": "live"}, "since": {"S": (NOW - timedelta(days=1)).isoformat()}}
    )
    report = drift()
    assert "performance" not in report
    assert report["matured"] == {"genuine": 0, "frauds": 0}
    assert report["new_fraud_labels"] == metrics()["NewFraudLabels"] == 90


def test_with_few_rows_no_figure_is_made_up(drift: Callable[..., Any], metrics: Metrics) -> None:
    deliver("decisions", [decision(n, 1.0, 1) for n in range(50)])
    report = drift()
    assert report.keys().isdisjoint({"input_psi_max", "score_psi", "performance_ratio"})
    assert metrics() == {"NewFraudLabels": 0}


def test_bad_lines_are_counted_and_named_and_stop_nothing(drift: Callable[..., Any]) -> None:
    good = [decision(n, amount, 2) for n, amount in enumerate(amounts(400))]
    other = decision(900, 1.0, 2, feature_set="000000000000")
    deliver("decisions", [b"{", b"\xff", *good, other, decision(901, 1.0, 2, features=b"\0\0")])
    client("s3").put_object(
        Bucket="lake", Key=f"fraud/decisions/dt={NOW:%Y-%m-%d}/cut", Body=gzip.compress(good[0])[:-20]
    )
    report = drift()
    assert (report["rows"], report["bad_lines"], report["other_features"]) == (400, 3, 2)
    assert any("cut is damaged" in each for each in report["bad_line_examples"])


def test_the_report_is_kept(drift: Callable[..., Any], suite: Suite) -> None:
    report = drift()
    bucket, _, key = report["report"].removeprefix("s3://").partition("/")
    assert key == f"fraud/reports/drift/{NOW:%Y-%m-%d}T100000Z.json"
    kept = json.loads(suite.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert kept == {name: value for name, value in report.items() if name != "report"}
