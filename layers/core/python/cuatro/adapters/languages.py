"""Text -> how likely each language is: py3langid's naive Bayes over byte n-grams, 4.5 MB, no service.

Lui and Baldwin, "langid.py: an off-the-shelf language identification tool", ACL 2012 (the method); its fork py3langid
(the model, with probabilities that stay calibrated on short texts).
"""

from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]


def probabilities(text: str) -> dict[str, float]:
    """ISO 639-1 code -> probability, of all languages that the model knows; they sum to 1."""
    return dict(_identifier().rank(text))


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
