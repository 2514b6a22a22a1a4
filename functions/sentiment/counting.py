"""Writes of posts -> what they change in their brand's minute, hour and day -> these rows, with the change in them.

Everything that is counted is a whole number, so the order of writes does not matter, and what a person corrects is
taken from one class and given to the other.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import NamedTuple

from cuatro.events import Sentiment
from cuatro.posts import LABELS, Scored
from functions.sentiment import terms
from functions.sentiment.aggregates import MILLIONTHS, Counts, Grain, Sample, bucket, decode, encode, expires
from functions.sentiment.policy import Policy

SAMPLE_TEXT = 280


class Write(NamedTuple):
    """One write of a post's row. number: of the write, 1 is the first. before: the human label until then."""

    post: str
    scored: Scored
    number: int
    before: Sentiment | None = None


class Part(NamedTuple):
    """What a write changes in an aggregate. minute: of the hour, None where minutes are not kept.

    sample: what becomes of the post among the samples; gone: it is no sample any more. words: of class `label`, and
    taken from `label_before` when there was one.
    """

    key: str
    change: Counts
    minute: int | None = None
    sample: Sample | None = None
    words: frozenset[str] = frozenset()
    label: Sentiment = "neutral"
    label_before: Sentiment | None = None


def parts_of(write: Write, policy: Policy, now_s: int) -> dict[str, Part]:
    """By row; a row that is gone by its age gets nothing. Empty: the write changes nothing that is counted."""
    scored = write.scored
    after, before = contribution(scored, scored.human_label), Counts()
    label_before: Sentiment | None = None
    if write.number > 1:
        before = contribution(scored, write.before)
        label_before = write.before or scored.label
        if before == after:
            return {}
    label = scored.human_label or scored.label
    shown = None if scored.repost else _sample(write.post, scored, label)
    words = frozenset() if scored.repost or label == label_before else terms.words(scored.text)
    counts = Part(f"{scored.network} {scored.language}", after.plus(before, -1), None, None, words, label, label_before)
    found: dict[Grain, Part] = {
        "minute": counts._replace(sample=shown, words=frozenset()),
        "hour": counts._replace(minute=scored.time.astimezone(UTC).minute),
        "day": counts,
    }
    return {
        bucket(scored.brand, grain, scored.time): part
        for grain, part in found.items()
        if expires(grain, scored.time, policy).timestamp() > now_s
    }


def contribution(scored: Scored, human: Sentiment | None) -> Counts:
    """What a post is worth in every row, when a person has said `human` of it."""
    counts = Counts()
    if scored.repost:
        counts.reposts = 1
        return counts
    label = human or scored.label
    setattr(counts, label, 1)
    counts.unsure = int(scored.unsure and human is None)
    if human is None:
        counts.score = round((scored.probabilities[2] - scored.probabilities[0]) * MILLIONTHS)
    else:
        counts.score = (LABELS.index(human) - 1) * MILLIONTHS
    return counts


def folded(p: bytes | None, parts: Sequence[Part], policy: Policy) -> bytes:
    """A row's attribute p after these. Raises ValueError when it is damaged."""
    row = decode(p)
    gained: tuple[dict[str, int], ...] = ({}, {}, {})
    samples = {each.post: each for each in row.samples}
    for part in parts:
        row.counts[part.key] = row.counts.get(part.key, Counts()).plus(part.change)
        if part.minute is not None:
            posts, classed, negative = row.minutes.get(part.minute, (0, 0, 0))
            change = part.change
            row.minutes[part.minute] = (posts + change.posts, classed + change.classed, negative + change.negative)
        if part.sample:
            samples[part.sample.post] = part.sample
        for word in part.words:
            _add(gained, part.label, word, 1)
            if part.label_before:
                _add(gained, part.label_before, word, -1)
    row.samples = _newest(list(samples.values()), policy.samples)
    # Twice of what is shown: the least of them are the ones that a summary counts badly.
    of = [terms.counted(known, new, 2 * policy.terms) for known, new in zip(row.words, gained, strict=True)]
    row.words = (of[0], of[1], of[2])
    return encode(row)


def _sample(post: str, scored: Scored, label: Sentiment) -> Sample:
    probability = scored.probabilities[LABELS.index(label)]
    time_ms = round(scored.time.timestamp() * 1000)
    return Sample(post, label, time_ms, scored.text[:SAMPLE_TEXT], scored.url, probability)


def _newest(samples: list[Sample], number: int) -> list[Sample]:
    """Of each class, newest first."""
    samples.sort(key=lambda each: (-each.time_ms, each.post))
    return [each for label in LABELS for each in [one for one in samples if one.label == label][:number]]


def _add(gained: tuple[dict[str, int], ...], label: Sentiment, word: str, number: int) -> None:
    counts = gained[LABELS.index(label)]
    counts[word] = counts.get(word, 0) + number
