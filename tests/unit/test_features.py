"""Features equal their definition, computed one by one from plain lists; a row is the same in any batch."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.fraud.features import EPISODE, FEATURES, FEEDBACK_DELAY, RISK_WINDOWS, WINDOWS, Frame
from functions.fraud.history import CAPACITY, DAY, HOUR, History
from functions.fraud.windows import UNUSUAL

START = 1_767_571_200  # a Monday, midnight
Event = tuple[int, int]
Label = tuple[int, int, float]

SECONDS = st.integers(START, START + 70 * DAY)


def some_events(size: int, seed: int) -> list[Event]:
    """Amounts around a usual one, some several times that; drawn here, since lists this long are slow to draw."""
    rng = random.Random(seed)
    return [
        (START + rng.randrange(70 * DAY), 1 + int(rng.lognormvariate(8, 0.4) * rng.choice((1,) * 9 + (5,))))
        for _ in range(size)
    ]


EVENTS = st.builds(some_events, st.integers(0, CAPACITY), st.integers(0, 2**32))
LABELS = st.lists(st.tuples(SECONDS, st.integers(0, 20 * DAY), st.floats(0, 9)), max_size=8)


def history(events: list[Event], labels: list[Label] = ()) -> History:  # type: ignore[assignment]
    made = History()
    for tag, (time, amount) in enumerate(events, 1):
        made.add(tag, time, amount)
    for tag, (time, wait, ratio) in enumerate(labels, 1):
        made.label(tag, time, time + wait, True, ratio)
    return made


def row(time: int, amount: int, card: History, terminal: History) -> dict[str, float]:
    frame = Frame()
    frame.append(time, amount, card, terminal)
    return dict(zip(FEATURES, frame.matrix()[0].tolist(), strict=True))


def expected_usual(amounts: list[int]) -> list[int]:
    kept = amounts
    for _ in range(2):
        kept = [amount for amount in amounts if 100 * amount * len(kept) <= UNUSUAL * sum(kept)]
    return kept


def expected_side(name: str, events: list[Event], time: int, amount: int) -> dict[str, float]:
    past = sorted(event for event in events if event[0] <= time)
    found = {}
    for window, width in WINDOWS.items():
        inside = [a / 100 for t, a in past if t > time - width]
        found[f"{name}_count_{window}"] = len(inside)
        found[f"{name}_sum_{window}"] = sum(inside)
        found[f"{name}_mean_{window}"] = float(np.mean(inside)) if inside else 0
        found[f"{name}_deviation_{window}"] = float(np.std(inside)) if inside else 0
    usual = [a / 100 for a in expected_usual([a for _, a in past])]
    mean = float(np.mean(usual)) if usual else 0
    found[f"{name}_profile_ratio"] = amount / 100 / max(mean, 1) if usual else 1
    found[f"{name}_profile_z"] = (amount / 100 - mean) / (float(np.std(usual)) + 5) if usual else 0
    found[f"{name}_above"] = (sum(a >= amount for _, a in past) + 0.5) / (len(past) + 1)
    found[f"{name}_idle"] = min(time - past[-1][0], 30 * DAY) / DAY if past else 30
    return found


def expected_unusual(events: list[Event], time: int) -> dict[str, float]:
    past = sorted(event for event in events if event[0] <= time)
    usual = expected_usual([a for _, a in past])
    big = [t for t, a in past if 100 * a * len(usual) > UNUSUAL * sum(usual)]
    mean = max(float(np.mean(usual)), 100) if usual else 100
    return {
        "card_unusual_7d": sum(t > time - 7 * DAY for t in big),
        "card_unusual_14d": sum(t > time - 14 * DAY for t in big),
        "card_unusual_peak_14d": max((a for t, a in past if t > time - 14 * DAY), default=0) / mean,
        "card_unusual_peak": max((a for _, a in past), default=0) / mean,
        "card_since_unusual": min((time - big[-1]) / DAY, 60) if big else 60,
    }


def expected_risk(events: list[Event], labels: list[Label], time: int) -> dict[str, float]:
    def count(low: int, high: int) -> int:
        return sum(low < t <= high for t, _ in events)

    known = sorted((t, round(100 * ratio) < UNUSUAL) for t, wait, ratio in labels if t + wait <= time)
    settled = time - FEEDBACK_DELAY
    found: dict[str, float] = {"terminal_frauds_recent": sum(t > settled for t, _ in known)}
    for window, width in RISK_WINDOWS.items():
        frauds = sum(settled - width < t <= settled for t, _ in known)
        found[f"terminal_risk_{window}"] = frauds / max(count(settled - width, settled), 1)
        found[f"terminal_frauds_{window}"] = frauds
    del found["terminal_frauds_1d"]
    plain = [t for t, is_plain in known if is_plain]
    episode = [t for t in plain if t > time - EPISODE]
    earlier = [t for t, _ in events if episode and t < episode[0]]
    return {
        **found,
        "terminal_frauds_plain_14d": sum(t > time - 14 * DAY for t in plain),
        "terminal_frauds_plain_35d": len(episode),
        "terminal_since_fraud": min((time - plain[-1]) / DAY, 90) if plain else 90,
        "terminal_since_first_fraud": (time - episode[0]) / DAY if episode else 90,
        "terminal_since_before_fraud": (min((time - max(earlier)) / DAY, 60) if earlier else 60) if episode else 90,
        "terminal_genuine_since_fraud": count(plain[-1], settled) if plain else -1,
        "terminal_risk_since_first": len(episode) / (count(episode[0], settled) + 1) if episode else -1,
    }


@settings(max_examples=60, deadline=None)
@given(EVENTS, EVENTS, LABELS, SECONDS, st.integers(1, 90_000))
def test_features_equal_their_definition(
    card: list[Event], terminal: list[Event], labels: list[Label], time: int, amount: int
) -> None:
    expected = {
        "amount": amount / 100,
        "night": time // HOUR % 24 < 7,
        "weekend": (time - START) // DAY % 7 >= 5,
        **expected_side("card", card, time, amount),
        **expected_unusual(card, time),
        **expected_side("terminal", terminal, time, amount),
        **expected_risk(terminal, labels, time),
    }
    found = row(time, amount, history(card), history(terminal, labels))
    assert set(found) == set(expected) == set(FEATURES)
    for name, value in found.items():
        assert value == pytest.approx(float(expected[name]), rel=1e-5, abs=2e-3), name


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(EVENTS, EVENTS, LABELS, SECONDS, st.integers(1, 90_000)), min_size=2, max_size=12))
def test_a_row_has_the_same_bits_in_any_batch(
    rows: list[tuple[list[Event], list[Event], list[Label], int, int]],
) -> None:
    batch, alone = Frame(), []
    for card, terminal, labels, time, amount in rows:
        states = history(card), history(terminal, labels)
        batch.append(time, amount, *states)
        single = Frame()
        single.append(time, amount, *states)
        alone.append(single.matrix()[0])
    assert batch.matrix().tobytes() == np.stack(alone).tobytes()


@settings(max_examples=30, deadline=None)
@given(EVENTS, LABELS, SECONDS)
def test_the_future_changes_nothing(events: list[Event], labels: list[Label], time: int) -> None:
    past = [event for event in events if event[0] <= time]
    known = [label for label in labels if label[0] + label[1] <= time]
    assert row(time, 500, history(events), history(events, labels)) == row(
        time, 500, history(past), history(past, known)
    )


def test_a_frame_keeps_what_was_then() -> None:
    card, terminal = history([(START, 1000)]), history([(START, 1000)])
    frame = Frame()
    frame.append(START + HOUR, 500, card, terminal)
    before = frame.matrix()
    card.add(99, START + 60, 7)
    terminal.label(1, START, START, True)
    assert np.array_equal(frame.matrix(), before)


def test_no_rows_no_features() -> None:
    assert Frame().matrix().shape == (0, len(FEATURES))
    assert len(Frame()) == 0


def test_beyond_capacity_windows_are_exact_to_one_bucket() -> None:
    rng = random.Random(4)
    events = [(START + number * DAY // 20 + rng.randrange(2000), 100 + number) for number in range(900)]
    busy = history(events)
    time = events[-1][0] + 5
    found = row(time, 500, busy, busy)
    for window, width, slack in (("1h", HOUR, 0), ("24h", DAY, 0), ("7d", 7 * DAY, 6 * HOUR), ("30d", 30 * DAY, DAY)):
        least = sum(t > time - width + slack for t, _ in events)
        most = sum(t > time - width - slack for t, _ in events)
        assert least <= found[f"card_count_{window}"] <= most
        assert found[f"card_mean_{window}"] == pytest.approx(
            float(np.mean([a / 100 for t, a in events if t > time - width])), rel=0.03
        )


def test_windows_hold_one_another() -> None:
    found = row(START + 3 * DAY, 500, history([(START + hour * HOUR, 100) for hour in range(70)]), History())
    for less, more in pairwise(WINDOWS):
        assert found[f"card_count_{less}"] <= found[f"card_count_{more}"]
