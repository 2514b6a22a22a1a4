"""The shadow phase's verdict on a model that classifies posts, from the posts in the lake, which is split by brand."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cuatro.config import settings
from tests.functional.lifecycle.deployment import PLAN, Deployment

POSTS_PLAN = {
    **{name: value for name, value in PLAN.items() if name != "max_alert_ratio"},
    "compares": "scored", "min_agreement": 0.8, "max_unsure_rise": 0.1, "max_class_shift": 0.15,
}  # fmt: skip
LABELS = ("negative", "neutral", "positive")


@pytest.fixture
def shadowed(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    monkeypatch.setenv("PLAN", json.dumps(POSTS_PLAN))
    settings.cache_clear()
    deployment.shadowed()
    yield deployment
    settings.cache_clear()


def scored(number: int, theirs: str | None = "", ours: str = "", **changes: Any) -> dict[str, Any]:
    """A line of the lake; theirs: the class that the challenger v-1 gives, by default the champion's; None: none."""
    ours = ours or LABELS[number % 3]
    unsure = changes.pop("theirs_unsure", False)
    return {
        "version": 1, "network": "web", "id": str(number), "brand": "acme", "text": "x", "language": "en",
        "label": ours, "probabilities": [0.2, 0.5, 0.3], "unsure": False, "backend": "onnx", "model_version": "v-0",
        "classified_at": datetime.now(UTC).isoformat(), "fingerprint": "f", "repost": False, "human_label": None,
        "shadow": None if theirs is None else {"version": "v-1", "label": theirs or ours, "unsure": unsure}, **changes,
    }  # fmt: skip


def deliver(deployment: Deployment, rows: list[dict[str, Any]], back_days: int = 0) -> None:
    """Into the lake, by brand and by the day that they were written on."""
    day = datetime.now(UTC) - timedelta(days=back_days)
    for brand in {row["brand"] for row in rows}:
        lines = [json.dumps(row) for row in rows if row["brand"] == brand]
        key = f"fraud/scored/brand={brand}/dt={day:%Y-%m-%d}/{time.monotonic_ns()}"
        deployment.s3.put_object(Bucket="lake", Key=key, Body="\n".join(lines).encode())


def report(deployment: Deployment) -> dict[str, Any]:
    body = deployment.s3.get_object(Bucket="lake", Key="fraud/reports/shadow/v-1.json")["Body"].read()
    told: dict[str, Any] = json.loads(body)
    return told


def test_figures_are_those_of_the_posts(shadowed: Deployment) -> None:
    rows = [scored(number, language="en" if number < 30 else "es") for number in range(54)]
    rows += [scored(number, "positive", "neutral", language="es", theirs_unsure=True) for number in range(54, 60)]
    deliver(shadowed, [*rows, *rows])
    answer = shadowed.act("compare")
    assert answer["verdict"] == "good", answer["reason"]
    told = report(shadowed)
    assert (told["rows"], told["missing"], told["bad_lines"]) == (60, 0, 0), "a post counts once"
    assert told["agreement"] == pytest.approx(0.9)
    assert told["unsure"] == {"champion": 0.0, "challenger": pytest.approx(0.1)}
    assert told["classes"]["champion"] == pytest.approx({"negative": 0.3, "neutral": 0.4, "positive": 0.3})
    assert told["moved"] == pytest.approx({"negative": 0.0, "neutral": -0.1, "positive": 0.1})
    assert told["languages"] == {
        "en": {"posts": 30, "agreement": 1.0}, "es": {"posts": 30, "agreement": pytest.approx(0.8)},
    }  # fmt: skip
    assert told["confusion"]["neutral"] == {"negative": 0, "neutral": 18, "positive": 6}
    assert answer["reason"].startswith("60 posts compared: 90.0% in the same class, ")


def test_every_brand_counts_and_what_was_written_yesterday(shadowed: Deployment) -> None:
    deliver(shadowed, [scored(number, brand="acme") for number in range(25)])
    deliver(shadowed, [scored(number, brand="other") for number in range(10)])
    assert shadowed.act("compare")["reason"].startswith("35 of 40 posts compared")
    deliver(shadowed, [scored(number, brand="acme") for number in range(50, 55)], back_days=1)
    assert shadowed.act("compare")["verdict"] == "good"
    assert report(shadowed)["rows"] == 40


@pytest.mark.parametrize(("same", "verdict"), [(40, "good"), (39, "bad")])
def test_a_challenger_that_disagrees_is_bad(shadowed: Deployment, same: int, verdict: str) -> None:
    other = {"negative": "neutral", "neutral": "positive", "positive": "negative"}
    deliver(shadowed, [scored(number, "" if number < same else other[LABELS[number % 3]]) for number in range(50)])
    answer = shadowed.act("compare")
    assert answer["verdict"] == verdict, answer["reason"]
    assert ("puts 78% of 50 posts into the champion's class: at least 80%" in answer["reason"]) == (verdict == "bad")


@pytest.mark.parametrize(("unsure", "verdict"), [(5, "good"), (6, "bad")])
def test_a_challenger_that_is_unsure_of_much_is_bad(shadowed: Deployment, unsure: int, verdict: str) -> None:
    deliver(shadowed, [scored(number, theirs_unsure=number < unsure) for number in range(50)])
    answer = shadowed.act("compare")
    assert answer["verdict"] == verdict, answer["reason"]
    assert ("unsure of 12% of 50 posts where the champion is of 0%" in answer["reason"]) == (verdict == "bad")


@pytest.mark.parametrize(("turned", "verdict"), [(9, "good"), (10, "bad")])
def test_a_challenger_with_another_mix_of_classes_is_bad(shadowed: Deployment, turned: int, verdict: str) -> None:
    """It agrees with the champion often enough, and yet sees everything darker."""
    rows = [scored(number, "negative" if number < turned else "", "positive") for number in range(60)]
    deliver(shadowed, rows)
    answer = shadowed.act("compare")
    assert answer["verdict"] == verdict, answer["reason"]
    assert ("15% are allowed" in answer["reason"]) == (verdict == "bad")


def test_what_says_nothing_of_both_models_does_not_count(shadowed: Deployment) -> None:
    later = (datetime.now(UTC) + timedelta(seconds=6)).isoformat()
    apart = [
        *(scored(number, None, classified_at=later, repost=True) for number in range(100, 140)),
        *(scored(number, None, classified_at=later, backend="onnx:unsupported") for number in range(140, 180)),
        *(scored(number, None, classified_at=later, model_version="somebody else's") for number in range(180, 220)),
        *(scored(number, None, classified_at=later, model_version="v-1") for number in range(220, 260)),
    ]
    deliver(shadowed, [*apart, *(scored(number) for number in range(40))])
    assert shadowed.act("compare")["verdict"] == "good"
    assert (report(shadowed)["rows"], report(shadowed)["missing"]) == (40, 0)


def test_a_challenger_that_classifies_nothing_is_bad(shadowed: Deployment) -> None:
    later = (datetime.now(UTC) + timedelta(seconds=6)).isoformat()
    deliver(shadowed, [scored(number, None, classified_at=later) for number in range(60)])
    answer = shadowed.act("compare")
    assert answer["verdict"] == "bad"
    assert "scored only 0 of 60 posts" in answer["reason"]


def test_damaged_lines_are_counted(shadowed: Deployment) -> None:
    deliver(shadowed, [scored(number) for number in range(45)])
    key = f"fraud/scored/brand=acme/dt={datetime.now(UTC):%Y-%m-%d}/damaged"
    shadowed.s3.put_object(Bucket="lake", Key=key, Body=b'{\n{"id": "x"}')
    assert shadowed.act("compare")["verdict"] == "good"
    assert report(shadowed)["bad_lines"] == 2
