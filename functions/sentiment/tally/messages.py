"""A write of a post -> what each receiver gets: the bus an event, the lake a person's label."""

from datetime import datetime

from cuatro.events import PostClassified, PostRelabelled, milliseconds
from cuatro.posts import Scored, day
from cuatro.times import text_of
from functions.sentiment import lake
from functions.sentiment.counting import SAMPLE_TEXT
from functions.sentiment.outbox import Entry, Relabelled


def event(post: str, scored: Scored, entry: Entry) -> PostClassified | PostRelabelled:
    """For the bus. post: the row's key, which stands for a correlation id where the post came without."""
    if isinstance(entry, Relabelled):
        return PostRelabelled(
            post=post,
            brand=scored.brand,
            label=scored.label,
            human_label=entry.after,
            by=entry.by,
            time=entry.time,
        )
    return PostClassified(
        post=post,
        brand=scored.brand,
        network=scored.network,
        language=scored.language,
        label=scored.label,
        probabilities=scored.probabilities,
        unsure=scored.unsure,
        backend=scored.backend,
        model_version=scored.model_version,
        repost=scored.repost,
        time=_text(scored.time),
        classified_at=_text(scored.classified_at),
        url=scored.url,
        text=scored.text[:SAMPLE_TEXT],
        correlation_id=scored.correlation_id or post,
    )


def label(post: str, scored: Scored, entry: Entry) -> bytes | None:
    """For the lake; None where no person said anything."""
    if not isinstance(entry, Relabelled):
        return None
    time = datetime.fromisoformat(entry.time)
    return lake.line(
        lake.LabelRecorded(
            post=post,
            brand=scored.brand,
            network=scored.network,
            language=scored.language,
            text=scored.text,
            fingerprint=scored.fingerprint,
            human_label=entry.after,
            by=entry.by,
            note=entry.note,
            time=time,
            written=scored.time,
            label=scored.label,
            probabilities=scored.probabilities,
            unsure=scored.unsure,
            model_version=scored.model_version,
            dt=day(time),
        )
    )


def _text(time: datetime) -> str:
    return text_of(milliseconds(time))
