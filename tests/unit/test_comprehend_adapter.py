"""Texts -> BatchDetectSentiment in calls of one language, 25 at most -> verdicts; errors of single texts and of all."""

import json
from typing import Any

import pytest

from cuatro.adapters.comprehend import MOST_BYTES, ComprehendBackend
from cuatro.classification import Text, Verdict
from cuatro.errors import ModelMismatch, Refused, Unavailable

SURE = {"Positive": 0.9, "Negative": 0.02, "Neutral": 0.05, "Mixed": 0.03}


class Service:
    """Answers as given; keeps what it was asked."""

    def __init__(self, answer: Any = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answer = answer

    def call(self, operation: str, body: bytes) -> bytes:
        assert operation == "BatchDetectSentiment"
        asked = json.loads(body)
        self.asked.append(asked)
        if isinstance(self._answer, Exception):
            raise self._answer
        results = [{"Index": place, "Sentiment": "POSITIVE", "SentimentScore": SURE}
                   for place in range(len(asked["TextList"]))]  # fmt: skip
        answer = self._answer(results) if self._answer else {"ResultList": results, "ErrorList": []}
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def classified(answer: Any, *texts: Text) -> list[Verdict]:
    return ComprehendBackend(service=Service(answer)).classify(texts)


def test_a_call_has_one_language_and_25_texts() -> None:
    service = Service()
    texts = [Text(f"{language} {number}", language) for number in range(30) for language in ("en", "es")]
    assert all(each.label == "positive" for each in ComprehendBackend(service=service).classify(texts))
    assert [(each["LanguageCode"], len(each["TextList"])) for each in service.asked] == [
        ("en", 25), ("en", 5), ("es", 25), ("es", 5),
    ]  # fmt: skip


def test_what_comprehend_cannot_read_is_not_sent() -> None:
    service = Service()
    texts = [Text("", "en"), Text("a", "und"), Text("b", "en"), Text(" ", "es"), Text("c", "nl")]
    found = ComprehendBackend(service=service).classify(texts)
    assert [each["TextList"] for each in service.asked] == [["b"]]
    assert [each.backend for each in found] == ["comprehend:unsupported"] * 2 + ["comprehend"] + [
        "comprehend:unsupported"
    ] * 2


def test_long_texts_are_cut_at_whole_characters() -> None:
    service = Service()
    ComprehendBackend(service=service).classify([Text("\u20ac" * 2_000, "en"), Text("a" + "\U0001f600" * 2_000, "en")])
    sent = service.asked[0]["TextList"]
    assert [len(each.encode()) for each in sent] == [4_998, 4_997]
    assert all(len(each.encode()) <= MOST_BYTES for each in sent)


def test_mixed_counts_as_neutral_and_is_unsure() -> None:
    score = {"Positive": 0.2, "Negative": 0.1, "Neutral": 0.1, "Mixed": 0.6}
    (found,) = classified(
        lambda results: {"ResultList": [{**results[0], "Sentiment": "MIXED", "SentimentScore": score}]}, Text("a", "en")
    )
    assert (found.label, found.unsure) == ("neutral", True)
    assert found.probabilities == pytest.approx((0.1, 0.7, 0.2))


def test_answers_may_come_in_any_order_and_single_texts_may_be_refused() -> None:
    def answer(results: list[Any]) -> Any:
        refused = {"Index": 1, "ErrorCode": "TEXT_SIZE_LIMIT_EXCEEDED", "ErrorMessage": "too long"}
        return {"ResultList": [results[2], results[0]], "ErrorList": [refused]}

    found = classified(answer, Text("a", "en"), Text("b", "en"), Text("c", "en"))
    assert [each.backend for each in found] == ["comprehend", "comprehend:unsupported", "comprehend"]


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "InternalServerException", "THROTTLING"])
def test_a_text_that_failed_for_now_is_tried_again_with_all(code: str) -> None:
    with pytest.raises(Unavailable, match=code):
        classified(lambda _: {"ResultList": [], "ErrorList": [{"Index": 0, "ErrorCode": code}]}, Text("a", "en"))


def test_a_language_that_aws_no_longer_does_is_unsupported_and_other_refusals_are_ours() -> None:
    refused = Refused("BatchDetectSentiment", "UnsupportedLanguageException", "no")
    assert classified(refused, Text("a", "en"))[0].backend == "comprehend:unsupported"
    with pytest.raises(Refused, match="AccessDenied"):
        classified(Refused("BatchDetectSentiment", "AccessDeniedException", "no"), Text("a", "en"))
    with pytest.raises(Unavailable):
        classified(Unavailable("away"), Text("a", "en"))


@pytest.mark.parametrize(
    "answer",
    [b"{", {"ResultList": []}, {"ResultList": [{"Index": 0}]}, [],
     {"ResultList": [{"Index": 7, "Sentiment": "NEUTRAL", "SentimentScore": SURE}]}],
)  # fmt: skip
def test_an_answer_that_is_none_is_a_wrong_model(answer: Any) -> None:
    with pytest.raises(ModelMismatch):
        classified(lambda _: answer, Text("a", "en"))
