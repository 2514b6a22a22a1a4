"""Text -> a fingerprint that it shares with its reposts: the same words, whoever is mentioned and wherever it links."""

import re
import unicodedata
from hashlib import blake2b

MIN_CHARACTERS = 20
"""Of the text that counts. Many people write the same short words by themselves: "love it" is no repost."""

_LINK = re.compile(r"\bhttps?://\S*|\bwww\.\S+", re.IGNORECASE)
_MENTION = re.compile(r"(?<!\w)@[\w.-]+(?:@[\w.-]+)*")
_REPOSTED = re.compile(r"\A\s*rt\s(?=\s*@)")
# Variation selectors, skin tones, joiners, marks: the same emoji and letters in another dress.
_DRESS = re.compile("[\ufe00-\ufe0f\u200b-\u200f\u2060\U0001f3fb-\U0001f3ff\u0300-\u036f]")
_NO_WORD = re.compile(r"[\W_]+")


def fingerprint(text: str) -> str:
    """32 hexadecimal digits (BLAKE2b, 128 bits) of the text that counts; empty when that is too short to tell.

    Not counted: case, accents, links, mentions, a leading "RT @name", punctuation, space, variants of an emoji. A text
    of which the end is missing has another fingerprint. text: cleaned and redacted.
    """
    plain = _DRESS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    plain = _MENTION.sub(" ", _LINK.sub(" ", _REPOSTED.sub("", plain, count=1)))
    words = _NO_WORD.sub(" ", plain).strip()
    emoji = "".join(each for each in plain if unicodedata.category(each) == "So")
    if len(words) < MIN_CHARACTERS:
        return ""
    return blake2b(f"{words}|{emoji}".encode(), digest_size=16).hexdigest()
