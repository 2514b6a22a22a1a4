"""File of a radiograph -> probability, by pydicom and PyTorch, image by image: CPU nanoseconds of each, as JSON.

    PYTHON -m benchmarks.imaging.torch_naive FILE ROUNDS

For an interpreter that has models/imaging/requirements.txt; benchmarks.imaging.run calls it where one is named. The
network is the project's own with weights by chance, which take as long as learned ones. No AWS call, no row.
"""

import json
import sys
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import torch  # type: ignore[import-not-found]
from PIL import Image
from pydicom import dcmread
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from models.imaging.backbone import CHANNELS, _shapes, blocks
from models.imaging.network import Network

SIDE = 224


def network() -> Network:
    """As it is when it has been loaded."""
    random = np.random.default_rng(1)
    weights = {}
    came = 1
    outs = [32, *(out for _, _, out in _shapes()), CHANNELS]
    for block, out in zip(blocks(), outs, strict=True):
        for conv in block.convs:
            side = sum(conv.pads) + conv.stride if conv.stride > 1 else sum(conv.pads) + 1
            wide = out if conv is block.convs[-1] else max(each.groups for each in block.convs)
            shape = (wide, came // conv.groups, side, side)
            weights[f"{conv.name}.weight"] = (0.05 * random.standard_normal(shape)).astype(np.float32)
            weights[f"{conv.name}.bias"] = np.zeros(wide, np.float32)
            came = wide
    return Network(weights).eval()


def read(content: bytes, model: Network) -> float:
    """As scripts do it."""
    dataset = dcmread(BytesIO(content))
    values = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset).astype(float)
    grey = (255 * (values - values.min()) / (values.max() - values.min())).astype(np.uint8)
    image = torch.from_numpy(np.asarray(Image.fromarray(grey).resize((SIDE, SIDE)))[None, None].copy())
    with torch.no_grad():
        return float(torch.sigmoid(model(image).logit)[0])


def main() -> None:
    """Command line."""
    content, rounds = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
    model, spent = network(), []
    for number in range(rounds + 2):
        start = time.process_time_ns()
        read(content, model)
        if number > 1:
            spent.append(time.process_time_ns() - start)
    print(json.dumps(spent))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
