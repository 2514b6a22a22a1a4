"""Labels and probabilities -> the figures of metrics.json; the baselines that they are compared with.

Macro recall, F1 and precision are means over the classes that occur in the labels, as TweetEval and UMSAB count them. A
class that is never predicted has precision and F1 of 0.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from functions.sentiment.features import LABELS, normalised

VADER_BAND = 0.05
"""VADER's authors call a post neutral when its compound score is nearer to zero."""
BINS = 10

Ints = NDArray[np.int64]
Array = NDArray[Any]


def figures(truth: Ints, predicted: Ints) -> dict[str, Any]:
    """macro_recall, macro_f1, accuracy, per_class (precision, recall, f1, support), confusion (rows: truth), n."""
    confusion = np.zeros((3, 3), np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    hits, support, told = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    recall, precision = hits / np.maximum(support, 1), hits / np.maximum(told, 1)
    f1 = 2 * hits / np.maximum(support + told, 1)
    there = support > 0
    return {
        "macro_recall": float(recall[there].mean()),
        "macro_f1": float(f1[there].mean()),
        "accuracy": float(hits.sum() / len(truth)),
        "per_class": {
            name: {
                "precision": float(precision[at]),
                "recall": float(recall[at]),
                "f1": float(f1[at]),
                "support": int(support[at]),
            }
            for at, name in enumerate(LABELS)
        },
        "confusion": confusion.tolist(),
        "n": len(truth),
    }


def of_languages(truth: Ints, predicted: Ints, languages: Sequence[str]) -> dict[str, dict[str, Any]]:
    """macro_recall, macro_f1, accuracy and n of each language, the one with most posts first."""
    codes, counts = np.unique(languages, return_counts=True)
    every = np.asarray(languages)
    answer = {}
    for code in codes[np.argsort(-counts, kind="stable")]:
        found = figures(truth[every == code], predicted[every == code])
        answer[str(code)] = {key: found[key] for key in ("macro_recall", "macro_f1", "accuracy", "n")}
    return answer


def calibration_error(truth: Ints, probabilities: Array) -> float:
    """Expected calibration error of the largest probability, over ten bins of equal width (Guo et al. 2017)."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [abs(right[bins == one].mean() - sure[bins == one].mean()) * (bins == one).mean() for one in np.unique(bins)]
    return float(np.sum(gaps))


def unsure_band(truth: Ints, probabilities: Array, below: float) -> dict[str, float | None]:
    """Share of the posts whose largest probability is below; accuracy inside and outside, None of no posts."""
    inside = probabilities.max(axis=1) < below
    right = probabilities.argmax(axis=1) == truth
    return {
        "below": below,
        "share": float(inside.mean()),
        "accuracy_inside": float(right[inside].mean()) if inside.any() else None,
        "accuracy_outside": float(right[~inside].mean()) if (~inside).any() else None,
    }


def majority(truth: Ints) -> Ints:
    """The most frequent class of the file itself, for every post."""
    return np.full(len(truth), np.bincount(truth, minlength=3).argmax())


def vader(texts: Sequence[str]) -> Ints:
    """VADER (Hutto and Gilbert 2014), rules and a lexicon of English."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415 - of the development tools

    analyzer = SentimentIntensityAnalyzer()
    scores = [analyzer.polarity_scores(text)["compound"] for text in texts]
    return np.array([2 if score >= VADER_BAND else 0 if score <= -VADER_BAND else 1 for score in scores], np.int64)


def linear(texts: Sequence[str], labels: Ints, asked: Sequence[str]) -> Ints:
    """TF-IDF of words and characters, class-balanced logistic regression: trained on texts, asked about others."""
    model = make_pipeline(
        make_union(
            TfidfVectorizer(preprocessor=_plain, ngram_range=(1, 2), min_df=2, sublinear_tf=True),
            TfidfVectorizer(preprocessor=_plain, analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True),
        ),
        LogisticRegression(C=2.0, class_weight="balanced", max_iter=60, tol=1e-3),
    )
    return np.asarray(model.fit(list(texts), labels).predict(list(asked)), np.int64)


def _plain(text: str) -> str:
    return normalised(text).lower()
