"""Prepared images with labels -> a fine-tuned network, within a number of seconds, in torch.

A linear probe comes first and the network begins with its head, which keeps what the backbone knows of other images
(Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution", ICLR 2022). Several
runs from that beginning can be averaged into one network (Wortsman et al., "Model soups", ICML 2022).
"""

import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

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
CHECK_EVERY = 100

Array = NDArray[np.float32]


def fine_tuned(
    network: Network, taught: Set, recipe: Recipe, watch: Callable[[Network, float], None] = lambda *_: None
) -> dict[str, Array]:
    """Weights: the moving average over the last steps. watch: called now and then with how far it is (0 to 1)."""
    rng = np.random.default_rng(recipe.seed)
    torch.manual_seed(recipe.seed)
    network.to(_device()).train()
    threads = ThreadPoolExecutor(os.cpu_count())
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
        losses.append(_gradients(network, trained, taught, rows, recipe, rng, threads))
        torch.nn.utils.clip_grad_norm_(trained, 5.0)
        optimiser.step()
        keep = min(recipe.averaged, step / (step + 10))
        with torch.no_grad():
            for name, value in network.named_parameters():
                if value.requires_grad:
                    mean[name].lerp_(value, 1 - keep)
        if step % CHECK_EVERY == 0:
            log.info("step %d, %.0f %%: loss %.4f", step, 100 * done, np.mean(losses[-CHECK_EVERY:]))
            _swap(network, mean)
            watch(network, done)
            _swap(network, mean)
            network.train()
    threads.shutdown()
    _swap(network, mean)
    network.cpu().eval()
    return network.arrays()


def _gradients(  # noqa: PLR0913, PLR0917 - what a step is made of
    network: Network,
    trained: Sequence[torch.Tensor],
    taught: Set,
    rows: NDArray[np.int64],
    recipe: Recipe,
    rng: np.random.Generator,
    threads: ThreadPoolExecutor,
) -> float:
    """The loss of a batch, whose gradients are put into the parameters.

    Without a GPU each core takes a part of the batch: one thread an operation waits for nobody.
    """
    strengths = np.where(rng.integers(0, recipe.plain, len(rows)) == 0, 0, recipe.strength)
    seeds = rng.integers(0, 2**63, len(rows))  # one an image: it does not matter who takes which

    def one(at: int) -> Images:
        return augmented(taught.images[rows[at]], np.random.default_rng(seeds[at]), strengths[at])

    def part(places: NDArray[np.int64]) -> tuple[float, list[torch.Tensor]]:
        images = np.stack([one(at) for at in places] if many > 1 else list(threads.map(one, places)))[:, None]
        loss = _loss(network, images, taught.labels[rows[places]], taught.kinds[rows[places]], recipe)
        share = len(places) / len(rows)
        return loss.item() * share, [each * share for each in torch.autograd.grad(loss, list(trained))]

    many = 1 if torch.cuda.is_available() else min(os.cpu_count() or 1, len(rows))
    parts = [np.arange(first, len(rows), many) for first in range(many)]
    found = list(threads.map(part, parts)) if many > 1 else [part(parts[0])]
    for parameter, gradients in zip(trained, zip(*(each for _, each in found), strict=True), strict=True):
        parameter.grad = sum(gradients[1:], gradients[0])
    return sum(loss for loss, _ in found)


def _loss(
    network: Network, images: Images, labels: NDArray[np.int64], kinds: NDArray[np.int64], recipe: Recipe
) -> torch.Tensor:
    device = _device()
    told = network(torch.from_numpy(images).to(device))
    wanted = torch.from_numpy(labels).float().to(device) * (1 - 2 * recipe.smoothing) + recipe.smoothing
    loss = F.binary_cross_entropy_with_logits(told.logit, wanted)
    named = torch.from_numpy(kinds).to(device)
    known = F.cross_entropy(told.kind, named.clamp(min=0), reduction="none") * (named != UNKNOWN_KIND)
    return loss + recipe.kind_share * known.sum() / max(1, int((named != UNKNOWN_KIND).sum()))


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


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
    device = _device()
    network.to(device).eval()
    logits, pooled, means = [], [], []
    with torch.no_grad():
        for start in range(0, len(images), BATCH_OF_PREDICTION):
            batch = torch.from_numpy(images[start : start + BATCH_OF_PREDICTION, None]).to(device)
            maps, tapped = network.features(batch)
            mean = maps.mean(dim=(2, 3))
            logits.append(network.classifier(mean)[:, 0])
            pooled.append(mean)
            means.append(tapped)
    return tuple(torch.cat(each).cpu().numpy() for each in (logits, pooled, means))


def soup(runs: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """The mean of several runs' weights."""
    return {name: np.asarray(np.mean([run[name] for run in runs], axis=0), np.float32) for name in runs[0]}
