"""Prepared images with labels -> a fine-tuned network, within a number of seconds, in torch.

A linear probe comes first and the network begins with its head, which keeps what the backbone knows of other images
(Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution", ICLR 2022). Several
runs from that beginning can be averaged into one network (Wortsman et al., "Model soups", ICML 2022).
"""

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch  # type: ignore[import-not-found]
import torch.nn.functional as F  # type: ignore[import-not-found]  # noqa: N812 - as everybody calls it
from numpy.typing import NDArray

from models.imaging.augmentation import augmented
from models.imaging.data import UNKNOWN_KIND
from models.imaging.network import Network
from models.imaging.recipe import Images, Recipe, Set

log = logging.getLogger(__name__)

BATCH_OF_PREDICTION = 32
CHECK_EVERY = 60

Array = NDArray[np.float32]


def fine_tuned(
    network: Network, taught: Set, recipe: Recipe, watch: Callable[[Network, float], None] = lambda *_: None
) -> dict[str, Array]:
    """Weights: the moving average over the last steps. watch: called now and then with how far it is (0 to 1)."""
    rng = np.random.default_rng(recipe.seed)
    torch.manual_seed(recipe.seed)
    network.train()
    trained = [value for value in network.parameters() if value.requires_grad]
    decayed = [value for value in trained if value.ndim > 1]
    plain = [value for value in trained if value.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))
    mean = {name: value.detach().clone() for name, value in network.named_parameters() if value.requires_grad}
    total = max(1, round(recipe.epochs * len(taught.labels) / recipe.batch))
    start = time.monotonic()
    losses = []
    for step, rows in enumerate(_batches(taught, recipe.batch, rng), 1):
        done = max(step / total, (time.monotonic() - start) / recipe.seconds)
        if done >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * min(1, done / recipe.warmup) * (1 + math.cos(math.pi * done)) / 2
        loss = _loss(network, taught, rows, recipe, rng)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 5.0)
        optimiser.step()
        keep = min(recipe.averaged, step / (step + 10))
        with torch.no_grad():
            for name, value in network.named_parameters():
                if value.requires_grad:
                    mean[name].lerp_(value, 1 - keep)
        losses.append(loss.item())
        if step % CHECK_EVERY == 0:
            log.info("step %d, %.0f %%: loss %.4f", step, 100 * done, np.mean(losses[-CHECK_EVERY:]))
            _swap(network, mean)
            watch(network, done)
            _swap(network, mean)
            network.train()
    _swap(network, mean)
    network.eval()
    return network.arrays()


def _loss(
    network: Network, taught: Set, rows: NDArray[np.int64], recipe: Recipe, rng: np.random.Generator
) -> torch.Tensor:
    strengths = np.where(rng.integers(0, recipe.plain, len(rows)) == 0, 0, recipe.strength)
    images = [augmented(taught.images[row], rng, strength) for row, strength in zip(rows, strengths, strict=True)]
    told = network(torch.from_numpy(np.stack(images)[:, None]))
    labels = torch.from_numpy(taught.labels[rows]).float()
    soft = labels * (1 - 2 * recipe.smoothing) + recipe.smoothing
    loss = F.binary_cross_entropy_with_logits(told.logit, soft)
    kinds = torch.from_numpy(taught.kinds[rows])
    if recipe.kind_share and bool((kinds != UNKNOWN_KIND).any()):
        loss += recipe.kind_share * F.cross_entropy(told.kind, kinds, ignore_index=UNKNOWN_KIND)
    return loss


def _batches(taught: Set, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Without end: as many normal as abnormal ones; a patient with many images does not count so many times."""
    _, place, count = np.unique(np.array(taught.patients), return_inverse=True, return_counts=True)
    sides = [np.flatnonzero(taught.labels == label) for label in (0, 1)]
    weights = [1 / np.sqrt(count[place[side]]) for side in sides]
    while True:
        drawn = [
            rng.choice(side, size // 2, replace=False, p=weight / weight.sum())
            for side, weight in zip(sides, weights, strict=True)
        ]
        yield np.concatenate(drawn)


def _swap(network: Network, mean: Mapping[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, value in network.named_parameters():
            if name in mean:
                kept = value.clone()
                value.copy_(mean[name])
                mean[name].copy_(kept)


def predicted(network: Network, images: Images) -> tuple[Array, Array, Array]:
    """Logits [n], pooled last features [n, CHANNELS], means of the tapped blocks [n, ...]; not mirrored."""
    network.eval()
    logits, pooled, means = [], [], []
    with torch.no_grad():
        for start in range(0, len(images), BATCH_OF_PREDICTION):
            maps, tapped = network.features(torch.from_numpy(images[start : start + BATCH_OF_PREDICTION, None]))
            mean = maps.mean(dim=(2, 3))
            logits.append(network.classifier(mean)[:, 0])
            pooled.append(mean)
            means.append(tapped)
    return tuple(torch.cat(each).numpy() for each in (logits, pooled, means))


def soup(runs: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """The mean of several runs' weights."""
    return {name: np.asarray(np.mean([run[name] for run in runs], axis=0), np.float32) for name in runs[0]}
