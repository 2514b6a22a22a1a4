"""Posts become the model's inputs, whatever stands in them, at a bounded cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.sentiment.features import (
    BUCKETS,
    LABELS,
    MAX_CHARACTERS,
    MAX_NGRAMS,
    MAX_TOKENS,
    encode,
    ngrams,
    normalised,
)

FIRST, COUNT = [2055, 5999, 6522, 8114], 24
"""Of the buckets of "so so good"."""
ANY_TEXT = st.text(st.characters(), max_size=300)  # lone surrogates included
HOSTILE = [
    *("a" * 10_000, "@" * 10_000, "#x" * 5_000, "&amp;" * 3_000, "a.b@" * 3_000, "http://" * 2_000, " " * 10_000),
    *("\ud83d" * 5_000, "e\u0301" * 5_000, "\ufdfa" * 5_000, "\U0001f642" * 5_000, "\x00" * 10_000),
]


class Letters:
    """A tokenizer that gives each character its own token."""

    def encode(self, texts: list[str]) -> list[list[int]]:
        return [[3 + ord(one) % 50 for one in text] for text in texts]

    def bos_id(self) -> int:
        return 0

    def eos_id(self) -> int:
        return 2

    def pad_id(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  two\n\nlines\t", "two lines"),
        ("look https://example.org/a?b=c&d www.example.org", "look http http"),
        ("@brand and @someone@example.social, hi", "@user and @user, hi"),
        ("write to name@example.org", "write to name@example.org"),
        ("Fish &amp; chips &lt;3", "Fish & chips <3"),
        ("#NeverAgain #happy", "#Never Again #happy"),
        ("TERRIBLE service by the USA", "terrible service by the USA"),
        ("sooooo good!!!!!!", "sooo good!!!"),
        ("\uff46\uff55\uff4c\uff4c width", "full width"),
        ("cafe\u0301", "café"),
        ("he\u200bllo ❤\ufe0f", "hello ❤"),
        ("\ud83d\ude00", "😀"),
        ("a \ud83d b", "a \ufffd b"),
    ],
)
def test_what_a_text_becomes(text: str, expected: str) -> None:
    assert normalised(text) == expected


@given(ANY_TEXT)
def test_no_text_raises_and_none_is_long(text: str) -> None:
    plain = normalised(text)
    assert len(plain) <= MAX_CHARACTERS
    assert plain == plain.strip()
    plain.encode()


@settings(max_examples=50)
@given(st.lists(ANY_TEXT, max_size=4))
def test_inputs_have_the_shapes_and_types_that_the_model_takes(texts: list[str]) -> None:
    given = encode(texts, Letters())
    ids, mask, grams, weights = (given[name] for name in ("input_ids", "attention_mask", "ngram_ids", "ngram_weights"))
    assert ids.dtype == mask.dtype == grams.dtype == np.int64
    assert weights.dtype == np.float32
    assert len(ids) == len(grams) == len(texts)
    assert ids.shape == mask.shape
    assert grams.shape == weights.shape
    assert ids.shape[1] <= MAX_TOKENS
    assert grams.shape[1] <= MAX_NGRAMS
    assert ((grams >= 0) & (grams < BUCKETS)).all()
    assert (mask.sum(axis=1) >= 2).all()
    assert (ids[mask == 0] == 1).all()


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:6]))
def test_a_hostile_text_costs_no_more_than_a_long_one(text: str) -> None:
    given = encode([text * 3], Letters())
    assert given["input_ids"].shape[1] <= MAX_TOKENS
    assert given["ngram_ids"].shape[1] <= MAX_NGRAMS


def test_of_a_long_text_the_beginning_and_the_end_count() -> None:
    text = "begin " + " ".join(f"word{number}" for number in range(2_000)) + " end"
    plain = normalised(text)
    assert plain.startswith("begin ")
    assert plain.endswith(" end")
    row = encode([text], Letters())["input_ids"][0].tolist()
    assert len(row) == MAX_TOKENS
    assert row[1] == Letters().encode(["b"])[0][0]
    assert row[-2] == Letters().encode(["d"])[0][0]


def test_a_posts_inputs_do_not_depend_on_its_neighbours() -> None:
    alone, beside = encode(["hello"], Letters()), encode(["hello", "a much longer one, twice as long"], Letters())
    length = int(alone["attention_mask"].sum())
    assert beside["input_ids"][0, :length].tolist() == alone["input_ids"][0].tolist()
    many = int((alone["ngram_weights"] > 0).sum())
    assert beside["ngram_ids"][0, :many].tolist() == alone["ngram_ids"][0].tolist()


def test_ngrams_stay_where_the_trained_table_has_them() -> None:
    """A change of the hash, or of what is hashed, asks for another VERSION and another training."""
    ids, weights = ngrams(["so so good"])
    assert weights.max() == pytest.approx(1 + np.log(4))  # " so ", of four and of at most five characters, twice
    assert sorted(ids[0].tolist())[:4] == FIRST
    assert ids.shape[1] == COUNT


def test_the_order_of_the_labels() -> None:
    assert LABELS == ("negative", "neutral", "positive")
