"""Examples and a backbone -> a linear probe, then networks that are fine-tuned from it, each by a seed of its own."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch  # type: ignore[import-not-found]
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

from functions.imaging.features import prepared
from models.imaging import probe
from models.imaging.augmentation import augmented
from models.imaging.data import HELD_OUT, SEED, Example, held_out
from models.imaging.learning import fine_tuned, predicted
from models.imaging.network import Network
from models.imaging.recipe import Recipe, Set

log = logging.getLogger(__name__)

WATCHED = 256
"""Held-out images that are looked at while a network trains, for the log alone: nothing is chosen by them."""

Weights = dict[str, NDArray[np.float32]]


class Split(NamedTuple):
    """taught: what is trained on. held: of other patients. shifted: `held` once more, as from other hospitals."""

    taught: Set
    held: Set
    shifted: Set


def split(examples: Sequence[Example], share: float = HELD_OUT, seed: int = SEED) -> Split:
    """By patient. Raises ValueError when a side has not both classes."""
    held = held_out([each.patient for each in examples], share, seed)
    taught, rest = (_set([each for each, out in zip(examples, held, strict=True) if out == side]) for side in (0, 1))
    for name, side in (("training", taught), ("held-out", rest)):
        if len(np.unique(side.labels)) < 2:
            raise ValueError(f"the {name} patients are all of one class: {len(side.labels)} images")
    rng = np.random.default_rng(seed)
    images = np.stack([augmented(image, rng) for image in rest.images])
    return Split(taught, rest, replace(rest, images=images))


def _set(examples: Sequence[Example]) -> Set:
    return Set(
        np.stack([prepared(each.image)[0, 0] for each in examples]),
        np.array([each.label for each in examples], np.int64),
        np.array([each.kind for each in examples], np.int64),
        [each.patient for each in examples],
    )


def probed(backbone: Mapping[str, NDArray[np.float32]], parts: Split, seed: int = SEED) -> Weights:
    """The backbone with a head on its features of each training image, as it is and once augmented."""
    network = Network(backbone)
    rng = np.random.default_rng(seed)
    shifted = np.stack([augmented(image, rng) for image in parts.taught.images])
    features = np.concatenate([predicted(network, images)[1] for images in (parts.taught.images, shifted)])
    weights = {**network.arrays(), **probe.head(features, np.tile(parts.taught.labels, 2))}
    log.info("linear probe: %s", told(weights, parts))
    return weights


def run(
    start: Mapping[str, NDArray[np.float32]], parts: Split, recipe: Recipe, kept: Callable[[Weights], None]
) -> Weights:
    """One fine-tuning. kept: given the weights now and then, so that a machine that is taken away costs little."""
    network = Network(start, recipe.frozen)
    network.load(start)
    some = np.random.default_rng(0).permutation(len(parts.held.labels))[:WATCHED]

    def watch(now: Network, done: float) -> None:
        logits = predicted(now, parts.shifted.images[some])[0]
        log.info("%.0f %% done, AUC on shifted held-out images %.4f", 100 * done, _auc(parts.held.labels[some], logits))
        kept({name: value.copy() for name, value in now.arrays().items()})

    weights = fine_tuned(network, parts.taught, recipe, watch)
    log.info("seed %d: %s", recipe.seed, told(weights, parts))
    return weights


def told(weights: Mapping[str, NDArray[np.float32]], parts: Split) -> dict[str, float]:
    """AUC of held-out patients, as they are and shifted."""
    network = Network(weights)
    network.load(weights)
    return {
        name: round(_auc(side.labels, predicted(network, side.images)[0]), 5)
        for name, side in (("held_out", parts.held), ("held_out_shifted", parts.shifted))
    }


def _auc(labels: NDArray[np.int64], logits: NDArray[np.float32]) -> float:
    return float(roc_auc_score(labels, logits)) if len(np.unique(labels)) > 1 else float("nan")


def single_threaded() -> None:
    """One thread of torch: two runs side by side use two cores better than one run on both."""
    torch.set_num_threads(1)
