"""Rankers of every kind: one contract, the same lists for the same model, and clear words about a wrong one."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from botocore.response import StreamingBody

from cuatro.adapters import endpoint, ranker
from cuatro.adapters.ranker import EndpointRanker, OnnxRanker
from cuatro.errors import ModelMismatch, Refused, Unavailable
from cuatro.ranking import Counting, Relating, Taken
from tests.functional.recommendations import tiny_ranker
from tests.functional.recommendations.ranker_contract import keeps_the_contract

TAKEN = [Taken("i-1", 2.0), Taken("unheard of", 2.5), Taken("i-7", 5.0)]


class Endpoint:
    """sagemaker-runtime whose endpoint serves the tiny model as the container does; a test may change the answer."""

    def __init__(self, path: Path) -> None:
        self._model = OnnxRanker(path)
        self.change: Callable[[dict[str, Any]], Any] = lambda answer: answer

    def invoke_endpoint(self, *, EndpointName: str, ContentType: str, Accept: str, Body: bytes) -> dict[str, Any]:
        assert (EndpointName, ContentType, Accept) == ("ranker", "application/json", "application/json")
        predictions = []
        for each in json.loads(Body)["instances"]:
            taken = [Taken(*pair) for pair in zip(each["items"], each["ages"], strict=True)]
            predictions.append(self._model.rank("", taken, each["exclude"], each["k"])._asdict())
        answer = self.change({"predictions": predictions, "model_version": self._model.version})
        return {"Body": Stream(json.dumps(answer).encode())}


class Stream(StreamingBody):
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, amt: int | None = None) -> bytes:
        return self._data


@pytest.fixture
def served(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    found = Endpoint(tiny)
    monkeypatch.setattr(endpoint, "client", lambda *_: found)
    return found


def test_the_contract_is_kept_by_the_file(tiny: Path) -> None:
    keeps_the_contract(OnnxRanker(tiny))


def test_the_contract_is_kept_by_the_endpoint(served: Endpoint) -> None:
    keeps_the_contract(EndpointRanker("ranker"))


def test_file_and_endpoint_give_the_same_list(tiny: Path, served: Endpoint) -> None:
    of = ("u-1", TAKEN, {"i-2"}, 6)
    assert OnnxRanker(tiny).rank(*of) == EndpointRanker("ranker").rank(*of)


def test_the_endpoint_too_gives_no_reason_for_what_it_does_not_know(served: Endpoint) -> None:
    """It answers with what is popular, which must not pass for what goes with the item."""
    assert isinstance(EndpointRanker("ranker"), Relating)
    assert set(EndpointRanker("ranker").similar("unheard-of", 4).because) == {None}


def test_scores_are_those_of_the_weights(tiny: Path) -> None:
    """i-7 is second of the known ones, its votes count a half: i-8 gets 0.2; popularity adds 1e-6 at most."""
    found = OnnxRanker(tiny).rank("u-1", TAKEN, {"i-1", "i-7"}, 4)
    assert found.items == ["i-2", "i-3", "i-4", "i-8"]
    assert found.scores == pytest.approx([1.0, 0.5, 0.25, 0.2], abs=1e-3)
    assert found.because == ["i-1", "i-1", "i-1", "i-7"]


def test_ages_count_from_the_newest_known_item(tmp_path: Path) -> None:
    path = tiny_ranker.save(tmp_path / "model.onnx", ageing=1.0)
    aged = OnnxRanker(path)
    soon = aged.rank("u-1", [Taken("i-1", 0.0), Taken("i-7", 3.0)], {"i-1", "i-7"}, 4)
    later = aged.rank("u-1", [Taken("i-1", 100.0), Taken("i-7", 103.0)], {"i-1", "i-7"}, 4)
    assert soon == later
    assert dict(zip(soon.items, soon.scores, strict=True))["i-8"] == pytest.approx(0.4 / 2 / 4, abs=1e-3)


def test_the_file_tells_what_is_popular(tiny: Path) -> None:
    found = OnnxRanker(tiny)
    assert isinstance(found, Counting)
    assert (found.popularity("i-1"), found.popularity("i-12"), found.popularity("none")) == (100, 1, None)
    assert found.knows("i-12")
    assert not found.knows("none")


def damaged(path: Path, change: Callable[[onnx.ModelProto], None], checksum: bool = True) -> Path:
    model = onnx.load(str(path))
    change(model)
    onnx.save(model, str(path))
    if checksum:
        Path(f"{path}.sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest(), encoding="utf-8")
    return path


def properties(**changes: str | None) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        told = {each.key: each.value for each in model.metadata_props} | changes
        onnx.helper.set_model_props(model, {key: value for key, value in told.items() if value is not None})

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (properties(items=None), "does not name its items"),
        (properties(features='["items","k"]'), "other features"),
        (properties(popularity="[1,2]"), "popularity of 2 items"),
    ],
)
def test_a_file_that_is_not_what_it_should_be(
    tmp_path: Path, change: Callable[[onnx.ModelProto], None], words: str
) -> None:
    path = damaged(tiny_ranker.save(tmp_path / "model.onnx"), change)
    with pytest.raises(ModelMismatch, match=words):
        OnnxRanker(path)


def test_a_file_of_another_checksum_or_none_at_all(tmp_path: Path) -> None:
    path = damaged(tiny_ranker.save(tmp_path / "model.onnx"), properties(version="2"), checksum=False)
    with pytest.raises(ModelMismatch, match="checksum"):
        OnnxRanker(path)
    with pytest.raises(OSError, match="nowhere"):
        OnnxRanker(tmp_path / "nowhere.onnx")


def test_a_model_of_another_pipeline_is_no_ranker(tmp_path: Path) -> None:
    from tests.functional import tiny_model  # noqa: PLC0415

    with pytest.raises(ModelMismatch, match="is no ranker"):
        OnnxRanker(tiny_model.save(tmp_path / "model.onnx", {"amount": 1.0}, 0.0))


def test_scores_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    def spoil(model: onnx.ModelProto) -> None:
        (prior,) = [each for each in model.graph.initializer if each.name == "prior"]
        prior.CopyFrom(onnx.numpy_helper.from_array(np.full(len(tiny_ranker.NAMES), np.nan, np.float32), "prior"))

    broken = OnnxRanker(damaged(tiny_ranker.save(tmp_path / "model.onnx"), spoil))
    with pytest.raises(ModelMismatch, match="no numbers"):
        broken.rank("u-1", [], set(), 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda answer: {**answer, "predictions": []}, "does not answer as"),
        (lambda _: {"scores": [1.0]}, "does not answer as"),
        (lambda answer: {**answer, "predictions": [{**answer["predictions"][0], "scores": [1.0]}]}, "1 scores"),
    ],
)
def test_an_endpoint_that_answers_something_else(
    served: Endpoint, change: Callable[[dict[str, Any]], Any], words: str
) -> None:
    served.change = change
    with pytest.raises(ModelMismatch, match=words):
        EndpointRanker("ranker").rank("u-1", TAKEN, set(), 3)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ValidationException", 400, Refused),
        ("AccessDeniedException", 403, Refused),
        ("ThrottlingException", 400, Unavailable),
        ("ModelNotReadyException", 429, Unavailable),
        ("InternalFailure", 500, Unavailable),
    ],
)
def test_an_endpoint_that_says_no(
    monkeypatch: pytest.MonkeyPatch, code: str, status: int, error: type[Exception]
) -> None:
    from botocore.exceptions import ClientError  # noqa: PLC0415

    class Away:
        def invoke_endpoint(self, **_: Any) -> None:
            metadata = {"HTTPStatusCode": status}
            raise ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "InvokeEndpoint")  # type: ignore[typeddict-item]

    monkeypatch.setattr(endpoint, "client", lambda *_: Away())
    with pytest.raises(error):
        EndpointRanker("ranker").rank("u-1", TAKEN, set(), 3)


def test_a_uri_says_who_ranks_and_is_loaded_once(tiny: Path) -> None:
    assert isinstance(ranker.ranker("sagemaker:x"), EndpointRanker)
    assert ranker.ranker(str(tiny)) is ranker.ranker(str(tiny))
