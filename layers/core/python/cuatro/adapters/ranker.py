"""What a user took -> the best items: by an ONNX file in this process, by a SageMaker endpoint, or by Personalize.

An item that the model does not know is skipped, wherever it stands. The ONNX file takes items as places in its list of
names (metadata `items`), ages in days before the newest, and gives places and scores; names go in and out here.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec

from cuatro.adapters.aws import BRISK
from cuatro.adapters.endpoint import invoked
from cuatro.adapters.model import ENDPOINT
from cuatro.adapters.onnx_file import opened, parsed
from cuatro.errors import ModelMismatch
from cuatro.ranking import Ranked, Ranker, Taken

PERSONALIZE = "personalize:"
"""How the URI of a ranker begins that is a campaign of Amazon Personalize."""
FAVOURITES = 200
"""As many as a shelf holds."""
INPUTS = ("items", "ages", "exclude", "k")
OUTPUTS = ["top", "scores", "because"]


class OnnxRanker:
    """Ranks within this process, with one thread. metrics: what the file says of itself."""

    def __init__(self, path: str | Path, sha256: str | None = None) -> None:
        """Load. Raises ModelMismatch for a damaged file or one of another shape, OSError for one that is not there."""
        import numpy as np

        self._session, metadata = opened(path, sha256)
        inputs = {each.name for each in self._session.get_inputs()}
        outputs = {each.name for each in self._session.get_outputs()}
        if inputs != set(INPUTS) or not outputs.issuperset(OUTPUTS):
            raise ModelMismatch(f"{path} is no ranker: it takes {sorted(inputs)} and gives {sorted(outputs)}")
        if (features := tuple(parsed(metadata, "features", INPUTS))) != INPUTS:
            raise ModelMismatch(f"{path} expects other features than this code makes: {', '.join(features)}")
        self._names: list[str] = parsed(metadata, "items", [])
        if not self._names:
            raise ModelMismatch(f"{path} does not name its items")
        self._places = {name: place for place, name in enumerate(self._names)}
        counts: list[float] = parsed(metadata, "popularity", [])
        if len(counts) not in {0, len(self._names)}:
            raise ModelMismatch(f"{path} has the popularity of {len(counts)} items, and {len(self._names)} names")
        self._popularity = np.asarray(counts, np.float64)
        best = np.argsort(-self._popularity, kind="stable")[:FAVOURITES].tolist()
        total = float(self._popularity.sum()) or 1.0
        self._favourites = {self._names[place]: counts[place] / total for place in best}
        self.version: str = metadata.get("version", "")
        self.metrics: dict[str, Any] = parsed(metadata, "metrics", {})

    def rank(self, user_id: str, taken: Sequence[Taken], exclude: Collection[str], k: int) -> Ranked:  # noqa: ARG002
        """As Ranker says. Raises ModelMismatch when the model cannot be run with that, or its scores are no numbers."""
        import numpy as np

        known = [each for each in taken if each.item in self._places]
        newest = known[0].age_days if known else 0.0
        given = {
            "items": np.array([self._places[each.item] for each in known], np.int64),
            "ages": np.array([max(0.0, each.age_days - newest) for each in known], np.float32),
            "exclude": np.array([self._places[item] for item in exclude if item in self._places], np.int64),
            "k": np.array([k], np.int64),
        }
        try:
            top, scores, because = (output.tolist() for output in self._session.run(OUTPUTS, given))
        except Exception as error:  # onnxruntime has a dozen kinds without a common ancestor
            raise ModelMismatch(f"{self.version} cannot rank: {error}") from error
        # From the first excluded one on (its score is minus infinity) everything is excluded.
        end = next((at for at, score in enumerate(scores) if not isfinite(score)), len(scores))
        if end < len(scores) and scores[end] != float("-inf"):
            raise ModelMismatch(f"scores of {self.version} are no numbers")
        return Ranked(
            [self._names[place] for place in top[:end]],
            scores[:end],
            [known[at].item if at >= 0 else None for at in because[:end]],
        )

    @property
    def names(self) -> Sequence[str]:
        """All items that it knows."""
        return self._names

    def similar(self, item: str, k: int) -> Ranked:
        """As Relating says."""
        return self.rank("", [Taken(item, 0.0)], {item}, k)

    def knows(self, item: str) -> bool:
        """Was it in training?"""
        return item in self._places

    def popularity(self, item: str) -> float | None:
        """Interactions that the item had in training; None where the file does not tell, or for an unknown item."""
        place = self._places.get(item)
        return None if place is None or not len(self._popularity) else float(self._popularity[place])

    def favourites(self) -> Mapping[str, float]:
        """The FAVOURITES most popular items of the training, with their share of its interactions."""
        return self._favourites


class _Prediction(msgspec.Struct):
    items: list[str]
    scores: list[float]
    because: list[str | None]


class _Answer(msgspec.Struct):
    predictions: list[_Prediction]
    model_version: str


_ANSWER = msgspec.json.Decoder(_Answer)


class EndpointRanker:
    """Ranks by InvokeEndpoint. version: as of the last answer, empty before the first.

    Somebody waits for the list and can have another one: an endpoint that starts a container is not waited for.
    """

    def __init__(self, name: str) -> None:
        self._name, self.version = name, ""

    def rank(self, user_id: str, taken: Sequence[Taken], exclude: Collection[str], k: int) -> Ranked:  # noqa: ARG002
        """As Ranker says. Raises ModelMismatch with the container's words, Unavailable, Refused."""
        instance = {
            "items": [each.item for each in taken],
            "ages": [each.age_days for each in taken],
            "exclude": sorted(exclude),
            "k": k,
        }
        body = invoked(self._name, msgspec.json.encode({"instances": [instance]}), "application/json", BRISK)
        try:
            answer = _ANSWER.decode(body)
            (found,) = answer.predictions
        except (msgspec.MsgspecError, ValueError) as error:
            raise ModelMismatch(f"{self._name} does not answer as this suite's rankers do: {error}") from None
        if not len(found.items) == len(found.scores) == len(found.because):
            raise ModelMismatch(f"{self._name} gave {len(found.items)} items and {len(found.scores)} scores")
        self.version = answer.model_version
        return Ranked(found.items, found.scores, found.because)

    def similar(self, item: str, k: int) -> Ranked:
        """As Relating says."""
        return self.rank("", [Taken(item, 0.0)], {item}, k)

    def knows(self, item: str) -> bool:  # noqa: ARG002
        """True: only the endpoint could tell."""
        return True


@cache
def ranker(uri: str) -> Ranker:
    """The ranker at `uri`, made once: an ONNX file's path, sagemaker:<endpoint>, personalize:<ARN of a campaign>.

    Raises ModelMismatch, OSError for a file that is not there.
    """
    if uri.startswith(ENDPOINT):
        return EndpointRanker(uri.removeprefix(ENDPOINT))
    if uri.startswith(PERSONALIZE):
        from cuatro.adapters.personalize import PersonalizeRanker

        return PersonalizeRanker(uri.removeprefix(PERSONALIZE))
    return OnnxRanker(uri)
