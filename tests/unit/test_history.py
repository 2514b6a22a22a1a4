"""The packed state: every transaction once, in any order; bounded; read back as it was written."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.fraud.history import CAPACITY, DAY, HORIZON, MAX_AMOUNT, MAX_FRAUDS, MERGED, RETENTION, History, tag_of

START = 1_700_000_000


def some_events(size: int, seed: int) -> list[tuple[int, int, int]]:
    """(tag, time, amount); drawn here, since lists this long are slow to draw."""
    rng = random.Random(seed)
    return [
        (rng.randrange(1, 2**64), START + rng.randrange(60 * DAY), rng.randrange(1, 2 * MAX_AMOUNT))
        for _ in range(size)
    ]


EVENTS = st.builds(some_events, st.integers(0, CAPACITY), st.integers(0, 2**32))


def folded(events: list[tuple[int, int, int]]) -> History:
    history = History()
    for event in events:
        history.add(*event)
    return history


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(events: list[tuple[int, int, int]], rng: random.Random) -> None:
    shuffled = rng.sample(events, len(events))
    one, other = folded(events), folded(shuffled)
    assert one.singles == other.singles
    assert one.newest == other.newest
    assert list(one.singles) == sorted(time << 32 | min(amount, MAX_AMOUNT) for _, time, amount in events)


@given(EVENTS.filter(len))
def test_a_duplicate_counts_once(events: list[tuple[int, int, int]]) -> None:
    history = folded(events)
    before = history.pack()
    history.add(*events[-1])
    assert events[-1][0] in history
    assert history.pack() == before
    assert len(history) == len(events)


@given(EVENTS, st.lists(st.tuples(st.integers(1, 9), st.integers(0, DAY), st.booleans()), max_size=5))
def test_what_is_packed_can_be_unpacked(
    events: list[tuple[int, int, int]], labels: list[tuple[int, int, bool]]
) -> None:
    history = folded(events)
    for tag, time, fraud in labels:
        history.label(tag, START + time, START + time + DAY, fraud, 1.5)
    again = History.unpack(history.pack())
    for name in History.__slots__:
        assert getattr(again, name) == getattr(history, name)


def test_nothing_stored_is_a_new_history() -> None:
    assert len(History.unpack(None)) == len(History.unpack(b"")) == 0


@pytest.mark.parametrize("blob", [b"x", b"\x63" * 48, History().pack() + b"x", History().pack()[:-1]])
def test_garbage_is_refused(blob: bytes) -> None:
    with pytest.raises(ValueError, match="history"):
        History.unpack(blob)


@pytest.mark.parametrize(("step", "kilobytes"), [(1, 6), (60, 6), (3600, 3), (DAY // 3, 3), (10 * DAY, 2)])
def test_the_state_stays_small_and_loses_nothing(step: int, kilobytes: int) -> None:
    history = History()
    for number in range(3000):
        history.add(number + 1, START + number * step, 100 + number)
    assert len(history) == 3000
    assert CAPACITY - MERGED <= len(history.singles) <= CAPACITY
    assert len(history.pack()) <= kilobytes * 1024
    total = history.past[1] + sum(history.buckets[2::4]) + sum(single & 0xFFFFFFFF for single in history.singles)
    assert total == sum(range(100, 3100))
    squares = history.past[2] + sum(history.buckets[3::4]) + sum((s & 0xFFFFFFFF) ** 2 for s in history.singles)
    assert squares == sum(amount**2 for amount in range(100, 3100))


def test_an_ordinary_card_fits_in_one_kilobyte() -> None:
    assert len(folded([(tag, START + tag * DAY // 2, 1000) for tag in range(1, 61)]).pack()) < 1024


def test_buckets_are_sorted_narrower_when_young_and_end_at_the_horizon() -> None:
    history = folded([(tag, START + tag * 600, 100) for tag in range(1, 10_000)])
    starts = list(history.buckets[0::4])
    ages = [history.newest - start for start in starts]
    assert starts == sorted(set(starts))
    assert max(ages) < HORIZON + DAY
    slack = MERGED * 600  # buckets are made anew when MERGED transactions have come
    for start, age in zip(starts, ages, strict=True):
        assert start % (120 if age < 3600 + slack else 3600 if age < DAY + slack else 6 * 3600) == 0


def test_a_forged_flood_of_huge_amounts_stays_readable() -> None:
    history = History()
    history.past = (1, 1 << 62, 1 << 62, 0)
    for tag in range(1, 3 * CAPACITY):
        history.add(tag, START + tag * 40 * DAY, MAX_AMOUNT * 1000)
    assert History.unpack(history.pack()).past[2] == 1 << 62


def test_tags_are_remembered_as_promised() -> None:
    history = folded([(tag, START + tag * 60, 100) for tag in range(1, 1001)])
    assert all(tag in history for tag in range(1000 - 255, 1001))
    assert len(history.tags) == 256
    slow = folded([(tag, START + tag * DAY, 100) for tag in range(1, 101)])
    assert [tag for tag in range(1, 101) if tag in slow] == list(range(69, 101))


def test_labels_are_kept_once_sorted_and_bounded() -> None:
    history = History()
    times = random.Random(5).sample(range(START, START + 100 * DAY), MAX_FRAUDS + 10)
    for _ in range(2):
        for tag, time in enumerate(times[:MAX_FRAUDS], 1):
            history.label(tag, time, time + DAY, True, 2.5)
    assert [word >> 32 for word in history.frauds[1::3]] == sorted(times[:MAX_FRAUDS])
    assert set(history.frauds[2::3]) == {250}
    for tag, time in enumerate(times[MAX_FRAUDS:], MAX_FRAUDS + 1):
        history.label(tag, time, time + DAY, True)
    assert [word >> 32 for word in history.frauds[1::3]] == sorted(times)[10:]
    assert history.past[3] == 10


def test_a_cleared_fraud_is_forgotten() -> None:
    history = History()
    history.label(1, START, START + DAY, True)
    history.label(2, START, START + DAY, False)
    history.label(1, START, START + 2 * DAY, False)
    assert len(history.frauds) == 0


def test_a_state_expires_after_its_newest_transaction() -> None:
    assert folded([(1, START, 5), (2, START - DAY, 5)]).expires_at == START + RETENTION


def test_a_tag_is_64_bits_and_stable() -> None:
    assert tag_of("t-1") == 0xC20B_9BF0_1551_41C3
    assert 0 <= tag_of("t-1") < 2**64
    assert tag_of("t-1") != tag_of("t-2")
