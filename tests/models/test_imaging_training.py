"""Training from a backbone of random numbers: torch and the file compute the same, and it learns what is there.

torch is no package of the suite (models/imaging/requirements.txt): without it these are skipped.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="training needs models/imaging/requirements.txt")

from cuatro.adapters.radiograph import OnnxReader  # noqa: E402
from functions.imaging.features import SIDE, VERSION  # noqa: E402
from models.imaging.backbone import CHANNELS, WIDTHS, _theirs, blocks, folded, pretrained  # noqa: E402
from models.imaging.export import to_onnx  # noqa: E402
from models.imaging.finish import seen  # noqa: E402
from models.imaging.fitting import Parameters, made  # noqa: E402
from models.imaging.learning import fine_tuned, predicted, soup  # noqa: E402
from models.imaging.network import Network  # noqa: E402
from models.imaging.neuron import arrays, module  # noqa: E402
from models.imaging.recipe import Recipe, Set  # noqa: E402


def random_state(seed: int = 1) -> dict[str, np.ndarray]:
    """A network of the backbone's shape, as its file has it, whose activations keep their size."""
    rng = np.random.default_rng(seed)
    found: dict[str, np.ndarray] = {}
    inside = 32
    for block in blocks():
        for conv in block.convs:
            name, norm = _theirs(conv.name)
            out, into, kernel = _shape(conv.name, inside, conv.groups)
            scale = np.sqrt(2 / (into * kernel * kernel))
            found[f"{name}.weight"] = rng.normal(0, scale, (out, into, kernel, kernel)).astype(np.float32)
            found |= {
                f"{norm}.weight": rng.uniform(0.8, 1.2, out).astype(np.float32),
                f"{norm}.bias": rng.uniform(0, 0.3, out).astype(np.float32),
                f"{norm}.running_mean": rng.normal(0, 0.1, out).astype(np.float32),
                f"{norm}.running_var": rng.uniform(0.8, 1.2, out).astype(np.float32),
            }
            if conv.name.endswith("project"):
                inside = out
    return found


def _shape(name: str, inside: int, wide: int) -> tuple[int, int, int]:
    """Channels out and in (of a group), kernel."""
    if name == "stem":
        return 32, 3, 3
    if name == "top":
        return CHANNELS, 320, 1
    at, part = int(name.split(".")[1]), name.split(".")[2]
    outs = [16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320]
    kernels = [3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 3]
    expanded = inside * (1 if at == 0 else 6)
    if part == "expand":
        return expanded, inside, 1
    return (wide, 1, kernels[at]) if part == "depthwise" else (outs[at], expanded, 1)


def saved(state: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    torch.save({name: torch.from_numpy(value) for name, value in state.items()}, file)
    return file.getvalue()


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    return Network(folded(random_state())).arrays()


def films(count: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Mottled squares; those of label 1 are striped."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = rng.integers(0, 120, (count, SIDE, SIDE)).astype(np.uint8)
    images[labels == 1, :, ::8] = 255
    images[labels == 1, :, 1::8] = 255
    return images, labels.astype(np.int64)


def test_folding_the_normalisation_changes_nothing() -> None:
    state = random_state()
    network = Network(folded(state))
    x = torch.randn(1, 3, 32, 32).mean(dim=1, keepdim=True)
    theirs = torch.nn.functional.conv2d(
        torch.nn.functional.pad(x.repeat(1, 3, 1, 1), (0, 1, 0, 1)),
        torch.from_numpy(state["_conv_stem.weight"]),
        None,
        2,
    )
    norm = [torch.from_numpy(state[f"_bn0.{name}"]) for name in ("running_mean", "running_var", "weight", "bias")]
    theirs = torch.nn.functional.batch_norm(theirs, *norm, eps=1e-3)
    with torch.no_grad():
        own = network._block(x, network.blocks[0])
    torch.testing.assert_close(own, torch.nn.functional.relu6(theirs), atol=1e-4, rtol=1e-4)


def test_another_network_is_refused() -> None:
    state = random_state()
    state.pop("_blocks.3._expand_conv.weight")
    with pytest.raises(ValueError, match="not EfficientNet-Lite0"):
        blocks(state)


def test_the_file_computes_what_torch_computes(weights: dict[str, np.ndarray]) -> None:
    images, _ = films(3)
    network = Network(weights)
    network.load(weights)
    own, mirrored = (predicted(network, way) for way in (images, images[:, :, ::-1].copy()))
    exact, half = seen(weights, images, 32), seen(weights, images)
    np.testing.assert_allclose(exact.logits, (own[0] + mirrored[0]) / 2, atol=2e-3)
    np.testing.assert_allclose(exact.means, (own[2] + mirrored[2]) / 2, atol=2e-3)
    np.testing.assert_allclose(half.means, exact.means, atol=0.05)


def test_what_is_compiled_for_inferentia_is_the_same_network(weights: dict[str, np.ndarray], tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    size = sum(WIDTHS)
    told = {"version": "v", "threshold": 0.5, "unsure": [0.4, 0.6], "distance_limit": 2.0}
    centre, whitening = rng.normal(size=size), rng.normal(size=(size, size)) / 24
    content = to_onnx(weights, (1.5, 0.2), centre.astype(np.float32), whitening.astype(np.float32), told)
    (tmp_path / "model.onnx").write_bytes(content)
    import onnx  # noqa: PLC0415

    compiled = module(arrays(onnx.load_model_from_string(content)))
    images, _ = films(2)
    with torch.no_grad():
        for image, said in zip(images, OnnxReader(tmp_path / "model.onnx", VERSION).read(images[:, None]), strict=True):
            probability, distance, cam = compiled(torch.from_numpy(image[None, None]))
            assert float(probability[0]) == pytest.approx(said.probability, abs=1e-3)
            assert float(distance[0]) == pytest.approx(said.distance, rel=1e-3)
            np.testing.assert_allclose(cam[0].numpy(), said.cam, atol=0.02)


def test_it_learns_what_is_there(weights: dict[str, np.ndarray]) -> None:
    images, labels = films(12)
    taught = Set(images, labels, np.where(labels == 1, np.arange(12) // 2 % 2, -1), [f"p{at}" for at in range(12)])
    network = Network(weights, 16)
    network.load(weights)
    recipe = Recipe(seconds=600, epochs=9, batch=8, frozen=16, rate=2e-3, strength=0.05, averaged=0.5)
    learned = fine_tuned(network, taught, recipe)
    other = Network(learned)
    other.load(learned)
    logits = predicted(other, images)[0]
    assert (logits[labels == 1][:, None] > logits[labels == 0]).mean() > 0.9
    for name, value in weights.items():
        frozen = not name.startswith(("top", "blocks.15", "classifier", "kind"))
        assert np.array_equal(value, learned[name]) == frozen, name
    mean = soup([weights, learned])
    np.testing.assert_allclose(mean["top.bias"], (weights["top.bias"] + learned["top.bias"]) / 2, rtol=1e-5)


def test_from_a_zip_to_a_reader(tmp_path: Path) -> None:
    images, labels = films(40)
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        for at, (image, label) in enumerate(zip(images, labels, strict=True)):
            file = io.BytesIO()
            Image.fromarray(image).save(file, "PNG")
            archive.writestr(f"{('NORMAL', 'PNEUMONIA')[label]}/person{at}_virus_{at}.png", file.getvalue())
    given = Parameters(seconds=600, epochs=0.3, runs=1, batch=8, frozen=16)
    metrics: dict[str, Any] = made(tmp_path / "films.zip", saved(random_state()), given, tmp_path / "out")
    reader = OnnxReader(tmp_path / "out" / "model.onnx", VERSION)
    assert (
        reader.facts.version
        == metrics["version"]
        == json.loads((tmp_path / "out" / "metrics.json").read_text())["version"]
    )
    assert metrics["images"]["trained_on"]["normal"] + metrics["images"]["held_out"]["normal"] == 20
    assert metrics["patients"]["held_out"] == metrics["held_out"]["n"]
    assert 0 < reader.facts.threshold < 1
    assert metrics["file"]["16_bits_against_torch"]["largest"] < 0.1
    assert json.loads((tmp_path / "out" / "golden.json").read_text())
    with pytest.raises(ValueError, match="not the data_hash"):
        made(tmp_path / "films.zip", b"", given._replace(data_hash="other"), tmp_path / "out")


def test_the_weights_are_known_by_their_hash() -> None:
    content = saved(random_state())
    found, sha256 = pretrained(content)
    assert len(sha256) == 64
    assert found["stem.weight"].shape == (32, 1, 3, 3)
