"""Whatever runs a model: the same rows give the same scores, what decided says who it is, errors are the same.

ONNX Runtime in this process against `serve` of the models' container behind InvokeEndpoint.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cuatro.adapters import aws, endpoint
from cuatro.adapters.endpoint import EndpointModel
from cuatro.adapters.model import OnnxModel, loaded
from cuatro.errors import ModelMismatch, Refused, Unavailable
from functions.fraud.decide import Policy
from functions.fraud.explain import explain
from functions.fraud.features import FEATURES
from functions.fraud.score.loading import models
from functions.fraud.scoring import Scoring
from tests.functional import invoke_endpoint, tiny_model
from tests.functional.invoke_endpoint import PORTS, front, served

REFERENCE = {"scores": {"edges": [0.5], "shares": [0.9, 0.1]}, "prevalence": 0.01}
RNG = np.random.default_rng(5)
ROWS = RNG.normal(80, 60, (300, len(FEATURES))).astype(np.float32)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    weights = {"amount": 0.03, "night": 0.001}
    return tiny_model.save(tmp_path_factory.mktemp("m") / "model.onnx", weights, -3.0, reference=REFERENCE)


@pytest.fixture(scope="module")
def address(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with front() as url, served("fraud", path, tmp_path_factory.mktemp("base") / "ml"):
        yield url


@pytest.fixture(autouse=True)
def endpoints(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(aws, "ATTEMPTS", 1)
    for cached in (aws._client, aws._session, loaded):
        cached.cache_clear()
    yield
    for cached in (aws._client, aws._session, loaded):
        cached.cache_clear()


@pytest.fixture(params=["onnx", "endpoint"])
def load(request: pytest.FixtureRequest, path: Path) -> Callable[..., Scoring]:
    uri = str(path) if request.param == "onnx" else "sagemaker:fraud"
    return lambda features=FEATURES: loaded(uri, features)


def test_the_uri_chooses_what_runs_the_model(path: Path) -> None:
    assert isinstance(loaded(str(path), FEATURES), OnnxModel)
    assert isinstance(loaded("sagemaker:fraud", FEATURES), EndpointModel)


def test_a_model_says_what_it_is(load: Callable[..., Scoring]) -> None:
    model = load()
    assert (model.version, model.thresholds) == ("tiny-1", tiny_model.THRESHOLDS)
    assert model.baseline == [0.0] * len(FEATURES)
    assert model.reference == REFERENCE
    assert Policy().thresholds(model.thresholds).review == tiny_model.THRESHOLDS["review"]


def test_scores_are_those_of_the_formula(load: Callable[..., Scoring]) -> None:
    scores = load().score(ROWS)
    margin = ROWS[:, FEATURES.index("amount")] * 0.03 + ROWS[:, FEATURES.index("night")] * 0.001 - 3
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-margin.astype(np.float64))), rtol=1e-5)
    assert (scores.dtype, scores.shape) == (np.float32, (300,))
    assert load().score(ROWS[:0]).shape == (0,)


def test_both_give_the_same_bits(path: Path) -> None:
    np.testing.assert_array_equal(
        loaded(str(path), FEATURES).score(ROWS), loaded("sagemaker:fraud", FEATURES).score(ROWS)
    )


def test_a_decision_can_be_explained(load: Callable[..., Scoring]) -> None:
    row = np.zeros((1, len(FEATURES)), np.float32)
    row[0, FEATURES.index("amount")] = 200
    (reasons,) = explain(row, load())
    assert [reason.group for reason in reasons] == ["amount"]


def test_other_features_are_refused_by_name(load: Callable[..., Scoring]) -> None:
    with pytest.raises(ModelMismatch, match="shoe_size"):
        load((*FEATURES[:-1], "shoe_size"))
    with pytest.raises(ModelMismatch, match="their order"):
        load(FEATURES[::-1])


def test_rows_of_another_width_are_refused(load: Callable[..., Scoring]) -> None:
    with pytest.raises(ModelMismatch, match=f"{len(FEATURES) - 1} values, the model takes {len(FEATURES)}"):
        load().score(ROWS[:, :-1])


def test_many_rows_are_sent_in_bodies_that_the_endpoint_takes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_MAX_BODY", 70 * 4 * len(FEATURES))
    np.testing.assert_array_equal(
        loaded("sagemaker:fraud", FEATURES).score(ROWS), loaded(str(path), FEATURES).score(ROWS)
    )


def test_an_endpoint_that_gets_another_model_says_so_after_it_scored(tmp_path: Path) -> None:
    model = loaded("sagemaker:fraud", FEATURES)
    second = tiny_model.save(tmp_path / "m.onnx", {}, 0.0, version="tiny-2", reference={"prevalence": 0.5})
    before = PORTS["fraud"]
    try:
        with served("next", second, tmp_path / "ml"):
            PORTS["fraud"] = PORTS["next"]
            assert model.version == "tiny-1"
            assert model.score(ROWS[:1]).tolist() == [0.5]
            assert (model.version, model.reference) == ("tiny-2", {"prevalence": 0.5})
    finally:
        PORTS["fraud"] = before


def test_an_endpoint_whose_container_is_away_is_unavailable() -> None:
    model = loaded("sagemaker:fraud", FEATURES)
    before = PORTS["fraud"]
    PORTS["fraud"] = 1  # nobody listens there
    try:
        with pytest.raises(Unavailable, match="fraud"):
            model.score(ROWS[:1])
    finally:
        PORTS["fraud"] = before
    assert model.score(ROWS[:1]).shape == (1,)


def test_an_endpoint_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Refused, match="not found"):
        loaded("sagemaker:nobody", FEATURES)
    assert invoke_endpoint.PORTS.keys() == {"fraud"}


def test_a_shadow_that_does_not_exist_keeps_nobody_from_deciding(path: Path) -> None:
    live, shadow = models(str(path), "sagemaker:nobody")
    assert (live.version, shadow) == (loaded(str(path), FEATURES).version, None)
