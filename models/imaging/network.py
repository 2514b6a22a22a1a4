"""The backbone's convolutions and two linear heads in torch: an image's logit, its activation map, its feature means.

The class activation map (Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016) is the last
feature maps weighted as the head weighs their means: its mean, plus the bias, is the logit.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch  # type: ignore[import-not-found]
import torch.nn.functional as F  # type: ignore[import-not-found]  # noqa: N812 - as everybody calls it
from numpy.typing import NDArray

from models.imaging.backbone import CHANNELS, TAPS, Block, blocks

SPREAD = 0.45
"""Standard deviation that an image gets, about that of ImageNet's as the backbone was trained ((x - 127) / 128)."""


class Told(NamedTuple):
    """logit [n]; kind [n, 2] (bacterial, viral); cam [n, 7, 7]; means [n, sum(WIDTHS)] of the tapped blocks."""

    logit: torch.Tensor
    kind: torch.Tensor
    cam: torch.Tensor
    means: torch.Tensor


class Network(torch.nn.Module):  # type: ignore[misc]
    """frozen: so many of the lower blocks (of 18, with stem and last convolution) are not trained."""

    def __init__(self, weights: Mapping[str, NDArray[np.float32]], frozen: int = 0) -> None:
        super().__init__()
        self.blocks, self.frozen = blocks(), frozen
        self.weights = torch.nn.ParameterDict()
        for at, block in enumerate(self.blocks):
            for conv in block.convs:
                for part in ("weight", "bias"):
                    value = torch.from_numpy(weights[f"{conv.name}.{part}"].copy())
                    self.weights[_key(conv.name, part)] = torch.nn.Parameter(value, requires_grad=at >= frozen)
        self.dropout = torch.nn.Dropout(0.3)
        self.classifier = torch.nn.Linear(CHANNELS, 1)
        self.kind = torch.nn.Linear(CHANNELS, 2)

    def forward(self, image: torch.Tensor) -> Told:
        """uint8 or float [n, 1, s, s] of 0..255."""
        maps, means = self.features(image)
        pooled = maps.mean(dim=(2, 3))
        logit = self.classifier(self.dropout(pooled))[:, 0]
        with torch.no_grad():
            cam = F.conv2d(maps, self.classifier.weight[:, :, None, None])[:, 0]
        return Told(logit, self.kind(pooled), cam, means)

    def features(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The last feature maps [n, CHANNELS, s / 32, s / 32] and the means of the tapped blocks."""
        x = normalised(image).to(memory_format=torch.channels_last)
        means = []
        for at, block in enumerate(self.blocks):
            with torch.set_grad_enabled(torch.is_grad_enabled() and at >= self.frozen):
                x = self._block(x, block)
            if at - 1 in TAPS:
                means.append(x.detach().mean(dim=(2, 3)))
        return x, torch.cat(means, dim=1)

    def _block(self, x: torch.Tensor, block: Block) -> torch.Tensor:
        came = x
        for conv in block.convs:
            before, after = conv.pads
            if before != after:
                x, before = F.pad(x, (before, after, before, after)), 0
            weight, bias = (self.weights[_key(conv.name, part)] for part in ("weight", "bias"))
            x = F.conv2d(x, weight, bias, conv.stride, before, 1, conv.groups)
            if conv.relu:
                x = F.relu6(x)
        return x + came if block.skip else x

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """All weights, as `models.imaging.export` takes them."""
        found = {name.replace("#", "."): value.detach().cpu().numpy() for name, value in self.weights.items()}
        for name, layer in (("classifier", self.classifier), ("kind", self.kind)):
            found |= {
                f"{name}.weight": layer.weight.detach().cpu().numpy(),
                f"{name}.bias": layer.bias.detach().cpu().numpy(),
            }
        return found

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """What `arrays` gave."""
        with torch.no_grad():
            for name, value in self.weights.items():
                value.copy_(torch.from_numpy(arrays[name.replace("#", ".")]))
            for name, layer in (("classifier", self.classifier), ("kind", self.kind)):
                layer.weight.copy_(torch.from_numpy(arrays[f"{name}.weight"]))
                layer.bias.copy_(torch.from_numpy(arrays[f"{name}.bias"]))


def normalised(image: torch.Tensor) -> torch.Tensor:
    """Each image by its own mean and standard deviation: how bright a film was made tells nothing."""
    x = image.float() / 255
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    deviation = ((x - mean) ** 2).mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return (x - mean) / (deviation + 0.02) * SPREAD


def _key(name: str, part: str) -> str:
    return f"{name}.{part}".replace(".", "#")  # a ParameterDict takes no dots
