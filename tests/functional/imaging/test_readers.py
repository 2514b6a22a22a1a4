"""Whoever reads radiographs: the same promises, in this process and behind `serve`; and what is no reader."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cuatro.adapters import aws
from cuatro.adapters.endpoint import invoked
from cuatro.adapters.radiograph import EndpointReader, OnnxReader, reader
from cuatro.errors import ModelMismatch, Refused, Unavailable
from functions.imaging import features
from functions.imaging.features import SIDE, VERSION, prepared
from tests.functional.imaging import tiny_reader
from tests.functional.invoke_endpoint import PORTS, front, served
from tests.reader_contract import film, keeps_the_contract


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_reader.save(tmp_path_factory.mktemp("reader"))


@pytest.fixture(scope="module")
def address(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    base = tmp_path_factory.mktemp("base") / "ml"
    with front() as url, served("own", path, base, "imaging"):
        yield url


@pytest.fixture(autouse=True)
def endpoints(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(aws, "backoff", lambda *_: None)
    for cached in (aws._client, aws._session, reader):
        cached.cache_clear()
    yield
    for cached in (aws._client, aws._session, reader):
        cached.cache_clear()


def test_the_model_in_this_process(path: Path) -> None:
    found = reader(str(path), VERSION, SIDE)
    keeps_the_contract(found)
    assert found.facts == ("tiny-1", 0.5, (0.4, 0.6), 20.0)
    assert reader(str(path), VERSION, SIDE) is found


def test_the_model_behind_an_endpoint(path: Path) -> None:
    found = reader("sagemaker:own", VERSION, SIDE)
    assert isinstance(found, EndpointReader)
    keeps_the_contract(found)
    here = OnnxReader(path, VERSION)
    assert found.facts == here.facts
    image = prepared(film(0.3))
    (one,), (other,) = found.read(image), here.read(image)
    assert one.probability == pytest.approx(other.probability)
    np.testing.assert_allclose(one.cam, other.cam, rtol=1e-6)


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (np.zeros((1, 1, SIDE, SIDE), np.float32), "float32"),
        (np.zeros((1, 1, SIDE, SIDE - 1), np.uint8), r"\(1, 1, 224, 223\)"),
        (np.zeros((SIDE, SIDE), np.uint8), r"\(224, 224\)"),
        (np.zeros((257, 1, SIDE, SIDE), np.uint8), "at most 256"),
    ],
)  # fmt: skip
def test_what_an_endpoint_refuses_is_told_in_its_words(array: np.ndarray, why: str) -> None:
    stream = io.BytesIO()
    np.save(stream, array)
    with pytest.raises(ModelMismatch, match=why):
        invoked("own", stream.getvalue(), "application/x-npy")


@pytest.mark.parametrize("body", [b"", b"\x93NUMPY", b"no array", b"\x93NUMPY\x01\x00\x10\x00{'descr': '|u1'}"])
def test_bytes_that_are_no_array_are_refused(body: bytes) -> None:
    with pytest.raises(ModelMismatch, match=r"not a \.npy file"):
        invoked("own", body, "application/x-npy")


def test_a_header_that_promises_more_than_there_is() -> None:
    stream = io.BytesIO()
    np.save(stream, np.zeros((2, 1, SIDE, SIDE), np.uint8))
    with pytest.raises(ModelMismatch, match="bytes follow"):
        invoked("own", stream.getvalue()[:-7], "application/x-npy")


def test_an_endpoint_that_is_not_there_or_down() -> None:
    with pytest.raises(Refused, match="not found"):
        reader("sagemaker:none", VERSION, SIDE)
    PORTS["down"] = 1  # nobody listens there
    try:
        with pytest.raises(Unavailable):
            reader("sagemaker:down", VERSION, SIDE)
    finally:
        PORTS.pop("down")


def test_a_model_for_other_features_or_of_another_kind(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelMismatch, match="other features"):
        reader(str(path), "imaging-0", SIDE)
    with pytest.raises(ModelMismatch, match="other features"):
        reader("sagemaker:own", "imaging-0", SIDE)
    with pytest.raises(ModelMismatch, match="reads no radiographs"):
        OnnxReader(Path(__file__).resolve().parents[3] / "models" / "fraud" / "model.onnx", features.VERSION)
    for name, value in (("threshold", "high"), ("unsure", "[0.5]"), ("distance_limit", "")):
        with pytest.raises(ModelMismatch, match="does not tell"):
            OnnxReader(tiny_reader.save(tmp_path, **{name: value}), VERSION)
    with pytest.raises(FileNotFoundError):
        reader(str(tmp_path / "none.onnx"), VERSION, SIDE)
    path.with_name(f"{path.name}.sha256").write_text("0" * 64)
    try:
        with pytest.raises(ModelMismatch, match="checksum"):
            OnnxReader(path, VERSION)
    finally:
        path.with_name(f"{path.name}.sha256").unlink()


def test_probabilities_that_are_none(tmp_path: Path) -> None:
    broken = OnnxReader(tiny_reader.save(tmp_path, version="broken", share=3.0), VERSION)
    with pytest.raises(ModelMismatch, match="no numbers"):
        broken.read(prepared(film(0.9)))
    with pytest.raises(ModelMismatch, match="cannot read"):
        broken.read(np.zeros((1, 1, 32, 32), np.uint8))
