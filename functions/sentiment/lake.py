"""What a person says of a post -> a line of the lake, which retraining reads."""

from typing import Literal

import msgspec

from cuatro.events import Network, Sentiment, ZonedTime


class LabelRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """A post and its class by a person. Of several lines of a post the one with the newest `time` holds.

    post: the key of its row. text: whole, redacted. label, probabilities, model_version, unsure: the model's verdict.
    time: when the person said so, dt its day (UTC); written: when the post was.
    """

    version: Literal[1] = 1
    post: str
    brand: str
    network: Network
    language: str
    text: str
    fingerprint: str
    human_label: Sentiment
    by: str | None
    note: str | None
    time: ZonedTime
    written: ZonedTime
    label: Sentiment
    probabilities: tuple[float, float, float]
    unsure: bool
    model_version: str
    dt: str


line = msgspec.json.Encoder().encode
"""The lake's line, without its end."""
