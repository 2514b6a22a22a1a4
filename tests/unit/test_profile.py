"""Profiles: the same whatever the order, the number and the parts in which interactions come; bounded; kept exactly."""

import random
import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuatro.interactions import Interaction
from functions.recommendations import outbox
from functions.recommendations.profile import (
    CAPACITY,
    REMEMBERED,
    Profile,
    decode,
    encode,
    fold,
    numbered,
    stored,
)

START = datetime(2026, 11, 1, tzinfo=UTC)


def interaction(number: int, item: str = "a", minute: float | None = None, **changes: Any) -> Interaction:
    """number makes the event's id and, unless told, the minute."""
    time = START + timedelta(minutes=number if minute is None else minute)
    fields: dict[str, Any] = {"kind": "view", **changes}
    return Interaction(version=1, event_id=f"e-{number}", user_id="u-1", item_id=item, time=time, **fields)


def told(profile: Profile) -> Profile:
    """All but the memory of events, whose order is that of the writes."""
    tags = sorted(profile.tags[at : at + 8] for at in range(0, len(profile.tags), 8))
    return msgspec.structs.replace(profile, tags=b"".join(tags), n=0)


@st.composite
def histories(draw: st.DrawFn, size: int = 40) -> list[Interaction]:
    """Distinct events; few items and minutes, so that they meet."""
    kinds = st.sampled_from(["view", "click", "cart", "purchase", "rating"])
    rows = draw(
        st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 9), kinds, st.integers(0, 5)), max_size=size)
    )
    return [
        interaction(
            number, item, minute, kind=kind,
            value=float(value) if kind == "rating" or value % 2 else None,
            context={"page": item} if value > 2 else {},
        )
        for number, (item, minute, kind, value) in enumerate(rows)
    ]  # fmt: skip


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_any_order_and_duplication_of_a_batch_gives_one_profile(
    history: list[Interaction], chance: random.Random
) -> None:
    profile, recorded = fold(Profile(), history)
    again = history + [chance.choice(history) for _ in range(len(history))] if history else []
    chance.shuffle(again)
    shuffled, recorded_too = fold(Profile(), again)
    assert (shuffled, recorded_too) == (profile, recorded)
    assert encode(shuffled) == encode(profile)
    assert Counter(each.event_id for each in recorded) == Counter({each.event_id: 1 for each in history})


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_any_parts_in_any_order_delivered_twice_give_one_profile(
    history: list[Interaction], chance: random.Random
) -> None:
    whole, _ = fold(Profile(), history)
    chance.shuffle(history)
    cuts = sorted(chance.sample(range(len(history) + 1), min(3, len(history) + 1)))
    parts = [history[start:end] for start, end in zip([0, *cuts], [*cuts, len(history)], strict=True)]
    profile, number = Profile(), 0
    for part in [*parts, *chance.sample(parts, len(parts))]:
        profile, recorded = fold(profile, part)
        number += len(recorded)
        profile = decode(encode(profile), 7)
    assert told(profile) == told(whole)
    assert number == len(history) == sum(profile.counters.values())


def reference(history: Sequence[Interaction]) -> dict[str, Any]:
    """The same in the plainest words."""
    newest: dict[str, Interaction] = {}
    strength = ["view", "click", "cart", "purchase", "rating"]
    for each in sorted(history, key=lambda each: (each.time, strength.index(each.kind), each.value or -1.0)):
        newest[each.item_id] = each
    return {
        "entries": sorted(((each.time, each.item_id, each.kind) for each in newest.values()), reverse=True),
        "purchases": {each.item_id for each in history if each.kind == "purchase"},
        "ratings": {each.item_id for each in history if each.kind == "rating"},
        "counters": Counter(each.kind for each in history),
    }


@given(histories())
def test_a_profile_is_what_the_plainest_words_say(history: list[Interaction]) -> None:
    profile, _ = fold(Profile(), history)
    expected = reference(history)
    times = [datetime.fromtimestamp(each.time_ms / 1000, UTC) for each in profile.entries]
    found = [(time, each.item, each.kind) for time, each in zip(times, profile.entries, strict=True)]
    assert sorted(found, reverse=True) == expected["entries"]
    assert times == sorted(times, reverse=True), "newest first"
    assert {each.item for each in profile.purchases} == expected["purchases"]
    assert {each.item for each in profile.ratings} == expected["ratings"]
    assert profile.counters == expected["counters"]
    if history:
        millis = [round(each.time.timestamp() * 1000) for each in history]
        assert (profile.first_ms, profile.last_ms) == (min(millis), max(millis))


@given(st.integers(1, 4), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_a_huge_history_keeps_the_newest_items_in_any_order(times: int, chance: random.Random) -> None:
    history = [
        interaction(n, f"i-{n % (CAPACITY + 50)}", kind="purchase" if n % 3 else "view") for n in range(150 * times)
    ]
    whole, _ = fold(Profile(), history)
    late = list(history)
    chance.shuffle(late)
    profile = Profile()
    for start in range(0, len(late), 50):
        profile, _ = fold(profile, late[start : start + 50])
    assert (profile.entries, profile.purchases, profile.counters) == (whole.entries, whole.purchases, whole.counters)
    assert len(profile.entries) == len(profile.purchases) == CAPACITY
    assert {each.item for each in profile.entries} == {each.item_id for each in history[-CAPACITY:]}
    assert len(profile.tags) == 8 * REMEMBERED


def test_a_batch_of_any_size_is_known_when_it_comes_again() -> None:
    history = [interaction(n, f"i-{n}") for n in range(1000)]
    profile, recorded = fold(Profile(), history)
    assert len(recorded) == 1000
    assert fold(profile, history) == (profile, [])
    in_parts = Profile()
    for start in range(0, 1000, 100):
        in_parts, _ = fold(in_parts, history[start : start + 100], remember=1000)
    assert fold(in_parts, history, remember=1000)[1] == []
    later, _ = fold(profile, [interaction(1000)])
    assert len(later.tags) == 8 * REMEMBERED, "it does not grow for ever"


def test_the_longest_names_fit_an_item_of_the_table() -> None:
    names = [f"{n:04}" + "😀" * 124 for n in range(CAPACITY)]
    history = [
        interaction(3 * n + k, name, kind=kind, value=4.5, context={f"{c}" * 32: "😀" * 64 for c in range(8)})
        for n, name in enumerate(names)
        for k, kind in enumerate(("view", "purchase", "rating"))
    ]
    profile, _ = fold(Profile(), history)
    assert len(profile.entries) == len(profile.purchases) == len(profile.ratings) == CAPACITY
    assert len(encode(profile)) < 165_000


def test_a_typical_profile_is_small() -> None:
    chance = random.Random(7)
    history = [interaction(n, f"item-{chance.randrange(10**6):06}", chance.uniform(0, 10**5)) for n in range(200)]
    profile, _ = fold(Profile(), history)
    assert len(profile.entries) == CAPACITY
    assert len(encode(profile)) < 2_900, "with an outbox of one interaction four units of capacity a write, not six"


def test_what_was_bought_or_rated_stays_known_after_a_view() -> None:
    history = [
        interaction(1, "a", kind="purchase", value=9.99), interaction(2, "b", kind="rating", value=1.0),
        interaction(3, "a"), interaction(4, "b"),
    ]  # fmt: skip
    profile, _ = fold(Profile(), history)
    assert [(each.item, each.kind) for each in profile.entries] == [("b", "view"), ("a", "view")]
    assert [(each.item, each.value) for each in profile.purchases] == [("a", 9.99)]
    assert [(each.item, each.value) for each in profile.ratings] == [("b", 1.0)]


def test_the_newest_context_counts_and_none_does_not_erase_it() -> None:
    italy, france = {"country": "IT"}, {"country": "FR"}
    first, _ = fold(Profile(), [interaction(5, context=france)])
    assert fold(first, [interaction(3, context=italy)])[0].context == france
    assert fold(first, [interaction(9)])[0].context == france
    assert fold(first, [interaction(7, context=italy)])[0].context == italy


def test_an_event_id_that_is_used_twice_counts_once_and_always_the_same() -> None:
    one, other = interaction(1, "a", minute=5), interaction(1, "b", minute=3)
    assert fold(Profile(), [one, other]) == fold(Profile(), [other, one])
    assert [each.item_id for each in fold(Profile(), [one, other])[1]] == ["b"]


def test_a_profile_is_stored_with_its_number() -> None:
    profile, _ = fold(Profile(), [interaction(1, "日本", kind="rating", value=4.0, context={"page": "home"})])
    assert stored({"user_id": "u-1", "n": 3, "p": encode(profile)}) == numbered(profile, 3)
    assert stored(None) == Profile() == Profile(n=0)


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\x9a\x02", b"{}", encode(Profile())[:-1], encode(Profile(tags=b"1234567"))]
)
def test_what_is_no_profile_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(data)


def test_a_profile_of_another_format_is_not_read() -> None:
    packed = msgspec.msgpack.decode(zlib.decompress(encode(Profile())))
    with pytest.raises(ValueError, match="format"):
        decode(zlib.compress(msgspec.msgpack.encode([2, *packed[1:]])))


@given(st.binary(max_size=200))
def test_damaged_bytes_are_a_value_error_at_worst(data: bytes) -> None:
    for bytes_of in (data, zlib.compress(data)):
        with pytest.raises(ValueError, match=r"."):
            decode(bytes_of)


def test_the_outbox_tells_what_was_recorded() -> None:
    seen = [interaction(1, "é", kind="cart", value=2.0, context={"page": "a"}, list_id="l-1"), interaction(2)]
    first, second = outbox.decode(outbox.encode(seen, "2026-11-23T10:00:00.000Z"))
    assert (first.event_id, first.user_id, first.item_id, first.kind, first.value) == ("e-1", "u-1", "é", "cart", 2.0)
    assert (first.time, first.recorded_at) == ("2026-11-01T00:01:00.000Z", "2026-11-23T10:00:00.000Z")
    assert (first.list_id, first.context, first.correlation_id) == ("l-1", {"page": "a"}, "e-1")
    assert (second.list_id, second.value, second.context) == (None, None, {})
