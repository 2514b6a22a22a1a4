"""One normalised image, by its study and instance -> what the model says of it, the shadow's word, the heat map."""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from cuatro.adapters.radiograph import reader
from cuatro.errors import ModelMismatch, Refused, Unavailable
from cuatro.radiographs import Reader
from functions.imaging import features
from functions.imaging.activation import blank, heat
from functions.imaging.infer.verdict import Verdict, judged, unread
from functions.imaging.intended_use import Image, doubts, unreadable
from functions.imaging.policy import Policy

Pixels = NDArray[np.uint8]


class Shadow(msgspec.Struct):
    """What another model would have said; nobody acts on it. problem: why it said nothing."""

    model_version: str = ""
    finding: str = ""
    probability: float | None = None
    unsure: bool = False
    problem: str = ""


class Read(NamedTuple):
    """heatmap: uint8 [h, w], black where the model did not read. shadow: None without one, or where none was asked."""

    verdict: Verdict
    model_version: str
    heatmap: Pixels
    shadow: Shadow | None


def read(image: Image, pixels: Pixels, policy: Policy, model_uri: str, shadow_uri: str) -> Read:
    """Raises Unavailable, Refused, ModelMismatch, OSError of the model; the shadow's failures are told in its word."""
    live = _reader(model_uri)
    if why := unreadable(image, policy.min_age, policy.max_age):
        return Read(unread(why), live.facts.version, blank(*pixels.shape), None)
    prepared = features.prepared(pixels)
    open_questions = doubts(image)
    (reading,) = live.read(prepared)
    verdict = judged(reading, live.facts, open_questions)
    seen = verdict.finding != "not_readable"
    heatmap = heat(reading.cam, *pixels.shape) if seen else blank(*pixels.shape)
    return Read(verdict, live.facts.version, heatmap, _shadow(shadow_uri, prepared, open_questions))


def _shadow(uri: str, prepared: Pixels, open_questions: tuple[str, ...]) -> Shadow | None:
    if not uri:
        return None
    try:
        model = _reader(uri)
        (reading,) = model.read(prepared)
    except (ModelMismatch, Refused, Unavailable, OSError) as error:
        return Shadow(problem=type(error).__name__)
    verdict = judged(reading, model.facts, open_questions)
    return Shadow(model.facts.version, verdict.finding, verdict.probability, verdict.unsure)


def _reader(uri: str) -> Reader:
    return reader(uri, features.VERSION, features.SIDE)
