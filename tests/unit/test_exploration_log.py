"""Exploration from end to end: lists try new items, clicks prove them, the log tells what other rules had earned."""

import random
import time

import pytest

from functions.recommendations import lists, shelves
from functions.recommendations.explore import tried
from functions.recommendations.lists import Served, ServedItem
from functions.recommendations.shelves import NewItem, NewItems
from functions.recommendations.tally.effects import Told, explored
from local.experiments.shown import Shown, add_clicks, of_served
from models.recommendations.trials.off_policy import Log, rates, uniform, worth

CLICKED = {"dull": 0.03, "plain": 0.06, "fair": 0.10, "good": 0.25}
NOW = "2026-11-23T10:00:00Z"


def lived(count: int, seed: int) -> tuple[NewItems, dict[str, Shown]]:
    """So many lists, one after the other; the shelf learns from each before the next."""
    chance = random.Random(seed)
    now_ms = int(time.time() * 1000)
    shelf = NewItems(tuple(NewItem(name, now_ms - 1000) for name in CLICKED))
    found: dict[str, Shown] = {}
    for number in range(count):
        list_id = f"{seed}-{number}"
        choice = tried(list_id, shelves.new_items(shelves.encode(shelf), now_ms, 14))
        assert choice
        item = ServedItem(choice.chosen.item, 0.0, None, "new", choice.chosen.propensity)
        served = Served(
            list_id=list_id, user_id=f"u-{number % 500}", served_at=NOW, arm="all", experiment="none",
            model_version="1", context={}, items=(item,), explored=1, candidates=choice.candidates, latency_ms=1.0,
        )  # fmt: skip
        found[list_id] = of_served(served)
        before = lists.Stored(served, [], 1)
        told = [lists.added(before, "impression", [item.item], "e", NOW).recorded]
        if chance.random() < CLICKED[item.item]:
            told.append(lists.added(before, "click", [item.item], "f", NOW).recorded)
        feedback = [each for each in told if each]
        add_clicks(found, feedback)
        answers = explored(Told(served, 2, feedback))
        assert answers
        shelf = shelves.answered(shelf, answers)
    return shelf, found


def test_the_best_item_gets_most_lists_and_the_log_still_tells_what_a_fair_draw_would_have_earned() -> None:
    shelf, found = lived(2000, seed=5)
    shown = {each.item: each.impressions for each in shelf.items}
    clicks = {each.item: each.clicks for each in shelf.items}
    assert sum(shown.values()) == 2000
    assert shown["good"] > 1200
    assert clicks["good"] / shown["good"] == pytest.approx(0.25, abs=0.03)
    lines = [line for each in found.values() if (line := each.line)]
    assert len(lines) == 2000
    log = Log.of(lines)
    fair = worth(log, uniform(log), rates(log)).robust
    truth = sum(CLICKED.values()) / len(CLICKED)
    assert fair.lower < truth < fair.upper
    assert fair.value == pytest.approx(truth, abs=0.02)
    assert log.reward.mean() > truth + 0.05  # what was earned says too much of a fair draw


def test_every_item_keeps_a_chance_however_bad_it_looks() -> None:
    _, found = lived(400, seed=6)
    assert min(min(each.candidates.values()) for each in found.values()) == pytest.approx(0.1 / len(CLICKED))
