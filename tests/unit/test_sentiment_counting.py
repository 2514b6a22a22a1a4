"""Aggregates under any order, repetition and correction of posts; their rows and keys."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuatro.events import Sentiment
from cuatro.posts import LABELS, Scored
from functions.sentiment import aggregates
from functions.sentiment.aggregates import Counts, Grain, bucket, decode, expires_s, place, started, starts
from functions.sentiment.counting import Part, Write, contribution, folded, parts_of
from functions.sentiment.policy import Policy

POLICY = Policy()
TIME = datetime(2026, 11, 23, 11, 5, 59, 999_000, tzinfo=UTC)
NOW_S = int(TIME.timestamp()) + 60


def scored(number: int = 1, **changes: Any) -> Scored:
    fields: dict[str, Any] = {
        "network": "web", "id": f"p-{number}", "brand": "northwind", "text": f"Coffee number {number} is wonderful",
        "language": "en", "time": TIME, "collected_at": TIME, "label": "positive", "probabilities": (0.1, 0.2, 0.7),
        "unsure": False, "backend": "onnx", "model_version": "1", "classified_at": TIME, "fingerprint": "f",
        "repost": False, "dt": "2026-11-23", **changes,
    }  # fmt: skip
    return Scored(**fields)


def rows_of(writes: list[Write], together: int = 1) -> dict[str, aggregates.Aggregate]:
    """As tally makes them, so many writes at a time."""
    rows: dict[str, bytes] = {}
    for start in range(0, len(writes), together):
        parts: dict[str, list[Part]] = {}
        for write in writes[start : start + together]:
            for key, part in parts_of(write, POLICY, NOW_S).items():
                parts.setdefault(key, []).append(part)
        rows |= {key: folded(rows.get(key), some, POLICY) for key, some in parts.items()}
    return {key: decode(p) for key, p in rows.items()}


LABEL = st.sampled_from(LABELS)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Write]]:
    """The writes of each of some posts, in their order."""
    found = []
    for number in range(draw(st.integers(1, 6))):
        one = scored(
            number,
            network=draw(st.sampled_from(["web", "x"])),
            language=draw(st.sampled_from(["en", "es"])),
            label=draw(LABEL),
            unsure=draw(st.booleans()),
            repost=draw(st.booleans()),
            time=TIME - timedelta(minutes=draw(st.integers(0, 200))),
        )
        writes = [Write(f"k-{number}", one, 1)]
        before: Sentiment | None = None
        for human in draw(st.lists(LABEL, max_size=3)):
            if human != before:  # the API writes no label that stands already
                one = msgspec.structs.replace(one, human_label=human)
                writes.append(Write(f"k-{number}", one, len(writes) + 1, before))
                before = human
        found.append(writes)
    return found


@settings(max_examples=40, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_order_of_writes_does_not_matter(some: list[list[Write]], chance: Any, together: int) -> None:
    """Also not which of a post's own writes comes first; at the end each post stands in its last class, once."""
    writes = [write for of_post in some for write in of_post]
    chance.shuffle(writes)
    rows = rows_of(writes, together)
    expected: dict[str, Counts] = {}
    for of_post in some:
        last = of_post[-1].scored
        for grain in get_args(Grain):
            key = bucket("northwind", grain, last.time)
            expected[key] = expected.get(key, Counts()).plus(contribution(last, last.human_label))
    assert {key: row.total() for key, row in rows.items()} == expected
    for key, row in rows.items():
        if place(key)[1] == "hour":
            of_minutes = [sum(counts[at] for counts in row.minutes.values()) for at in range(3)]
            total = row.total()
            assert of_minutes == [total.posts, total.classed, total.negative]


@settings(max_examples=25, deadline=None)
@given(histories(), st.integers(1, 5))
def test_a_post_is_the_sample_of_its_last_class_alone(some: list[list[Write]], together: int) -> None:
    rows = rows_of([write for of_post in some for write in of_post], together)
    last = {of_post[-1].post: of_post[-1].scored for of_post in some}
    for row in rows.values():
        posts = [sample.post for sample in row.samples]
        assert len(posts) == len(set(posts))
        for sample in row.samples:
            assert not last[sample.post].repost
            assert sample.label == (last[sample.post].human_label or last[sample.post].label)


def test_what_a_post_is_worth() -> None:
    assert contribution(scored(), None) == Counts(positive=1, score=600_000)
    assert contribution(scored(unsure=True), None) == Counts(positive=1, unsure=1, score=600_000)
    assert contribution(scored(unsure=True), "negative") == Counts(negative=1, score=-1_000_000)
    assert contribution(scored(repost=True), "negative") == Counts(reposts=1)


def test_samples_are_the_newest_of_each_class() -> None:
    writes = [
        Write(f"k-{number}", scored(number, label=label, time=TIME - timedelta(seconds=number)), 1)
        for number, label in enumerate(["negative", "positive"] * 10)
    ]
    row = rows_of(writes)[bucket("northwind", "minute", TIME)]
    assert [sample.post for sample in row.samples] == ["k-0", "k-2", "k-4", "k-1", "k-3", "k-5"]
    assert all(len(sample.text) <= 280 for sample in row.samples)


def test_words_are_in_hours_and_days_and_bounded() -> None:
    many = [Write(f"k-{n}", scored(n, text=f"word{n:04} coffee"), 1) for n in range(500)]
    rows = rows_of(many, together=50)
    assert rows[bucket("northwind", "minute", TIME)].words == ({}, {}, {})
    _, _, positive = rows[bucket("northwind", "day", TIME)].words
    assert len(positive) <= 2 * POLICY.terms
    assert 500 - 1000 / (2 * POLICY.terms + 1) <= positive["coffee"] <= 500


def test_rows_that_are_gone_by_age_get_nothing() -> None:
    write = Write("k", scored(), 1)
    for days, grains in ((0, {"minute", "hour", "day"}), (4, {"hour", "day"}), (91, {"day"}), (2000, set())):
        keys = parts_of(write, POLICY, NOW_S + days * 86_400)
        assert {place(key)[1] for key in keys} == grains
        assert all(expires_s(key, POLICY) > NOW_S + days * 86_400 for key in keys)


def test_keys_say_brand_grain_and_time() -> None:
    elsewhere = TIME.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+05:45").tzinfo)
    for grain, text in (("minute", "2026-11-23T11:05Z"), ("hour", "2026-11-23T11Z"), ("day", "2026-11-23")):
        key = bucket("northwind", grain, elsewhere)  # type: ignore[arg-type]
        assert key == f"northwind#{grain}#{text}"
        assert place(key) == ("northwind", grain, started(grain, TIME))  # type: ignore[arg-type]
    for bad, why in (
        ("northwind#week#2026-11-23", "no grain"), ("northwind#day", "unpack"), ("northwind#day#today", "format"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=why):
            place(bad)


def test_buckets_of_a_time_range() -> None:
    assert starts("hour", TIME, TIME) == [TIME.replace(minute=0, second=0, microsecond=0)]
    assert len(starts("minute", TIME, TIME + timedelta(hours=1))) == 61
    assert [each.day for each in starts("day", TIME, TIME + timedelta(days=1, hours=13))] == [23, 24, 25]


def test_a_damaged_row_is_told() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(b"\xff")
    assert decode(None) == aggregates.Aggregate()
