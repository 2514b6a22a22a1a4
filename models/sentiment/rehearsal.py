"""A tokenizer -> texts of random words in all languages that it knows: what a model says of them is to stay the same.

Pseudorehearsal (Robins 1995): posts of a week are of a few brands and languages, and hold a model only there.
"""

import numpy as np
from sentencepiece import SentencePieceProcessor

TEXTS, WORDS = 600, 10
SHORTEST = 3
_START = "\u2581"


def texts(tokenizer: bytes, seed: int) -> list[str]:
    """TEXTS texts of WORDS words each; the same for the same tokenizer and seed."""
    pieces = SentencePieceProcessor(model_proto=tokenizer)
    found = [pieces.id_to_piece(each) for each in range(pieces.vocab_size())]
    words = [each[1:] for each in found if each.startswith(_START) and each[1:].isalpha() and len(each) > SHORTEST]
    return [" ".join(row) for row in np.random.default_rng(seed).choice(words, (TEXTS, WORDS))]
