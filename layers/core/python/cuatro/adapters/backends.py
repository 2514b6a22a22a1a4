"""What the policy names -> the classifier, made once: the model in this process, a service, an endpoint."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from cuatro.adapters.bedrock import BedrockOpinion, Budget
from cuatro.adapters.comprehend import ComprehendBackend
from cuatro.adapters.sentiment_endpoint import WIRES, EndpointBackend
from cuatro.classification import Backend, Opinion, Text, unsupported, verdict
from cuatro.config import Misconfigured
from cuatro.posts import Verdict

ONNX, COMPREHEND, BEDROCK = "onnx", "comprehend", "bedrock"


class OnnxBackend:
    """The model of this suite, in this process. As Backend says; the language is not needed."""

    name = ONNX

    def __init__(self, model: Any, unsure_below: float = 0.0) -> None:
        """model: a cuatro.adapters.classifier.Classifier. unsure_below: 0 takes the model's own."""
        self._model, self._unsure_below = model, unsure_below or float(model.unsure_below)
        self.version: str = model.version

    def classify(self, texts: Sequence[Text]) -> list[Verdict]:
        """As Backend says. Raises ModelMismatch."""
        readable = [place for place, each in enumerate(texts) if each.text.strip()]
        found = [unsupported(ONNX, self.version)] * len(texts)
        if readable:
            rows = self._model.classify([texts[place].text for place in readable]).tolist()
            for place, row in zip(readable, rows, strict=True):
                found[place] = verdict(row, ONNX, self.version, self._unsure_below)
        return found


@cache
def backend(name: str, model_uri: str = "", features: Any = None, unsure_below: float = 0.0) -> Backend:
    """name: onnx, comprehend, sagemaker:<endpoint>, huggingface:<endpoint>, blazingtext:<endpoint>.

    model_uri: of onnx, the path of its file, or sagemaker:<endpoint> where an endpoint serves that same model.
    features: of onnx, the module that makes its input. unsure_below: 0 takes the model's own, or UNSURE_BELOW.
    Raises Misconfigured for another name, ModelMismatch, OSError for a file that is not there.
    """
    kind, _, endpoint = (model_uri if name == ONNX and model_uri.startswith("sagemaker:") else name).partition(":")
    if kind in WIRES and endpoint:
        return EndpointBackend(kind, endpoint, unsure_below)
    if name == COMPREHEND:
        return ComprehendBackend(unsure_below)
    if name == ONNX:
        from cuatro.adapters.classifier import classifier

        return OnnxBackend(classifier(model_uri, features), unsure_below)
    raise Misconfigured(f"no backend is called {name!r}")


@cache
def second_opinion(name: str, budget_table: str, monthly_usd: float, unsure_below: float = 0.0) -> Opinion | None:
    """name: bedrock:<model id>; None for "". budget_table: keyed by `source`. Raises Misconfigured."""
    if not name:
        return None
    kind, _, model_id = name.partition(":")
    if kind != BEDROCK or not model_id:
        raise Misconfigured(f"no second opinion is called {name!r}")
    return BedrockOpinion(model_id, Budget(budget_table, model_id, monthly_usd), unsure_below)
