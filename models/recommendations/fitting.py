"""Histories -> a chosen, measured model with its ONNX file; shared by the command and the container's `train`.

Terms, said with every figure. All items are ranked, the profile's own are masked, and what is chosen (candidate, shape,
ridge) is chosen on the validation item alone:
  strict      trained without the validation item, which is in the profile: what SASRec, S3-Rec and others publish
  unaware     trained without the validation item, which is not in the profile either: two steps ahead
  retrained   trained with the validation item too, as served; the command writes this model, which never saw the test
Without a test file, the container writes the chosen model trained on everything: the newest rows are worth most.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray

from models.recommendations import data
from models.recommendations.choice import EASE_ITEMS, Choice, choose
from models.recommendations.data import Held, Histories
from models.recommendations.evaluate import measured
from models.recommendations.export import Recommender, to_onnx
from models.recommendations.neighbours import PROFILE
from models.recommendations.ranking import Ranking, item_knn, popularity

log = logging.getLogger(__name__)

SEED = 7
HYPERPARAMETERS = {"seed", "ease_items", "data_hash"}
CHANNELS = {"train", "test", "champion"}
"""The live model, in the channel `champion`, is not built upon: this model is made in seconds."""
GOLDEN, CHECKED = 24, 200
MAX_DIFFERENCE = 1e-4
FILES = ("*.csv", "*.tsv", "*.txt", "*.inter", "*.gz", "*.parquet")


class Trained(NamedTuple):
    """model: ONNX; metrics: for metrics.json; golden: profiles with the lists that the model gives them."""

    model: onnx.ModelProto
    metrics: dict[str, Any]
    golden: list[dict[str, Any]]


class Scoring(Protocol):
    """A model before it is a file."""

    def scores(self, histories: Histories, /) -> NDArray[np.float32]:
        """float32 [users, items]."""


class Terms(NamedTuple):
    """What a model is trained on, given as profiles and measured on; masked: what it may not recommend."""

    name: str
    training: Histories
    profiles: Histories
    held: Held


def leave_one_out(
    whole: Histories, seed: int = SEED, ease_items: int = EASE_ITEMS, on_everything: bool = False
) -> Trained:
    """Each user's last item is the test, the one before validation. Raises ValueError when there is too little.

    on_everything: what is written is then trained on the test items too; the figures are those without.
    """
    before, test = data.hold_back(whole)
    train, validation = data.hold_back(before)
    choice = choose(train, validation, seed, ease_items)
    terms = (
        Terms("strict", train, before, test),
        Terms("unaware", train, train, test),
        Terms("retrained", before, before, test),
    )
    shipped, figures = _figures(choice, terms)
    told = {**figures["strict"], "terms": "leave-one-out, strict", "other_terms": figures}
    del told["other_terms"]["strict"]
    counts = {"validation": len(validation.rows)}
    if not on_everything:
        return _trained(choice, shipped, terms[-1], told, counts)
    everything = Terms("everything", whole, whole, test)
    return _trained(choice, choice.fitted(whole), everything, {**told, "trained_on": "everything"}, counts)


def with_test(
    train: Histories, held: Held, left_out: dict[str, int], seed: int = SEED, ease_items: int = EASE_ITEMS
) -> Trained:
    """A test file's rows are what is measured; validation is held back from the training file in the same shares."""
    if not len(held.users):
        raise ValueError(f"nothing of the test file can be measured: {left_out}")
    several = len(held.rows) / len(held.users) > 1.5
    share = len(held.rows) / (len(held.rows) + int(train.lengths[held.users].sum())) if several else None
    inner, validation = data.hold_back(train, share)
    choice = choose(inner, validation, seed, ease_items)
    terms = Terms("test file", train, train, held)
    shipped, figures = _figures(choice, (terms,))
    told = {**figures["test file"], "terms": "trained on all of the interactions file, measured on the test file"}
    counts = {"validation": len(validation.rows), **{f"test_{why}": count for why, count in left_out.items()}}
    return _trained(choice, shipped, terms, told, counts)


def _figures(choice: Choice, terms: tuple[Terms, ...]) -> tuple[Ranking, dict[str, dict[str, Any]]]:
    """The last terms' model, and the figures on all of them, each beside the baselines on the same terms."""
    figures: dict[str, dict[str, Any]] = {}
    models: dict[int, list[Ranking]] = {}
    for name, training, profiles, held in terms:
        if id(training) not in models:
            log.info("training for the terms %r", name)
            models = {id(training): [choice.fitted(training), popularity(training), item_knn(training)]}
        log.info("measuring on the terms %r: %d users", name, len(held.users))
        own, *baselines = (measured(one.lists, profiles, held, training.counts) for one in models[id(training)])
        figures[name] = {**own, "baselines": dict(zip(("popularity", "item_knn"), baselines, strict=True))}
    return models[id(terms[-1].training)][0], figures


def _trained(choice: Choice, shipped: Ranking, terms: Terms, told: dict[str, Any], counts: dict[str, int]) -> Trained:
    train, held = terms.training, terms.held
    if shipped.prior.max() <= 0 or not shipped.weights.nnz:
        raise ValueError("no two items were taken by the same people: there is nothing to learn")
    metrics = {
        **told,
        "model": {"kind": choice.kind, **asdict(choice.shape), "ridge": choice.ridge},
        "validation": choice.validation,
        "rows": {
            "train": len(train.items),
            "users": int((train.lengths > 0).sum()),
            "items": len(train.names),
            "test": len(held.rows),
            "test_users": len(held.users),
            "test_items_not_in_training": int((held.items < 0).sum() + (train.counts[held.items] == 0).sum()),
            **counts,
        },
        "timestamps": train.timed,
        "seed": choice.seed,
        "data_hash": train.digest(),
    }
    description = {
        "version": f"recommendations-{metrics['data_hash'][:8]}-{choice.seed}",
        "data_hash": metrics["data_hash"],
        "profile": PROFILE,
        "popularity": train.counts.tolist(),
        **({"trained_until": int(train.days.max() * data.DAY)} if train.timed else {}),
        "model": metrics["model"],
        "metrics": {key: told[key] for key in ("recall_10", "ndcg_10", "recall_20", "ndcg_20", "terms")},
    }
    metrics["version"] = description["version"]
    model = to_onnx(shipped, train.names, description)
    golden, metrics["onnx_max_difference"] = checked(model, shipped, train.of(held.users[:CHECKED]))
    return Trained(model, metrics, golden)


def checked(model: onnx.ModelProto, ranking: Scoring, some: Histories) -> tuple[list[dict[str, Any]], float]:
    """Lists of some users, and the largest difference of a score, as a share of it, between file and ranking.

    Raises ValueError when the file gives other scores than the model that was measured.
    """
    serve, rows, largest = Recommender(model), [], 0.0
    scores, ages = ranking.scores(some), some.ages if some.timed else np.zeros(len(some.items))
    for user in range(len(some.users)):
        part = slice(some.offsets[user], some.offsets[user + 1])
        items, days = some.items[part][::-1].tolist(), [round(float(age), 6) for age in ages[part][::-1]]
        given = serve(items, days, items, k=10)
        expected = scores[user][given.top]
        allowed = np.isfinite(given.scores)
        difference = np.abs(given.scores - expected)[allowed] / max(float(np.abs(expected).max(initial=0)), 1e-6)
        largest = max(largest, float(difference.max(initial=0)))
        rows.append(
            {
                "items": items,
                "ages": days,
                "exclude": items,
                "top": given.top[allowed].tolist(),
                "scores": [float(value) for value in given.scores[allowed]],
                "because": given.because[allowed].tolist(),
            }
        )
    if largest > MAX_DIFFERENCE:
        raise ValueError(
            f"the ONNX model's scores differ by {largest:g} of their size from the ones that were measured"
        )
    return rows[:GOLDEN], largest


def save(out: Path, model: onnx.ModelProto, metrics: dict[str, Any], golden: list[dict[str, Any]]) -> None:
    """model.onnx, metrics.json and golden.json."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(model.SerializeToString())
    (out / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    lines = ",\n".join(json.dumps(row) for row in golden)
    (out / "golden.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def train(channels: Mapping[str, Path], hyperparameters: Mapping[str, str], out: Path) -> None:
    """What the container calls: channels `train` and, if there is one, `test`. Raises ValueError, which says why."""
    if unknown := set(hyperparameters) - HYPERPARAMETERS:
        raise ValueError(f"unknown hyperparameters {', '.join(sorted(unknown))}: there are {sorted(HYPERPARAMETERS)}")
    if "train" not in channels or set(channels) - CHANNELS:
        raise ValueError(f"channels {', '.join(channels)}: 'train' is needed; 'test' and 'champion' may be there")
    seed, ease_items = int(hyperparameters.get("seed", SEED)), int(hyperparameters.get("ease_items", EASE_ITEMS))
    histories = data.histories(_channel(channels["train"]))
    if "test" in channels:
        held, left_out = data.held_from(_channel(channels["test"]), histories)
        trained = with_test(histories, held, left_out, seed, ease_items)
    else:
        trained = leave_one_out(histories, seed, ease_items, on_everything=True)
    expected = hyperparameters.get("data_hash", "")
    if expected and expected != histories.digest():
        raise ValueError(
            f"the training data are not those of data_hash {expected[:12]}: they were exchanged or damaged"
        )
    save(out, *trained)


def _channel(directory: Path) -> pd.DataFrame:
    paths = sorted({path for pattern in FILES for path in directory.rglob(pattern)})
    if not paths:
        raise ValueError(f"no file of interactions in {directory}: {', '.join(FILES)}")
    return pd.concat([data.read(path) for path in paths], ignore_index=True)
