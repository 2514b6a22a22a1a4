"""Texts -> the words that say what they are about; counts of words -> the most frequent ones, in bounded space.

Counts are a Misra-Gries summary (Misra and Gries, Science of Computer Programming 1982), which may be merged with
others (Agarwal et al., Mergeable Summaries, PODS 2012): a word's count is never too high, and too low by at most
N / (capacity + 1) of the N words counted. Until `capacity` different words have come it is exact.
"""

import re
from collections.abc import Mapping

from functions.sentiment.stopwords import STOPWORDS

Counts = Mapping[str, int]

MAX_WORDS = 30
"""Of a text, so that a long one does not say more than thirty short ones."""
_WORD = re.compile(
    r"https?://\S+|www\.\S+|@\w+|\[(?:email|phone|card|iban)\]"  # passed over
    r"|(#?\w[\w'\u2019-]*\w)"
    r"|([\u2600-\u27bf\U0001f300-\U0001faff])"
)
_ONE_WORD_SCRIPT = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LEAST, _LONGEST = 3, 40


def words(text: str) -> frozenset[str]:
    """What a cleaned text is about: words in lower case, hashtags, emoji; each once, MAX_WORDS at most.

    A script without spaces between words (Chinese, Japanese, Thai, Korean) gives its runs of letters, at most ten long.
    """
    found: dict[str, None] = {}
    for match in _WORD.finditer(text):
        word = (match.group(1) or "").casefold().replace("\u2019", "'").removesuffix("'s") or match.group(2)
        if word and _says_something(word):
            found[word] = None
            if len(found) == MAX_WORDS:
                break
    return frozenset(found)


def _says_something(word: str) -> bool:
    if len(word) == 1:
        return not word.isalnum()
    if _ONE_WORD_SCRIPT.search(word):
        return len(word) <= 10
    plain = word.lstrip("#")
    return (
        len(plain) >= _LEAST
        and len(word) <= _LONGEST
        and word not in STOPWORDS
        and not plain.replace("-", "").replace("_", "").isdigit()
    )


def counted(counts: Counts, more: Counts, capacity: int) -> dict[str, int]:
    """Counts with more, which may be another summary or, to take words back, negative: of those as far as known."""
    merged = dict(counts)
    for word, number in more.items():
        if number > 0 or word in merged:
            merged[word] = merged.get(word, 0) + number
    merged = {word: number for word, number in merged.items() if number > 0}
    if len(merged) <= capacity:
        return merged
    spare = sorted(merged.values(), reverse=True)[capacity]
    return {word: number - spare for word, number in merged.items() if number > spare}


def top(counts: Counts, number: int) -> list[tuple[str, int]]:
    """The most frequent words, best first; the same counts in the order of the alphabet."""
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:number]
