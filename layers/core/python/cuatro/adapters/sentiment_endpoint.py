"""Texts -> verdicts by a SageMaker endpoint: of this suite's container, of Hugging Face's, or of BlazingText.

    sagemaker    {"instances": [{"text", "language"}]} -> {"predictions": [{"probabilities": [3]}], "model_version"}
    huggingface  {"inputs": [text], "parameters": {...}} -> [[{"label", "score"}]]: the toolkit's text-classification
    blazingtext  {"instances": [tokens], "configuration": {"k": 3}} -> [{"label": ["__label__..."], "prob": [...]}]

The last two do not tell their model's version: the endpoint's name stands for it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from cuatro.adapters.endpoint import invoked
from cuatro.classification import UNSURE_BELOW, Text, unsupported, verdict
from cuatro.errors import ModelMismatch
from cuatro.posts import LABELS, Verdict
from cuatro.supervised_text import probabilities, tokens

TEXTS_A_CALL, BYTES_A_CALL = 100, 2_000_000
"""A container answers within a minute, and serverless ones take 4 MB."""
SPELLED = {
    "negative": 0, "neg": 0, "label_0": 0, "neutral": 1, "neu": 1, "label_1": 1, "positive": 2, "pos": 2, "label_2": 2,
}  # fmt: skip
"""How models of the Hugging Face hub name three classes -> place in LABELS (label_0...: cardiffnlp's)."""


class _Prediction(msgspec.Struct):
    probabilities: list[float]


class _Own(msgspec.Struct):
    predictions: list[_Prediction]
    model_version: str
    unsure_below: float = 0.0


class _Scored(msgspec.Struct):
    label: str
    score: float


class _Blazing(msgspec.Struct):
    label: list[str]
    prob: list[float]


class Told(NamedTuple):
    """probabilities: of each text. version, unsure_below: empty and 0 where the endpoint does not tell."""

    probabilities: list[list[float]]
    version: str = ""
    unsure_below: float = 0.0


class Wire(NamedTuple):
    """How a kind of container is asked and understood. read raises msgspec.MsgspecError or ModelMismatch."""

    body: Callable[[Sequence[Text]], Any]
    read: Callable[[bytes], Told]


def _own(body: bytes) -> Told:
    answer = msgspec.json.decode(body, type=_Own)
    return Told([each.probabilities for each in answer.predictions], answer.model_version, answer.unsure_below)


def _hugging_face(body: bytes) -> Told:
    return Told([_named(each) for each in msgspec.json.decode(body, type=list[list[_Scored]])])


def _named(scores: Sequence[_Scored]) -> list[float]:
    found = [0.0] * len(LABELS)
    for each in scores:
        place = SPELLED.get(each.label.lower())
        if place is None:
            raise ModelMismatch(f"the endpoint knows the class {each.label!r}, which is none of {', '.join(LABELS)}")
        found[place] = each.score
    return found


def _blazing_text(body: bytes) -> Told:
    answers = msgspec.json.decode(body, type=list[_Blazing])
    return Told([probabilities(each.label, each.prob) for each in answers])


WIRES = {
    "sagemaker": Wire(
        lambda texts: {"instances": [{"text": each.text, "language": each.language} for each in texts]}, _own
    ),
    "huggingface": Wire(
        lambda texts: {"inputs": [each.text for each in texts], "parameters": {"top_k": None, "truncation": True}},
        _hugging_face,
    ),
    "blazingtext": Wire(
        lambda texts: {"instances": [tokens(each.text) for each in texts], "configuration": {"k": len(LABELS)}},
        _blazing_text,
    ),
}  # fmt: skip


class EndpointBackend:
    """As Backend says; name: a key of WIRES. version: as of the last answer."""

    def __init__(self, kind: str, endpoint: str, unsure_below: float = 0.0) -> None:
        """No call is made yet. unsure_below: 0 takes what the endpoint tells, or UNSURE_BELOW."""
        self.name, self._endpoint, self._wire = kind, endpoint, WIRES[kind]
        self.version = "" if kind == "sagemaker" else endpoint
        self._unsure_below = unsure_below

    def classify(self, texts: Sequence[Text]) -> list[Verdict]:
        """As Backend says. A text without a single token is `unsupported`."""
        readable = [place for place, each in enumerate(texts) if tokens(each.text)]
        told: dict[int, Verdict] = {}
        for part in _parts([texts[place] for place in readable]):
            for made in self._asked(part):
                told[readable[len(told)]] = made
        return [told[place] if place in told else unsupported(self.name, self.version) for place in range(len(texts))]

    def _asked(self, texts: Sequence[Text]) -> list[Verdict]:
        body = invoked(self._endpoint, msgspec.json.encode(self._wire.body(texts)), "application/json")
        try:
            answer = self._wire.read(body)
        except msgspec.MsgspecError as error:
            text = f"{self._endpoint} does not answer as a {self.name} endpoint does: {error}"
            raise ModelMismatch(text) from None
        if len(answer.probabilities) != len(texts):
            raise ModelMismatch(f"{self._endpoint} gave {len(answer.probabilities)} answers for {len(texts)} texts")
        self.version = answer.version or self.version
        limit = self._unsure_below or answer.unsure_below or UNSURE_BELOW
        return [verdict(each, self.name, self.version, limit) for each in answer.probabilities]


def _parts(texts: Sequence[Text]) -> Iterator[list[Text]]:
    """Texts for one call each."""
    part: list[Text] = []
    size = 0
    for each in texts:
        bytes_ = len(each.text.encode())
        if part and (len(part) == TEXTS_A_CALL or size + bytes_ > BYTES_A_CALL):
            yield part
            part, size = [], 0
        part.append(each)
        size += bytes_
    if part:
        yield part
