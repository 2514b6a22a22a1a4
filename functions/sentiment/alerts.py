"""A brand's minutes and what is known of its alerts -> alerts that begin and end, and what is known then.

Nothing is counted from call to call: each judgement looks at the last windows as they are now, so posts that come late,
twice or in another order end in the same alerts. An alert begins when `raise_windows` windows in a row are at
`raise_at` or above, the one that is not over yet being as good as any, and ends when `clear_windows` that are over,
and had a window's time for late posts, are below `clear_at`. Between the two nothing changes.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Literal, NamedTuple

import msgspec

from functions.sentiment.policy import Alerts
from functions.sentiment.statistic import (
    DAY_MIN,
    KINDS,
    NEAR_MIN,
    Kind,
    Minutes,
    Past,
    Reading,
    Window,
    grouped,
    read,
    windows,
)

HISTORY = 50
"""Alerts of a brand that are remembered."""


class Example(msgspec.Struct, frozen=True, array_like=True):
    """A post of an alert."""

    post: str
    text: str
    url: str | None
    label: Literal["negative", "neutral", "positive"]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """started: unix minute of the first window that was too much. raised_s, cleared_s: unix seconds of being seen.

    value, baseline, score: of the worst of the windows that raised it. told_s: when people were told; None: not.
    cleared_min: end of the windows that ended it; what was before them raises nothing any more.
    """

    alert_id: str
    kind: Kind
    started: int
    raised_s: int
    value: float
    baseline: float
    score: float
    window_min: int
    examples: tuple[Example, ...] = ()
    told_s: int | None = None
    cleared_s: int | None = None
    cleared_min: int | None = None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """since: unix minute of the first post that was ever seen. alerts: newest first; those without cleared_s are on."""

    since: int | None = None
    alerts: tuple[Alert, ...] = ()

    def on(self, kind: Kind) -> Alert | None:
        """The alert of a kind that has not ended."""
        return next((each for each in self.alerts if each.kind == kind and each.cleared_s is None), None)


class Judged(NamedTuple):
    """state: after. raised, cleared: what changed, to be told."""

    state: State
    raised: tuple[Alert, ...] = ()
    cleared: tuple[Alert, ...] = ()


class Brand(NamedTuple):
    """What a judgement is made of. minutes: all from since_min() on, and of near_min(). now_s: unix seconds."""

    name: str
    state: State
    minutes: Minutes
    now_s: int
    policy: Alerts

    @property
    def width(self) -> int:
        return self.policy.window_min

    @property
    def current(self) -> int:
        """Unix minute in which the window begins that is not over yet."""
        return self.now_s // 60 // self.width * self.width

    @property
    def first(self) -> int:
        """The first window that is judged: so many as end an alert, and find one late."""
        return self.current - (_looked_back(self.policy) - 1) * self.width


def since_min(state: State, now_s: int, policy: Alerts) -> int:
    """Unix minute from which on a brand's minutes are wanted: a baseline, and as much again before an alert that is on.

    Never less than what is around the same time of the day before.
    """
    baselines = 2 if any(state.on(kind) for kind in KINDS) else 1
    least = max(baselines * policy.baseline_h * 60, DAY_MIN + NEAR_MIN)
    return now_s // 60 - (_looked_back(policy) + 1) * policy.window_min - least


def near_min(now_s: int) -> tuple[int, int]:
    """The first and the last unix minute of the week before that are wanted."""
    same = now_s // 60 - 7 * DAY_MIN
    return same - 2 * NEAR_MIN, same + 2 * NEAR_MIN


def judged(brand: Brand) -> Judged:
    """The brand's alerts as they are now. Pure: the same minutes give the same alerts, with the same ids."""
    state = brand.state
    earliest = min((minute for minute, counts in brand.minutes.items() if counts[0] > 0), default=None)
    if earliest is not None and (state.since is None or earliest < state.since):
        state = msgspec.structs.replace(state, since=earliest)
    found, groups = Judged(state), grouped(brand.minutes, brand.width)
    for kind in KINDS:
        found = _of_kind(kind, brand._replace(state=found.state), groups, found)
    return found


def _of_kind(kind: Kind, brand: Brand, groups: Mapping[int, Window], so_far: Judged) -> Judged:
    policy, width = brand.policy, brand.width
    recent = windows(groups, brand.first, brand.current + width, width)
    readings = read(kind, recent, _past(kind, brand, groups), policy.min_posts)
    alert = brand.state.on(kind)
    if alert is None:
        run = _raising(readings, policy, _judged_until(kind, brand.state))
        return _raised(kind, brand, so_far, run) if run else so_far
    begun = alert.started + policy.raise_windows * width  # by now; what was before raised nothing, and ends nothing
    over = [each for each in readings if begun <= each.window.start <= brand.current - 2 * width]
    over = over[-policy.clear_windows :]
    if len(over) == policy.clear_windows and all(each.score < policy.clear_at for each in over):
        return _cleared(so_far, alert, over[-1].window.start + width, brand.now_s)
    return so_far


def _looked_back(policy: Alerts) -> int:
    return policy.raise_windows + policy.clear_windows + 1


def _past(kind: Kind, brand: Brand, groups: Mapping[int, Window]) -> Past:
    """The baseline ends where the judged windows begin, or an alert that is on: a crisis is not measured by itself.

    One that goes on for as long as a baseline is what is usual now.
    """
    width, long, state = brand.width, brand.policy.baseline_h * 60, brand.state
    since = -(-(state.since if state.since is not None else brand.first) // width) * width
    alert = state.on(kind)
    end = brand.first
    if alert is not None and brand.current - alert.started < long:
        end = min(end, alert.started // width * width)
    episodes = [(each.started, each.cleared_min) for each in state.alerts if each.kind == kind and each.cleared_min]

    def usual(begin: int, end: int) -> list[Window]:
        some = windows(groups, max(begin, since), end, width)
        return [each for each in some if not any(start <= each.start < stop for start, stop in episodes)]

    reach = NEAR_MIN // 2 // width * width
    same = [brand.current - days * DAY_MIN // width * width for days in (1, 7)]
    near = [usual(at - reach, at + reach + width) for at in same if at - reach >= since and at + reach < end]
    return Past(width, usual(end - long // width * width, end), near)


def _raising(readings: Sequence[Reading], policy: Alerts, after: int) -> list[Reading]:
    """The latest run that is long enough, as far as it goes back; `after` (unix minute) is where it may begin."""
    run: list[Reading] = []
    best: list[Reading] = []
    for each in readings:
        high = each.notable and each.score >= policy.raise_at and each.window.start >= after
        run = [*run, each] if high else []
        if len(run) >= policy.raise_windows:
            best = run
    return best


def _judged_until(kind: Kind, state: State) -> int:
    """Unix minute before which it was seen that all was over."""
    return max((each.cleared_min or 0 for each in state.alerts if each.kind == kind), default=0)


def _raised(kind: Kind, brand: Brand, so_far: Judged, run: Sequence[Reading]) -> Judged:
    worst = max(run, key=lambda each: each.score)
    started = run[0].window.start
    told = max((each.told_s or 0 for each in so_far.state.alerts if each.kind == kind), default=0)
    alert = Alert(
        alert_id=blake2b(f"{brand.name} {kind} {started}".encode(), digest_size=10).hexdigest(),
        kind=kind, started=started, raised_s=brand.now_s, window_min=brand.width,
        value=round(worst.value, 4), baseline=round(worst.baseline, 4), score=round(worst.score, 2),
        told_s=brand.now_s if brand.now_s - told >= brand.policy.quiet_min * 60 else None,
    )  # fmt: skip
    state = msgspec.structs.replace(so_far.state, alerts=(alert, *so_far.state.alerts)[:HISTORY])
    return Judged(state, (*so_far.raised, alert), so_far.cleared)


def _cleared(so_far: Judged, alert: Alert, end: int, now_s: int) -> Judged:
    cleared = msgspec.structs.replace(alert, cleared_s=now_s, cleared_min=end)
    alerts = tuple(cleared if each.alert_id == alert.alert_id else each for each in so_far.state.alerts)
    return Judged(msgspec.structs.replace(so_far.state, alerts=alerts), so_far.raised, (*so_far.cleared, cleared))
