"""Alerts on simulated brands: a crisis is found, once; noise, the hours of the day and late posts raise nothing."""

import math
import random
from collections.abc import Callable, Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.sentiment.alerts import HISTORY, Alert, Judged, State
from functions.sentiment.statistic import DAY_MIN, Kind
from tests.unit.written_posts import POLICY, START, Counts, crisis, look, written


def steady(_minute: int) -> float:
    return 1.0


def day_and_night(minute: int) -> float:
    return 4.0 * (1 + 0.95 * math.sin(2 * math.pi * minute / DAY_MIN))


def office_hours(minute: int) -> float:
    return 6.0 if 540 <= minute % DAY_MIN < 1_080 else 0.05


def follow(minutes: dict[int, Counts], first: int, last: int, step: int = 5) -> Iterator[tuple[int, Judged]]:
    state = State()
    for now in range(first, last, step):
        found = look(state, minutes, now)
        state = found.state
        yield now, found


def bursts(minutes: int, seed: int) -> Callable[[int], float]:
    """Ten posts a minute, times exp of a noise that is half forgotten in 20 minutes (AR(1), deviation 0.5)."""
    chance, kept, level, levels = random.Random(seed), 0.5 ** (1 / 20), 0.0, []
    for _ in range(minutes):
        level = kept * level + math.sqrt(1 - kept * kept) * chance.gauss(0, 0.5)
        levels.append(10 * math.exp(level))
    return levels.__getitem__


@pytest.mark.parametrize("rate", [steady, day_and_night, office_hours, bursts(3 * DAY_MIN, seed=4)])
def test_two_usual_days_raise_nothing(rate: Callable[[int], float]) -> None:
    """From the second day on, so that one day is known."""
    minutes = written(3 * DAY_MIN, rate, seed=5)
    raised = [
        alert for _, found in follow(minutes, START + DAY_MIN, START + 3 * DAY_MIN, step=30) for alert in found.raised
    ]
    assert raised == []


@pytest.mark.parametrize("rate", [steady, day_and_night, office_hours])
@pytest.mark.parametrize("offset", [0, 3])
def test_a_crisis_is_found_within_two_windows_and_ends_once(rate: Callable[[int], float], offset: int) -> None:
    begin = START + 2 * DAY_MIN + 600 + offset
    minutes = written(2 * DAY_MIN + 900, rate, seed=6)
    usual = rate(600)
    crisis(minutes, begin, begin + 60, posts=round(8 * usual) + 3, negative=round(6 * usual) + 3)
    raised: dict[Kind, list[int]] = {"spike": [], "shift": []}
    cleared: dict[Kind, list[int]] = {"spike": [], "shift": []}
    for now, found in follow(minutes, begin - 5, begin + 100, step=1):
        for alert in found.raised:
            raised[alert.kind].append(now - begin)
        for alert in found.cleared:
            cleared[alert.kind].append(now - begin)
    for kind in ("spike", "shift"):
        (found_after,), (over_after,) = raised[kind], cleared[kind]
        assert 0 <= found_after <= 2 * POLICY.window_min + 1, kind
        assert 60 < over_after <= 60 + (POLICY.clear_windows + 3) * POLICY.window_min, kind


def test_between_the_thresholds_nothing_changes() -> None:
    """Forty more minutes well above what is usual, and below what would raise an alert: still the same one."""
    begin = START + DAY_MIN + 300
    minutes = written(DAY_MIN + 600, steady, seed=7)
    crisis(minutes, begin, begin + 20)
    for minute in range(begin + 20, begin + 60):
        minutes[minute] = (3, 3, 1)
    found = list(follow(minutes, begin - 5, begin + 110, step=1))
    spikes = [(now - begin, alert.score) for now, each in found for alert in each.raised if alert.kind == "spike"]
    ends = [now - begin for now, each in found for alert in each.cleared if alert.kind == "spike"]
    assert len(spikes) == 1
    assert len(ends) == 1
    assert ends[0] > 60


def test_posts_that_come_late_raise_it_when_they_come() -> None:
    begin = START + DAY_MIN + 300
    quiet = written(DAY_MIN + 600, steady, seed=8)
    late = dict(quiet)
    crisis(late, begin, begin + 10)
    now = begin + 17
    state = look(State(), quiet, now - 1).state
    assert state.alerts == ()
    found = look(state, late, now)
    assert {alert.kind for alert in found.raised} == {"spike", "shift"}
    assert all(alert.started == begin for alert in found.raised)


def test_posts_that_come_after_their_alert_has_ended_raise_no_second_one() -> None:
    begin = (START + DAY_MIN + 300) // 5 * 5
    crisis(minutes := dict(_USUAL), begin, begin + 10)
    *_, (now, found) = follow(minutes, begin, begin + 40, step=1)
    (ended,) = {alert.cleared_min for alert in found.state.alerts}
    assert ended is not None
    crisis(minutes, ended - 10, ended)
    assert look(found.state, minutes, now).raised == ()
    crisis(minutes, ended, ended + 10)
    assert len(look(found.state, minutes, now).raised) == 2


def test_judging_again_changes_nothing() -> None:
    begin = START + DAY_MIN + 300
    minutes = written(DAY_MIN + 600, steady, seed=9)
    crisis(minutes, begin, begin + 30)
    first = look(State(since=START), minutes, begin + 12)
    assert len(first.raised) == 2
    again = look(first.state, minutes, begin + 12)
    assert (again.raised, again.cleared, again.state) == ((), (), first.state)
    assert look(State(since=START), minutes, begin + 12) == first  # the same ids, whoever judges


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 90), min_size=1, max_size=12), st.integers(0, 4))
def test_whenever_it_is_looked_at_one_crisis_is_one_alert_of_a_kind(moments: list[int], offset: int) -> None:
    """Calls may be missing, come twice or at any time: never a second alert, and at the end it is over."""
    begin = START + DAY_MIN + 300 + offset
    crisis(minutes := dict(_USUAL), begin, begin + 40)
    state, kinds = State(), []
    for moment in [*sorted(moments), *range(91, 140, 5)]:
        found = look(state, minutes, begin + moment)
        state = found.state
        kinds += [alert.kind for alert in found.raised]
    assert len(kinds) == len(set(kinds))
    if any(12 <= moment <= 45 for moment in moments):
        assert set(kinds) == {"spike", "shift"}
    assert state.on("spike") is None
    assert state.on("shift") is None


_USUAL = written(DAY_MIN + 600, steady, seed=10)


def test_a_crisis_that_lasts_a_day_is_what_is_usual_then() -> None:
    begin = START + 2 * DAY_MIN
    minutes = written(2 * DAY_MIN, steady, seed=11)
    crisis(minutes, begin, begin + 3 * DAY_MIN)
    seen = list(follow(minutes, begin - 60, begin + DAY_MIN + 300, step=20))
    cleared = [now - begin for now, found in seen for alert in found.cleared if alert.kind == "spike"]
    assert len(cleared) == 1
    assert DAY_MIN <= cleared[0] < DAY_MIN + 120
    assert sum(alert.kind == "spike" for _, found in seen for alert in found.raised) == 1


def test_a_new_brand_needs_an_hour_of_past() -> None:
    minutes = {START + minute: (1, 1, 0) for minute in range(200)}
    crisis(minutes, START + 40, START + 60)
    assert look(State(), minutes, START + 55).raised == ()
    crisis(minutes, START + 150, START + 170)
    assert len(look(State(), minutes, START + 165).raised) == 2


def test_a_quiet_brand_is_known_to_be_quiet() -> None:
    """Nothing in a day and more; `since` says that somebody looked."""
    minutes: dict[int, Counts] = {}
    now = START + 3 * DAY_MIN
    assert look(State(), minutes, now) == Judged(State())
    crisis(minutes, now - 10, now + 1, posts=4, negative=1)
    found = look(State(since=START), minutes, now)
    assert [alert.kind for alert in found.raised] == ["spike"]
    assert look(State(), minutes, now).raised == ()


def test_one_window_alone_is_no_alert_unless_the_policy_says_so() -> None:
    """And where it is, the same window raises no second one after the first has ended."""
    begin = (START + DAY_MIN + 300) // 5 * 5
    crisis(minutes := dict(_USUAL), begin, begin + 5)
    assert [alert for _, found in follow(minutes, begin - 5, begin + 60, 1) for alert in found.raised] == []
    state, kinds = State(), []
    for now in range(begin, begin + 60):
        found = look(state, minutes, now, msgspec.structs.replace(POLICY, raise_windows=1))
        state = found.state
        kinds += [alert.kind for alert in found.raised]
    assert sorted(kinds) == ["shift", "spike"]
    assert all(alert.cleared_s for alert in state.alerts)


def test_few_posts_are_no_reason_however_rare() -> None:
    minutes = {START + 2 * DAY_MIN - 10: (7, 7, 7), START + 2 * DAY_MIN - 3: (7, 7, 7)}
    assert look(State(since=START), minutes, START + 2 * DAY_MIN).raised == ()


def test_many_posts_make_small_changes_certain_but_not_important() -> None:
    """A share of 0.25 that becomes 0.3, and 1.3 times the posts, are far beyond chance at 2,000 posts a window."""
    minutes = {START + minute: (400, 400, 100) for minute in range(DAY_MIN)}
    now = START + DAY_MIN
    crisis(minutes, now - 20, now + 1, posts=520, negative=156)
    assert look(State(), minutes, now).raised == ()
    crisis(minutes, now - 20, now + 1, posts=700, negative=300)
    assert {alert.kind for alert in look(State(), minutes, now).raised} == {"spike", "shift"}


def test_praise_is_no_shift() -> None:
    now = START + DAY_MIN + 300
    crisis(minutes := dict(_USUAL), now - 15, now + 1, posts=10, negative=0)
    assert [alert.kind for alert in look(State(), minutes, now).raised] == ["spike"]


def test_people_are_told_once_in_a_while() -> None:
    first = START + DAY_MIN + 100
    minutes = dict(_USUAL)
    crisis(minutes, first, first + 10)
    crisis(minutes, first + 50, first + 60)
    crisis(minutes, first + 200, first + 210)
    policy = msgspec.structs.replace(POLICY, quiet_min=60)
    state, told = State(), []
    for now in range(first, first + 300, 2):
        found = look(state, minutes, now, policy)
        state = found.state
        told += [(alert.kind, alert.told_s is not None) for alert in found.raised if alert.kind == "spike"]
    assert told == [("spike", True), ("spike", False), ("spike", True)]


def test_only_so_many_alerts_are_remembered() -> None:
    old = tuple(
        Alert(alert_id=str(number), kind="spike", started=START - number * 100, raised_s=0, value=1, baseline=0,
              score=6, window_min=5, cleared_s=1, cleared_min=START - number * 100 + 20)
        for number in range(HISTORY)
    )  # fmt: skip
    begin = START + DAY_MIN + 300
    crisis(minutes := dict(_USUAL), begin, begin + 12)
    state = look(State(since=START, alerts=old), minutes, begin + 12).state
    assert len(state.alerts) == HISTORY
    assert {alert.cleared_s for alert in state.alerts[:2]} == {None}
