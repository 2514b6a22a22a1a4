"""A cleaned text, and what the network says of its language -> its language, or "und" where nobody can tell.

A model of byte n-grams that knows 200 languages sees Xhosa in "thanks": what is short is judged with what is known
beforehand, how often a language is written on these networks and what the network itself says (Bayes' rule).
"""

import re
from collections.abc import Callable, Mapping

from cuatro.adapters import languages
from cuatro.posts import primary

UNKNOWN = "und"
LEAST_PROBABILITY = 0.5
"""After Bayes' rule; below it the network's hint is taken, or none."""
HINT_WEIGHT = 5.0
"""How much likelier the hinted language is than it was: of the networks' hints most are right, and some a default."""
_USUAL = {"en": 1.0, "es": 0.4, "pt": 0.4, "fr": 0.3, "de": 0.3, "it": 0.2}
_OTHER = 0.02
MAX_CHARACTERS = 600
"""Of a text that are looked at: two sentences tell its language."""

_NO_WORDS = re.compile(
    r"https?://\S*|www\.\S+|(?<!\w)@[\w.-]+(?:@[\w.-]+)*|\[(?:email|phone|card|iban)\]|[^\W\d_]*\d\w*"
)
_LETTER = re.compile(r"[^\W\d_]")
_SIGNS = re.compile(r"[^\w\s'\u2019-]|_")


def detect(
    text: str, hint: str | None = None, model: Callable[[str], Mapping[str, float]] = languages.probabilities
) -> str:
    """ISO 639-1 code, or "und". hint: BCP 47, of the network. model: text -> probability of each language.

    A text without two letters (an emoji, a link) has the language of its hint.
    """
    told = primary(hint)
    words = _SIGNS.sub(" ", _NO_WORDS.sub(" ", text[: 2 * MAX_CHARACTERS]))[:MAX_CHARACTERS].strip()
    if len(_LETTER.findall(words)) < 2:
        return told or UNKNOWN
    weighed = {
        language: probability * _USUAL.get(language, _OTHER) * (HINT_WEIGHT if language == told else 1.0)
        for language, probability in model(words).items()
    }
    best = max(weighed, key=weighed.__getitem__)
    if weighed[best] >= LEAST_PROBABILITY * sum(weighed.values()):
        return best
    return told or UNKNOWN
