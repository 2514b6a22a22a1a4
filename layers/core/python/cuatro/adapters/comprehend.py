"""Texts -> verdicts by Amazon Comprehend's BatchDetectSentiment: 25 texts a call, a call for each language.

Spoken by its JSON protocol over the lean path: this is the hot path of whoever chose it. Comprehend tells no version of
its model. MIXED, which our classes lack, counts as neutral; a text that is most of all mixed is unsure.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from cuatro.adapters.aws import JsonService, LeanService
from cuatro.classification import UNSURE_BELOW, Text, unsupported, verdict
from cuatro.errors import ModelMismatch, Refused, Unavailable
from cuatro.posts import Verdict

NAME, VERSION = "comprehend", "2017-11-27"
"""VERSION: of the interface."""
LANGUAGES = frozenset({"ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "pt", "zh"})
TEXTS_A_CALL, MOST_BYTES = 25, 5_000
"""Of BatchDetectSentiment. What a text has beyond is not read: its first 5,000 bytes are what is judged."""
_PASSING = ("INTERNAL", "THROTTL", "SERVICE_UNAVAILABLE")
"""How codes of single texts begin that may be gone at the next attempt, without regard to their spelling."""


class _Scores(msgspec.Struct, rename="pascal"):
    positive: float
    negative: float
    neutral: float
    mixed: float


class _Result(msgspec.Struct, rename="pascal"):
    index: int
    sentiment: str
    sentiment_score: _Scores


class _Failed(msgspec.Struct, rename="pascal"):
    index: int
    error_code: str = ""
    error_message: str = ""


class _Answer(msgspec.Struct, rename="pascal"):
    result_list: list[_Result]
    error_list: list[_Failed] = []


_ANSWER = msgspec.json.Decoder(_Answer)


class ComprehendBackend:
    """As Backend says."""

    name, version = NAME, VERSION

    def __init__(self, unsure_below: float = 0.0, service: JsonService | None = None) -> None:
        """unsure_below: 0 takes UNSURE_BELOW. service: Comprehend's JSON interface, by default this process's."""
        self._unsure_below = unsure_below or UNSURE_BELOW
        self._service = service or _service()

    def classify(self, texts: Sequence[Text]) -> list[Verdict]:
        """As Backend says."""
        found = [unsupported(NAME, VERSION)] * len(texts)
        of: dict[str, list[int]] = {}
        for place, (text, language) in enumerate(texts):
            if text.strip() and language in LANGUAGES:
                of.setdefault(language, []).append(place)
        for language, places in of.items():
            for start in range(0, len(places), TEXTS_A_CALL):
                part = places[start : start + TEXTS_A_CALL]
                for place, told in zip(part, self._asked([texts[at].text for at in part], language), strict=True):
                    found[place] = told
        return found

    def _asked(self, texts: list[str], language: str) -> list[Verdict]:
        found = [unsupported(NAME, VERSION)] * len(texts)
        body = {"TextList": [_cut(text) for text in texts], "LanguageCode": language}
        try:
            answer = _ANSWER.decode(self._service.call("BatchDetectSentiment", msgspec.json.encode(body)))
        except Refused as error:
            if error.code == "UnsupportedLanguageException":
                return found
            raise
        except msgspec.MsgspecError as error:
            raise ModelMismatch(f"Comprehend's answer cannot be read: {error}") from None
        for failed in answer.error_list:
            if failed.error_code.upper().startswith(_PASSING):
                raise Unavailable(f"BatchDetectSentiment: {failed.error_code}: {failed.error_message}")
        told = {each.index for each in answer.result_list} | {each.index for each in answer.error_list}
        if told != set(range(len(texts))):
            raise ModelMismatch(f"Comprehend answered for {sorted(told)} of {len(texts)} texts")
        for each in answer.result_list:
            found[each.index] = self._verdict(each)
        return found

    def _verdict(self, result: _Result) -> Verdict:
        score = result.sentiment_score
        made = verdict((score.negative, score.neutral + score.mixed, score.positive), NAME, VERSION, self._unsure_below)
        return made._replace(unsure=True) if result.sentiment == "MIXED" else made


def _cut(text: str) -> str:
    """At most MOST_BYTES of UTF-8, whole characters."""
    encoded = text.encode()
    return text if len(encoded) <= MOST_BYTES else encoded[:MOST_BYTES].decode(errors="ignore")


@cache
def _service() -> Any:
    return LeanService("comprehend", "Comprehend_20171127", "1.1")
