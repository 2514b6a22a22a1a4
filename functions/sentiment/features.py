"""Posts -> what the model takes: normalised text, tokens, hashed n-grams. Training and serving call the same code.

Nothing here raises on any text, and no text costs more than MAX_TOKENS tokens and MAX_NGRAMS n-grams.
"""

import re
import unicodedata
from collections.abc import Sequence
from html import unescape
from itertools import pairwise
from typing import Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

VERSION = "sentiment-1"
"""What a model file must have been trained with."""
LABELS = ("negative", "neutral", "positive")
"""Order of the model's probabilities."""
MAX_TOKENS = 96
"""Tokens of a post, with the first and the last special one. Of a longer post the middle is left out."""
MAX_CHARACTERS = 1000
"""Of a normalised post. A tweet has 280, a toot 500."""
MAX_NGRAMS = 1000
BUCKETS = 1 << 17
"""The n-grams are hashed into so many, the last for padding."""

_RAW = 4 * MAX_CHARACTERS
_URL = re.compile(r"(?:https?://|www\.)\S*", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w.@/])@\w[\w.-]{0,60}(?:@[\w.-]{1,60})?")
_HASHTAG = re.compile(r"#(\w{2,100})")
_INNER_WORD = re.compile(r"(?<=[a-zà-öø-ÿ0-9])(?=[A-ZÀ-ÖØ-Þ])")
_SHOUTED = re.compile(r"\b[A-ZÀ-ÖØ-Þ]{4,}\b")
_AGAIN = re.compile(r"(.)\1{3,}")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
# Format characters and variation selectors are invisible and split emoji that the vocabulary knows.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Tokenizer(Protocol):
    """What is used of sentencepiece.SentencePieceProcessor."""

    def encode(self, texts: list[str], /) -> list[list[int]]:
        """Token ids of each text, without special ones."""

    def bos_id(self) -> int:
        """The first token of every post."""

    def eos_id(self) -> int:
        """The last token of every post."""

    def pad_id(self) -> int:
        """What shorter posts of a batch are filled with."""


def normalised(text: str) -> str:
    """The text as the model reads it: at most MAX_CHARACTERS, one line, no markup, no names of people.

    Entities are decoded, Unicode is NFKC, links become "http", mentions "@user", hashtags are split at capitals,
    shouted words are lowered, a character that stands more than three times in a row is cut to three.
    """
    text = _ends(text, _RAW)
    # Pairs of surrogates become the character that they mean, lone ones the replacement character.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = unicodedata.normalize("NFKC", unescape(text))
    text = _INVISIBLE.sub("", _CONTROL.sub(" ", text))
    text = _MENTION.sub("@user", _URL.sub(" http ", text))
    text = _HASHTAG.sub(lambda tag: "#" + _INNER_WORD.sub(" ", tag[1]), text)
    text = _SHOUTED.sub(lambda word: word[0].lower(), text)
    text = _SPACE.sub(" ", _AGAIN.sub(r"\1\1\1", text)).strip()
    return _ends(text, MAX_CHARACTERS)


def encode(texts: Sequence[str], tokenizer: Tokenizer) -> dict[str, NDArray[np.int64] | NDArray[np.float32]]:
    """The model's inputs for n posts, padded to the longest of them.

    input_ids int64 [n, t], attention_mask int64 [n, t] (1 for a token), ngram_ids int64 [n, g] in 0..BUCKETS - 1,
    ngram_weights float32 [n, g] (0 for padding). No posts: n is 0, t and g are 2 and 1.
    """
    plain = [normalised(text) for text in texts]
    first, last = tokenizer.bos_id(), tokenizer.eos_id()
    tokens = [[first, *_middle_out(found, MAX_TOKENS - 2), last] for found in tokenizer.encode(plain)] if plain else []
    width = max(map(len, tokens), default=2)
    ids = np.full((len(tokens), width), tokenizer.pad_id(), np.int64)
    mask = np.zeros((len(tokens), width), np.int64)
    for row, found in enumerate(tokens):
        ids[row, : len(found)], mask[row, : len(found)] = found, 1
    grams, weights = ngrams(plain)
    return {"input_ids": ids, "attention_mask": mask, "ngram_ids": grams, "ngram_weights": weights}


def ngrams(plain: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Buckets [n, g] of each normalised post's words, their pairs and 2 to 5 characters, and 1 + ln(count) [n, g]."""
    found = []
    for text in plain:
        counts: dict[int, int] = {}
        for bucket in _buckets(text.lower()):
            counts[bucket] = counts.get(bucket, 0) + 1
            if len(counts) == MAX_NGRAMS:
                break
        found.append(counts)
    width = max(map(len, found), default=0) or 1
    ids = np.full((len(found), width), BUCKETS - 1, np.int64)
    weights = np.zeros((len(found), width), np.float32)
    for row, counts in enumerate(found):
        ids[row, : len(counts)] = list(counts)
        weights[row, : len(counts)] = 1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))
    return ids, weights


def _buckets(text: str) -> list[int]:
    words = _WORD.findall(text)
    # Padded per word, as scikit-learn's char_wb: n-grams do not run over spaces. UTF-8 is cut at whole characters.
    padded = [f" {word} " for word in words]
    grams = [*words, *(f"{one} {other}" for one, other in pairwise(words))]
    for size in range(2, 6):
        grams += [f"\x01{word[at : at + size]}" for word in padded for at in range(max(len(word) - size + 1, 1))]
    return [crc32(gram.encode()) % (BUCKETS - 1) for gram in grams]


def _ends(text: str, limit: int) -> str:
    """The text, or its first three quarters and last quarter of `limit` characters: what matters stands there."""
    return text if len(text) <= limit else f"{text[: limit * 3 // 4 - 1]} {text[-(limit // 4) :]}"


def _middle_out(tokens: list[int], limit: int) -> list[int]:
    return tokens if len(tokens) <= limit else [*tokens[: limit - limit // 4], *tokens[-(limit // 4) :]]
