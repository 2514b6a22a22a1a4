"""`cuatro experiment`: what the lake holds -> what is printed; twice delivered counts once, too little says so."""

import gzip
import re
from datetime import timedelta

import msgspec
import numpy as np
import pytest

from functions.recommendations.lists import Candidate, ServedItem, line
from local.platform.errors import PlatformError
from tests.unit.experiment_lake import NOW, World, click, fill, mocked, row, served

__all__ = ["mocked"]


def test_a_better_arm_is_called_better_with_its_lift(world: World) -> None:
    lists = fill(world, 1000, {"model": 0.3, "hold-out": 0.2})
    world.purchases([each.list_id for each in lists[:30]])
    shown = world.run("--detect", "0.4")
    name, share, users, count, rate, buyers = row(shown, "model")
    assert (name, share, users, count) == ("model", "50%", "500", "1,500")
    assert rate.startswith(("29.", "30.", "31."))
    assert buyers.startswith("1.00%")  # 30 lists of 10 users, five of each arm
    assert row(shown, "hold-out")[0] == "hold-out (control)"
    assert "Lift over hold-out, 95 % intervals that hold for one look" in shown
    assert "model is better than hold-out: +" in shown
    assert "Assignment as planned" in shown


def test_a_terminal_of_80_characters_is_wide_enough(world: World) -> None:
    lists = fill(world, 1000, {"model": 0.3, "hold-out": 0.2})
    world.purchases([each.list_id for each in lists[:30]])
    wide, narrow = world.run(), world.run(columns=80)
    assert re.search(r"hold-out \(control\) +50% +500 +1,500 +\d+\.\d% \(\d+\.\d\.\.\d+\.\d\) +1\.00% \(0\.", narrow)
    assert narrow.split() == wide.split()
    assert max(map(len, narrow.splitlines()[:9])) <= 80


def test_arms_that_do_not_differ_are_not_called_different(world: World) -> None:
    fill(world, 2500, {"model": 0.5, "hold-out": 0.5}, seed=4)
    assert "model and hold-out: no difference shown" in world.run()


def test_a_look_too_early_decides_nothing(world: World) -> None:
    fill(world, 400, {"model": 0.3, "hold-out": 0.2})
    shown = world.run("--detect", "0.05")
    assert re.search(r"Too early: 400 of the [\d,]+ users that find a lift of 5%", shown)
    assert "better" not in shown


def test_sequential_decides_whenever_it_is_sure_and_waits_for_windows(world: World) -> None:
    yesterday = NOW - timedelta(days=2)
    fill(world, 1000, {"model": 0.4, "hold-out": 0.2}, at=yesterday)
    world.put("lists", [line(served(10**6 + n, f"late-{n}", "model")) for n in range(70)])
    shown = world.run("--sequential", "--planned", "1000")
    assert "intervals that hold at any time" in shown
    assert "model is better than hold-out" in shown
    assert "70 users are left out: their first 24 hours are not over" in shown
    assert row(shown, "model")[2] == "500"


def test_what_happens_after_the_window_does_not_count(world: World) -> None:
    start = NOW - timedelta(days=3)
    lists = [served(user, f"u-{user}", ("model", "hold-out")[user % 2], start) for user in range(400)]
    world.put("lists", [line(each) for each in lists])
    in_time = [click(each, at=start + timedelta(hours=1)) for each in lists[:40]]
    too_late = [click(each, at=start + timedelta(hours=2)) for each in lists[40:]]
    world.put("feedback", [line(each) for each in in_time + too_late])
    assert row(world.run("--window", "1.5"), "model")[4].startswith("10.0%")
    assert row(world.run(), "model")[4].startswith("100.0%")


def test_what_was_delivered_twice_counts_once(world: World) -> None:
    lists = [served(n, f"u-{n // 2}", ("model", "hold-out")[n // 2 % 2]) for n in range(600)]
    clicks = [click(each) for each in lists[::4]]
    world.put("lists", [line(each) for each in lists])
    world.put("feedback", [line(each) for each in clicks])
    once = world.run()
    world.put("lists", [line(each) for each in lists[:100]])
    world.put("feedback", [line(each) for each in clicks[:50]])
    assert row(once, "model")[2:4] == ["150", "300"]
    assert world.run() == once


def test_a_broken_assignment_is_all_that_is_said(world: World) -> None:
    users = [f"u-{n}" for n in range(1000)]
    lists = [served(n, user, "model" if n % 5 else "hold-out") for n, user in enumerate(users)]
    world.put("lists", [line(each) for each in lists])
    shown = world.run()
    assert "The assignment is broken" in shown
    assert "no difference" not in shown


def test_users_seen_in_two_arms_belong_to_none(world: World) -> None:
    fill(world, 300, {"model": 0.3, "hold-out": 0.3})
    world.put("lists", [line(served(10**6, "u-0", "hold-out"))])
    shown = world.run()
    assert "1 users are left out: they were seen in two arms" in shown
    assert row(shown, "model")[2] == "149"


def test_few_users_or_no_clicks_say_nothing(world: World) -> None:
    fill(world, 20, {"model": 1.0, "hold-out": 0.0})
    assert "Too early: model has 10, hold-out has 10 of the 100 users" in world.run()
    fill(world, 500, {"model": 0.0, "hold-out": 0.0}, seed=2)
    shown = world.run("--days", "1")
    assert "find a lift" in shown or "nobody has clicked" in shown


def test_an_arm_that_nobody_has_seen_is_no_error(world: World) -> None:
    world.put("lists", [line(served(n, f"u-{n}", "hold-out")) for n in range(5)])
    shown = world.run()
    assert row(shown, "model")[2] == "0"
    assert "Too early" in shown or "broken" in shown


def test_other_experiments_and_unknown_names_are_told(world: World) -> None:
    world.put("lists", [line(served(n, f"u-{n}", "a", experiment="older")) for n in range(3)])
    with pytest.raises(PlatformError, match=r"no list of an experiment ranking-1, but of: older \(3 lists\)"):
        world.run()
    shown = world.run("older")
    assert "Planned shares are not known" in shown
    assert "One arm only" in shown
    with pytest.raises(PlatformError, match="there is no arm b, only a"):
        world.run("older", "--control", "b")


def test_an_empty_lake_says_what_to_do(world: World) -> None:
    with pytest.raises(PlatformError, match="No list of the last 30 days") as caught:
        world.run()
    assert "RecommendationPolicy.experiment" in caught.value.advice


def test_damaged_lines_and_files_are_counted_and_left_out(world: World) -> None:
    lists = [line(served(n, f"u-{n}", ("model", "hold-out")[n % 2])) for n in range(10)]
    world.put("lists", [*lists, b"{", b"\xff", b'{"version":2}'])
    world.put_body("lists", gzip.compress(b"x" * 1000)[:-20])
    world.put_body("interactions", b"PAR1 is how Parquet begins")
    shown = world.run()
    assert "lines or files of the lake could not be read" in shown
    assert row(shown, "model")[2] == "5"


def test_days_before_the_window_are_not_read(world: World) -> None:
    old = NOW - timedelta(days=40)
    world.put("lists", [line(served(1, "u-old", "model", old))], at=old)
    world.put("lists", [line(served(2, "u-new", "model"))])
    assert row(world.run(), "model")[2] == "1"
    assert row(world.run("--days", "50"), "model")[2] == "2"


def test_json_lines_of_interactions_are_read_too_and_rejected_ones_left_out(world: World) -> None:
    lists = fill(world, 10, {"model": 0.3, "hold-out": 0.3})
    bought = {"list_id": lists[0].list_id, "kind": "purchase", "time": NOW.isoformat()}
    rejected = [
        {**bought, "list_id": lists[6].list_id, "time": "soon"},
        {**bought, "list_id": lists[6].list_id, "time": "2026-11-23T10:00:00"},
        {**bought, "list_id": lists[6].list_id, "time": None},
        {**bought, "list_id": 7},
    ]
    world.put("interactions", [msgspec.json.encode(each) for each in [*rejected, bought]])
    assert row(world.run(), "model")[5].startswith("20.0%")


def test_the_explored_place_tells_what_other_rules_would_have_earned(world: World) -> None:
    chance = np.random.default_rng(9)
    rates = {"new-good": 0.5, "new-poor": 0.05}
    lists, feedback = [], []
    for number in range(3000):
        shown = "new-good" if chance.random() < 0.2 else "new-poor"
        items = [ServedItem(f"i-{place}", 1.0, None, "model") for place in range(1, 6)]
        items[4] = ServedItem(shown, 0.0, None, "new", {"new-good": 0.2, "new-poor": 0.8}[shown])
        one = served(
            number, f"u-{number % 900}", "model", items=tuple(items), explored=5,
            candidates=(Candidate("new-good", 0.2), Candidate("new-poor", 0.8)),
        )  # fmt: skip
        lists.append(one)
        if chance.random() < rates[shown]:
            feedback.append(click(one, 5))
        feedback.append(click(one, 1))  # elsewhere on the list: not the place's reward
    world.put("lists", [line(each) for each in lists])
    world.put("feedback", [line(each) for each in feedback])
    shown = world.run()
    assert "The explored place, 3,000 lists" in shown
    value = {name: float(row(shown, name)[1].partition("%")[0]) for name in ("as it was", "a fair draw", "the best")}
    assert value["as it was"] == pytest.approx(14, abs=2.5)
    assert value["a fair draw"] == pytest.approx(27.5, abs=4)
    assert value["the best"] == pytest.approx(50, abs=6)
