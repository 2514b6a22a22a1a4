"""Posts -> a fine-tuned network. The lower layers stay as they are: their hidden states are computed once and kept.

The loss adds the logarithm of each source's class shares to the logits (logit adjustment, Menon et al. 2021): what the
network gives is then the answer for equally frequent classes, which macro recall asks for, whatever a source's shares.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.sentiment.network import Network

log = logging.getLogger(__name__)

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Recipe:
    """frozen: layers that stay; epochs: over the English posts; repeat: of the posts in the smaller languages an epoch.

    rate: of the uppermost layer, those below it `decay` of the next; new_rate: of the last two linear layers.
    """

    layers: int = 8
    frozen: int = 3
    epochs: float = 1.0
    repeat: int = 3
    batch: int = 32
    rate: float = 1.2e-4
    decay: float = 0.85
    new_rate: float = 5e-4
    weight_decay: float = 0.01
    warmup: float = 0.06
    smoothing: float = 0.05
    seed: int = 7


class States:
    """Hidden states of all posts after the frozen layers, half precision, and how to get a batch of them back."""

    def __init__(self, network: Network, ids: Sequence[Ints], frozen: int) -> None:
        """ids: tokens of each post, not padded."""
        self.lengths = np.array([len(one) for one in ids])
        starts = np.concatenate([[0], np.cumsum(self.lengths)])
        self._starts, self.width = starts, network.words.shape[1]
        self._states = torch.empty((int(starts[-1]), self.width), dtype=torch.float16)
        network.eval()
        began = said = time.monotonic()
        done = 0
        with torch.no_grad():
            for rows in batches(self.lengths, 64):
                tokens, mask = padded([ids[row] for row in rows])
                hidden = network.lower(tokens, mask, frozen)
                for at, row in enumerate(rows):
                    self._states[starts[row] : starts[row + 1]] = hidden[at, : self.lengths[row]].half()
                done += len(rows)
                if time.monotonic() - said > 20:
                    said = time.monotonic()
                    left = (said - began) * (len(ids) - done) / done
                    log.info("lower layers: %d of %d posts, %.0f s left", done, len(ids), left)

    def batch(self, rows: Ints) -> tuple[Tensor, Tensor]:
        """Hidden states [n, t, hidden] float32 and mask [n, t]."""
        width = int(self.lengths[rows].max())
        hidden = torch.zeros((len(rows), width, self.width))
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for at, row in enumerate(rows):
            length = self.lengths[row]
            hidden[at, :length] = self._states[self._starts[row] : self._starts[row + 1]].float()
            mask[at, :length] = 1
        return hidden, mask


def fine_tuned(  # noqa: PLR0913, PLR0917 - what a training depends on
    network: Network,
    states: States,
    labels: Ints,
    priors: NDArray[np.float32],
    rows: Ints,
    recipe: Recipe,
    watch: Callable[[int, int], None],
) -> None:
    """Train the network's upper layers in place.

    priors: log shares of the classes in each post's source [n, 3]; rows: one epoch's posts, repeated ones included;
    watch: called with the step and their number about eight times.
    """
    random = np.random.default_rng(recipe.seed)
    torch.manual_seed(recipe.seed)
    optimizer = torch.optim.AdamW(_groups(network, recipe), betas=(0.9, 0.98), eps=1e-6, fused=True)
    total = int(recipe.epochs * math.ceil(len(rows) / recipe.batch))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, total, recipe.warmup))
    began = said = time.monotonic()
    loss_sum = posts = since = 0.0
    network.train()
    for step, batch in enumerate(_epochs(states.lengths, rows, recipe.batch, random), 1):
        hidden, mask = states.batch(batch)
        logits, _ = network.upper(hidden, mask, recipe.frozen)
        adjusted = logits + torch.from_numpy(priors[batch])
        loss = functional.cross_entropy(adjusted, torch.from_numpy(labels[batch]), label_smoothing=recipe.smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        loss_sum, posts, since = loss_sum + float(loss.detach()), posts + len(batch), since + 1
        if (now := time.monotonic()) - said > 20:
            left = (now - began) / step * (total - step)
            rate = posts / (now - began)
            log.info("step %d of %d, loss %.4f, %.0f posts/s, %.0f s left", step, total, loss_sum / since, rate, left)
            said, loss_sum, since = now, 0.0, 0.0
        if step % max(total // 8, 1) == 0 or step == total:
            watch(step, total)
            network.train()
        if step == total:
            break


def predicted(
    network: Network, states: States, rows: Ints, frozen: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits [n, 3] and embeddings [n, hidden] of the rows, in their order."""
    network.eval()
    logits = np.zeros((len(rows), 3), np.float32)
    embeddings = np.zeros((len(rows), states.width), np.float32)
    with torch.no_grad():
        for places in batches(states.lengths[rows], 64):
            found, embedding = network.upper(*states.batch(rows[places]), frozen)
            logits[places], embeddings[places] = found.numpy(), embedding.numpy()
    return logits, embeddings


def batches(lengths: Ints, size: int) -> Iterator[Ints]:
    """Places of posts of about the same length, from the shortest to the longest."""
    order = np.argsort(lengths, kind="stable")
    for at in range(0, len(order), size):
        yield order[at : at + size]


def padded(ids: Sequence[Ints]) -> tuple[Tensor, Tensor]:
    """Tokens and mask [n, t]; padding is <pad>, 1."""
    width = max(map(len, ids))
    tokens = torch.ones((len(ids), width), dtype=torch.long)
    mask = torch.zeros((len(ids), width), dtype=torch.long)
    for at, one in enumerate(ids):
        tokens[at, : len(one)], mask[at, : len(one)] = torch.from_numpy(one), 1
    return tokens, mask


def _epochs(lengths: Ints, rows: Ints, size: int, random: np.random.Generator) -> Iterator[Ints]:
    """Batches without end: shuffled, of about the same length within."""
    while True:
        shuffled = random.permutation(rows)
        pools = [shuffled[at : at + 50 * size] for at in range(0, len(shuffled), 50 * size)]
        for pool in pools:
            found = [pool[places] for places in batches(lengths[pool] + random.random(len(pool)), size)]
            for place in random.permutation(len(found)):
                yield found[place]


def _rate(step: int, total: int, warmup: float) -> float:
    rising = step / max(total * warmup, 1)
    return min(rising, max((total - step) / max(total * (1 - warmup), 1), 0.0))


def _groups(network: Network, recipe: Recipe) -> list[dict[str, object]]:
    parts = [((network.dense, network.head), recipe.new_rate)]
    for above, place in enumerate(range(recipe.layers - 1, recipe.frozen - 1, -1)):
        parts.append(((network.layers[place],), recipe.rate * recipe.decay**above))
    groups: list[dict[str, object]] = []
    for modules, rate in parts:
        parameters = [one for module in modules for one in module.parameters()]
        groups.append(
            {"params": [one for one in parameters if one.dim() > 1], "lr": rate, "weight_decay": recipe.weight_decay}
        )
        groups.append({"params": [one for one in parameters if one.dim() == 1], "lr": rate, "weight_decay": 0.0})
    return groups
