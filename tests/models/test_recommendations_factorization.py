"""SageMaker's built-in Factorization Machines: rows in its format, its archive back, one list from machine and file."""

import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit

from models.recommendations import data
from models.recommendations.data import Histories
from models.recommendations.export import Recommender
from models.recommendations.factorization import algorithm, recordio
from models.recommendations.factorization.conversion import to_onnx
from models.recommendations.factorization.encoding import NEGATIVES, encoded, profiles
from models.recommendations.factorization.image import image_uri
from models.recommendations.factorization.machine import Setting, pairs, scores, trained
from models.recommendations.factorization.measure import figures, lister
from models.recommendations.factorization.parameters import (
    LIST_MAGIC,
    MEMBER,
    PARAMS,
    V2_MAGIC,
    Parameters,
    packed,
    unpacked,
)

FADE = 0.5


def cliques(users: int = 300, groups: int = 5, size: int = 8) -> Histories:
    """People who keep to one group of items each, in random order."""
    rng = np.random.default_rng(3)
    items = np.array([rng.permutation(size)[:5] + size * (user % groups) for user in range(users)])
    names = [f"i{code:02}" for code in range(groups * size)]
    people = [f"u{user}" for user in range(users)]
    return Histories(people, names, np.arange(users + 1) * 5, items.ravel(), np.zeros(users * 5))


@pytest.fixture(scope="module")
def world() -> Histories:
    return cliques()


@pytest.fixture(scope="module")
def model(world: Histories) -> Parameters:
    train, _ = data.hold_back(world)
    told: list[float] = []
    made = trained(*encoded(train, FADE, 7), Setting(num_factors=8, epochs=12), lambda _, loss: told.append(loss))
    assert told[-1] < 0.6 * told[0]
    return made


def test_rows_survive_the_format() -> None:
    rng = np.random.default_rng(1)
    rows = sparse.random_array((40, 17), density=0.2, rng=rng, dtype=np.float32).tocsr()
    labels = rng.integers(0, 2, 40).astype(np.float32)
    file = io.BytesIO()
    recordio.write(file, rows, labels)
    file.seek(0)
    found, told = recordio.read(file)
    assert (found != rows).nnz == 0
    assert found.shape == rows.shape
    np.testing.assert_array_equal(told, labels)


def test_a_record_has_the_bytes_that_the_documentation_gives() -> None:
    file = io.BytesIO()
    recordio.write(file, sparse.csr_matrix(np.array([[0, 2.5, 0]], np.float32)), np.array([1], np.float32))
    magic, length = struct.unpack("<II", file.getvalue()[:8])
    assert magic == 0xCED7230A
    assert len(file.getvalue()) == 8 + length + -length % 4
    # Record.features (1) -> "values" -> Value.float32_tensor (2): values (1) 2.5, keys (2) 1, shape (3) 3; label (2).
    tensor = b"\x0a\x04" + struct.pack("<f", 2.5) + b"\x12\x01\x01" + b"\x1a\x01\x03"
    value = b"\x12" + bytes([len(tensor)]) + tensor
    entry = b"\x0a\x06values\x12" + bytes([len(value)]) + value
    label = b"\x0a\x04" + struct.pack("<f", 1.0)
    inner = b"\x12" + bytes([len(label)]) + label
    told = b"\x0a\x06values\x12" + bytes([len(inner)]) + inner
    expected = b"\x0a" + bytes([len(entry)]) + entry + b"\x12" + bytes([len(told)]) + told
    assert file.getvalue()[8 : 8 + length] == expected


@pytest.mark.parametrize("content", [b"", b"12345678", struct.pack("<II", recordio.MAGIC, 90) + b"short"])
def test_what_is_no_record_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="record"):
        recordio.read(io.BytesIO(content))


def test_parameters_survive_the_archive(model: Parameters) -> None:
    found = unpacked(packed(model))
    assert found.bias == model.bias
    np.testing.assert_array_equal(found.linear, model.linear)
    np.testing.assert_array_equal(found.factors, model.factors)


def test_row_sparse_arrays_are_read() -> None:
    """As MXNet saves what was trained on sparse rows: storage shape, shape, context, type, row numbers, then values."""
    values = np.array([[1, 2], [3, 4]], "<f4")
    factors = (
        struct.pack("<Ii", V2_MAGIC, 1)
        + struct.pack("<I2q", 2, 2, 2)
        + struct.pack("<I2q", 2, 4, 2)
        + struct.pack("<ii", 1, 0)
        + struct.pack("<i", 0)
        + struct.pack("<i", 6)
        + struct.pack("<Iq", 1, 2)
        + values.tobytes()
        + np.array([1, 3], "<i8").tobytes()
    )
    dense = struct.pack("<Ii", V2_MAGIC, 0)
    bias = dense + struct.pack("<Iq", 1, 1) + struct.pack("<iii", 1, 0, 0) + np.array([0.5], "<f4").tobytes()
    linear = dense + struct.pack("<I2q", 2, 4, 1) + struct.pack("<iii", 1, 0, 0) + np.arange(4, dtype="<f4").tobytes()
    names = (b"arg:v", b"arg:w0_weight", b"arg:w1_weight")
    params = (
        struct.pack("<QQQ", LIST_MAGIC, 0, 3)
        + factors + bias + linear
        + struct.pack("<Q", 3)
        + b"".join(struct.pack("<Q", len(name)) + name for name in names)
    )  # fmt: skip
    found = unpacked(archived(params))
    np.testing.assert_array_equal(found.factors, [[0, 0], [1, 2], [0, 0], [3, 4]])
    np.testing.assert_array_equal(found.linear, [0, 1, 2, 3])
    assert found.bias == 0.5


def archived(params: bytes) -> bytes:
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr(PARAMS, params)
    with tarfile.open(fileobj=outer, mode="w:gz") as tar:
        entry = tarfile.TarInfo(MEMBER)
        entry.size = len(inner.getvalue())
        tar.addfile(entry, io.BytesIO(inner.getvalue()))
    return outer.getvalue()


@pytest.mark.parametrize("params", [b"", bytes(24), struct.pack("<QQQ", LIST_MAGIC, 0, 1)])
def test_a_damaged_archive_is_refused(params: bytes) -> None:
    with pytest.raises(ValueError, match=r"array|Factorization|begin"):
        unpacked(archived(params))
    with pytest.raises(ValueError, match="Factorization"):
        unpacked(b"no archive")


def test_pairs_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(5)
    row, factors = rng.normal(size=6).astype(np.float32), rng.normal(size=(6, 3)).astype(np.float32)
    expected = sum(row[i] * row[j] * (factors[i] @ factors[j]) for i in range(6) for j in range(i + 1, 6))
    assert pairs(sparse.csr_matrix(row), factors)[0] == pytest.approx(expected, rel=1e-4)


def test_rows_are_profiles_before_what_was_taken(world: Histories) -> None:
    rows, labels = encoded(world, FADE, 7)
    count = len(world.names)
    assert rows.shape[1] == 2 * count
    positives = int(labels.sum())
    assert positives == len(world.items) - len(world.users)
    assert positives * (1 + NEGATIVES) * 0.9 < len(labels) <= positives * (1 + NEGATIVES)
    np.testing.assert_allclose(rows[:, count:].sum(axis=1), 1, rtol=1e-5)
    # The first positive: the second item of the first user, whose profile is the first.
    assert rows[0].indices.tolist() == [world.items[1], count + world.items[0]]


def test_it_finds_what_people_keep_to(world: Histories, model: Parameters) -> None:
    found = figures(model, *data.hold_back(world), FADE)
    assert found["recall_10"] > 0.9
    assert found["recall_10"] > 2 * found["baselines"]["popularity"]["recall_10"]


def test_the_file_gives_the_lists_of_the_machine(world: Histories, model: Parameters) -> None:
    serve = Recommender(to_onnx(model, world.names, FADE, {"version": "fm-1"}))
    some = world.of(np.arange(20))
    expected = lister(model, FADE)(some, 5)
    agreed = 0
    for user in range(20):
        items = some.items[some.offsets[user] : some.offsets[user + 1]][::-1].tolist()
        found = serve(items, None, items, k=5)
        agreed += len(set(found.top.tolist()) & set(expected[user].tolist()))
        # Three of the group are left: these come first, because of one that the person has.
        for top, place in list(zip(found.top, found.because, strict=True))[:3]:
            assert place >= 0
            assert items[place] // 8 == top // 8
    assert agreed >= 95
    one = some.of(np.array([0]))  # what the file leaves out is the same for every item
    asked = sparse.hstack([sparse.identity(len(world.names)), sparse.vstack([profiles(one, FADE)] * len(world.names))])
    whole = scores(asked.tocsr().astype(np.float32), model)
    short = serve(one.items[::-1].tolist(), None, [], k=len(world.names))
    order = np.argsort(short.top)
    difference = whole - short.scores[order]
    assert difference.max() - difference.min() < 5e-3


def test_an_empty_profile_gets_what_is_liked_anyway(world: Histories, model: Parameters) -> None:
    serve = Recommender(to_onnx(model, world.names, FADE, {"version": "fm-1"}))
    found = serve([], None, [], k=5)
    assert found.top.tolist() == np.argsort(-model.linear[: len(world.names)], kind="stable")[:5].tolist()
    assert set(found.because.tolist()) == {-1}


def test_parameters_of_other_items_are_refused(model: Parameters) -> None:
    with pytest.raises(ValueError, match="other items"):
        to_onnx(model, ["a", "b"], FADE, {})


def test_the_container_trains_and_tells_why_it_does_not(
    world: Histories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    rows, labels = encoded(world, FADE, 7)
    channel, config = tmp_path / "input" / "data" / "train", tmp_path / "input" / "config"
    channel.mkdir(parents=True)
    config.mkdir()
    with (channel / "rows.pbr").open("wb") as file:
        recordio.write(file, rows, labels)
    given = {
        "feature_dim": str(rows.shape[1]),
        "num_factors": "4",
        "predictor_type": "binary_classifier",
        "epochs": "2",
    }
    hyperparameters = config / "hyperparameters.json"
    hyperparameters.write_text(json.dumps(given))
    assert algorithm.train() == 0
    with tarfile.open(tmp_path / "model.tar.gz", mode="w:gz") as tar:
        tar.add(tmp_path / "model" / MEMBER, MEMBER)
    model = unpacked((tmp_path / "model.tar.gz").read_bytes())
    assert model.factors.shape == (rows.shape[1], 4)
    assert expit(scores(rows, model))[labels > 0].mean() > expit(scores(rows, model))[labels == 0].mean()

    for wrong, why in (
        ({"feature_dim": "3"}, "feature_dim is 3"),
        ({"predictor_type": "regressor"}, "not served here"),
        ({"surprise": "1"}, "unknown hyperparameters: surprise"),
    ):
        hyperparameters.write_text(json.dumps(given | wrong))
        assert algorithm.train() == 1
        assert why in (tmp_path / "output" / "failure").read_text()


def test_the_image_is_of_the_region() -> None:
    assert image_uri("eu-west-1") == "438346466558.dkr.ecr.eu-west-1.amazonaws.com/factorization-machines:1"
    with pytest.raises(ValueError, match="not in moon-1"):
        image_uri("moon-1")
