"""phrases.json -> what people say of a brand, by language and class: own sentences with a place for the brand's name.

`{b}` is the brand. A frame goes around a sentence (`{s}`), with a tail that says when or where, so that few people say
the very same.
"""

import json
from pathlib import Path
from typing import NamedTuple


class Phrases(NamedTuple):
    """Sentences by class, of everyday and of the crisis; frames and tails that change no feeling."""

    negative: list[str]
    neutral: list[str]
    positive: list[str]
    crisis: list[str]
    frames: list[str]
    tails: list[str]


PHRASES = {
    language: Phrases(**found)
    for language, found in json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8")).items()
}
