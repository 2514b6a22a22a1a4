"""The shadow phase's verdict on a model that makes lists, from the lists in the lake."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cuatro.config import settings
from tests.functional.lifecycle.deployment import PLAN, Deployment

LISTS_PLAN = {
    **{name: value for name, value in PLAN.items() if name != "max_alert_ratio"},
    "compares": "lists", "min_overlap": 0.3, "max_empty": 0.02, "min_variety": 0.5,
}  # fmt: skip
CHAMPION = [f"item-{number}" for number in range(10)]


@pytest.fixture
def shadowed(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    monkeypatch.setenv("PLAN", json.dumps(LISTS_PLAN))
    settings.cache_clear()
    deployment.shadowed()
    yield deployment
    settings.cache_clear()


def served(number: int, theirs: list[str] | None, ours: list[str] = CHAMPION, **changes: Any) -> str:
    """A line of the lake; theirs: what the challenger v-1 would have shown, None without a shadow."""
    told: dict[str, Any] = {
        "version": 1, "list_id": f"l-{number}", "user_id": f"u-{number}",
        "served_at": datetime.now(UTC).isoformat(), "arm": "model", "model_version": "v-0", "latency_ms": 3,
        "items": [{"item": item, "score": 1.0, "because": None, "source": "model", "propensity": 1.0} for item in ours],
        "shadow": None if theirs is None else {"version": "v-1", "items": theirs},
    }  # fmt: skip
    return json.dumps({**told, **changes})


def own(number: int, variety: int = 10) -> list[str]:
    """Ten items, of so many different ones for all lists."""
    return [f"item-{(number * 10 + place) % variety}" for place in range(10)]


def deliver(deployment: Deployment, lines: list[str]) -> None:
    """Into the lake."""
    key = f"fraud/lists/dt={datetime.now(UTC):%Y-%m-%d}/{len(lines)}-{hash(lines[0])}"
    deployment.s3.put_object(Bucket="lake", Key=key, Body="\n".join(lines).encode())


def report(deployment: Deployment) -> dict[str, Any]:
    body = deployment.s3.get_object(Bucket="lake", Key="fraud/reports/shadow/v-1.json")["Body"].read()
    told: dict[str, Any] = json.loads(body)
    return told


def test_figures_are_those_of_the_lists(shadowed: Deployment) -> None:
    half = [*CHAMPION[:5], *(f"other-{number}" for number in range(5))]
    lines = [served(number, CHAMPION if number < 30 else half) for number in range(60)]
    deliver(shadowed, [*lines, *lines])
    answer = shadowed.act("compare")
    assert answer["verdict"] == "good", answer["reason"]
    told = report(shadowed)
    assert (told["rows"], told["comparable"], told["missing"], told["bad_lines"]) == (60, 60, 0, 0)
    assert told["overlap_10"] == {"mean": pytest.approx(0.75), "p5": 0.5}
    assert told["same_first"] == 1.0
    assert told["different_items"] == {"champion": 10, "challenger": 15}
    assert told["top_ten_share"] == {"champion": 1.0, "challenger": pytest.approx(450 / 600)}
    assert (told["champion"], told["challenger"], told["verdict"]) == ("v-0", "v-1", "good")
    assert answer["reason"] == (
        "60 lists compared: 75% of the first 10 items in common, "
        "15 different items of the challenger, 10 of the champion"
    )


def test_items_after_the_tenth_and_explored_ones_do_not_count(shadowed: Deployment) -> None:
    shown = [{"item": item, "source": "model"} for item in CHAMPION]
    shown.insert(4, {"item": "explored", "source": "new"})
    shown += [{"item": f"late-{number}", "source": "model"} for number in range(20)]
    theirs = [*CHAMPION, *(f"theirs-{number}" for number in range(20))]
    deliver(shadowed, [served(number, theirs, items=shown) for number in range(50)])
    assert shadowed.act("compare")["verdict"] == "good"
    assert report(shadowed)["overlap_10"]["mean"] == 1.0
    assert report(shadowed)["different_items"] == {"champion": 10, "challenger": 10}


@pytest.mark.parametrize(("shared", "verdict"), [(3, "good"), (2, "bad")])
def test_a_challenger_with_other_items_than_the_champion_is_bad(
    shadowed: Deployment, shared: int, verdict: str
) -> None:
    theirs = [*CHAMPION[:shared], *(f"other-{number}" for number in range(10 - shared))]
    deliver(shadowed, [served(number, theirs) for number in range(50)])
    answer = shadowed.act("compare")
    assert answer["verdict"] == verdict
    assert ("20% in common with the champion's, in 50 lists: at least 30% are wanted" in answer["reason"]) == (
        verdict == "bad"
    )


@pytest.mark.parametrize(("empty", "verdict"), [(1, "good"), (2, "bad")])
def test_a_challenger_that_leaves_lists_empty_is_bad(shadowed: Deployment, empty: int, verdict: str) -> None:
    deliver(shadowed, [served(number, [] if number < empty else CHAMPION) for number in range(50)])
    answer = shadowed.act("compare")
    assert answer["verdict"] == verdict
    assert ("has nothing for 2 of 50 lists" in answer["reason"]) == (verdict == "bad")


def test_lists_that_both_leave_empty_are_not_the_challenger_s_fault(shadowed: Deployment) -> None:
    empty = [served(number, [], ours=[]) for number in range(25)]
    deliver(shadowed, [*empty, *(served(number, CHAMPION) for number in range(25, 50))])
    assert shadowed.act("compare")["verdict"] == "good"
    assert report(shadowed)["empty"] == {"champion": 25, "challenger": 25, "challenger_only": 0}


@pytest.mark.parametrize(("variety", "verdict"), [(100, "good"), (99, "bad")])
def test_a_challenger_that_shows_everybody_the_same_few_items_is_bad(
    shadowed: Deployment, variety: int, verdict: str
) -> None:
    # Each list has much in common with the champion's: only all of them together tell.
    lines = [served(number, own(number, variety), ours=own(number, 200)) for number in range(60)]
    deliver(shadowed, lines)
    answer = shadowed.act("compare")
    assert answer["verdict"] == verdict, answer["reason"]
    assert ("would show 99 different items where the champion showed 200" in answer["reason"]) == (verdict == "bad")


def test_a_challenger_that_makes_no_lists_is_bad(shadowed: Deployment) -> None:
    later = (datetime.now(UTC) + timedelta(seconds=6)).isoformat()
    deliver(shadowed, [served(number, None, served_at=later) for number in range(60)])
    answer = shadowed.act("compare")
    assert answer["verdict"] == "bad"
    assert "scored only 0 of 60 lists" in answer["reason"]


def test_lists_that_no_model_ranked_count_for_nothing(shadowed: Deployment) -> None:
    popular = [served(number, None, model_version="popular") for number in range(100)]
    theirs = [served(number, CHAMPION, model_version="v-1") for number in range(100, 200)]
    deliver(shadowed, [*popular, *theirs, *(served(number, CHAMPION) for number in range(200, 239))])
    assert shadowed.act("compare")["reason"].startswith("39 of 40 lists compared")
    deliver(shadowed, [served(300, CHAMPION)])
    assert shadowed.act("compare")["verdict"] == "good"
    assert (report(shadowed)["rows"], report(shadowed)["missing"]) == (40, 0)


def test_a_champion_that_knows_none_of_the_items_is_no_measure(shadowed: Deployment) -> None:
    """The model that came with the deployment, in somebody's own shop: the shelves fill its lists."""
    popular = [{"item": item, "source": "popular"} for item in CHAMPION]
    theirs = [f"own-{number}" for number in range(10)]
    deliver(shadowed, [served(number, theirs, items=popular) for number in range(50)])
    assert shadowed.act("compare")["verdict"] == "good"
    assert (report(shadowed)["comparable"], report(shadowed)["rows"]) == (0, 50)


def test_damaged_lines_are_counted(shadowed: Deployment) -> None:
    lines = [served(number, CHAMPION) for number in range(45)]
    deliver(shadowed, [*lines, "{", json.dumps({"list_id": "x"})])
    assert shadowed.act("compare")["verdict"] == "good"
    assert report(shadowed)["bad_lines"] == 2


def test_lists_that_only_the_challenger_would_have_ranked_count(shadowed: Deployment) -> None:
    """The first model that was trained in a shop of which the shipped one knows nothing."""
    shelf = [{"item": item, "source": "popular"} for item in CHAMPION]
    lines = [served(number, own(number, 100), model_version="popular", items=shelf) for number in range(40)]
    deliver(shadowed, [*lines, *(served(number, None, model_version="popular") for number in range(40, 80))])
    answer = shadowed.act("compare")
    assert answer["verdict"] == "good", answer["reason"]
    assert (report(shadowed)["rows"], report(shadowed)["missing"]) == (40, 0)
