"""Words of texts in many scripts; counts in bounded space, whose error is known."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.sentiment.terms import MAX_WORDS, counted, top, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The COFFEE wasn't good, the coffee was cold!", {"coffee", "good", "cold"}),
        ("Café très cher, mais délicieux", {"café", "cher", "délicieux"}),
        ("El café está frío y la atención también", {"café", "frío", "atención"}),
        ("Der Kaffee war nicht heiß", {"kaffee", "heiss"}),
        ("see https://a.example/x?y=coffee www.b.example @northwind [email] [phone]", {"see"}),
        ("#NorthwindCoffee rocks \u2615\ufe0f\U0001f621", {"#northwindcoffee", "rocks", "\u2615", "\U0001f621"}),
        ("in 2026 for 12.50 or 1234567", set()),
        ("Northwind\u2019s beans", {"northwind", "beans"}),
        ("wi-fi don't", {"wi-fi"}),
        ("قهوة رائعة", {"قهوة", "رائعة"}),
        ("コーヒー最高", {"コーヒー最高"}),
        ("", set()),
        ("x" * 10_000, set()),
    ],
)
def test_what_a_text_is_about(text: str, expected: set[str]) -> None:
    assert words(text) == expected


def test_a_long_text_says_no_more_than_thirty_words() -> None:
    assert len(words(" ".join(f"word{number}x" for number in range(1_000)))) == MAX_WORDS


WORDS = st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=30), max_size=10)


@settings(max_examples=50, deadline=None)
@given(WORDS, st.integers(1, 12))
def test_counts_are_never_too_high_and_too_low_by_what_is_promised(batches: list[list[str]], capacity: int) -> None:
    """Misra and Gries' bound, for batches that are merged."""
    counts: dict[str, int] = {}
    for batch in batches:
        counts = counted(counts, counted({}, Counter(batch), capacity), capacity)
        assert len(counts) <= capacity
    exact = Counter(word for batch in batches for word in batch)
    error = exact.total() / (capacity + 1)
    for word, number in exact.items():
        assert number - error <= counts.get(word, 0) <= number
    assert set(counts) <= set(exact)


@settings(max_examples=50, deadline=None)
@given(WORDS)
def test_counts_are_exact_below_capacity_and_may_be_taken_back(batches: list[list[str]]) -> None:
    counts: dict[str, int] = {}
    for batch in batches:
        counts = counted(counts, Counter(batch), 10)
    assert counts == Counter(word for batch in batches for word in batch)
    for batch in batches:
        counts = counted(counts, {word: -number for word, number in Counter(batch).items()}, 10)
    assert counts == {}


def test_what_was_never_known_cannot_be_taken_back() -> None:
    assert counted({"a": 1}, {"b": -1, "a": -3}, 5) == {}


def test_the_most_frequent_first() -> None:
    assert top({"b": 2, "a": 2, "c": 5}, 2) == [("c", 5), ("a", 2)]
