"""Probabilities of the project's model -> what the local Comprehend tells; texts -> its limits; questions -> posts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.aws.errors import AwsError
from local.bedrock.converse import _post, _question
from local.comprehend.limits import SENTIMENT_BYTES, TEXTS, batched, too_long, whole
from local.comprehend.sentiment import told

SCORES = st.tuples(*[st.floats(0.001, 1)] * 3).map(lambda found: tuple(each / sum(found) for each in found))


@given(SCORES)
def test_scores_sum_to_one_and_the_sentiment_is_the_best(scores: tuple[float, float, float]) -> None:
    found = told(*scores)
    score = found["SentimentScore"]
    assert sum(score.values()) == pytest.approx(1)
    assert min(score.values()) >= 0
    assert score[found["Sentiment"].capitalize()] == max(score.values())
    if scores[1] >= min(scores[0], scores[2]):
        assert score["Mixed"] == 0, "nobody is torn: the model's own probabilities"
        assert (score["Negative"], score["Neutral"], score["Positive"]) == scores


def test_who_is_torn_is_mixed() -> None:
    assert told(0.45, 0.1, 0.45)["Sentiment"] == "MIXED"
    assert told(0.1, 0.8, 0.1)["Sentiment"] == "NEUTRAL"
    assert told(0.9, 0.02, 0.08)["Sentiment"] == "NEGATIVE"


@given(
    st.lists(
        st.sampled_from(["a", "x" * (SENTIMENT_BYTES + 1), "\u20ac" * 1_667, "b" * SENTIMENT_BYTES]), max_size=TEXTS
    )
)
def test_every_text_of_a_batch_is_answered_once(texts: list[str]) -> None:
    def read(given: Any) -> list[dict[str, Any]]:
        assert given, "nobody is asked about nothing"
        return [{"Text": text} for text in given]

    found = batched({"TextList": texts}, SENTIMENT_BYTES, read)
    answered = [each["Index"] for each in found["ResultList"]]
    refused = [each["Index"] for each in found["ErrorList"]]
    assert sorted(answered + refused) == list(range(len(texts)))
    assert [texts[at] for at in answered] == [each["Text"] for each in found["ResultList"]]
    assert all(len(texts[at].encode()) > SENTIMENT_BYTES for at in refused)


def test_limits_are_bytes_and_documents() -> None:
    assert too_long("b" * SENTIMENT_BYTES, SENTIMENT_BYTES) == ""
    with pytest.raises(AwsError, match="5001 bytes"):
        whole("\u20ac" * 1_667, SENTIMENT_BYTES)
    with pytest.raises(AwsError, match="BatchSizeLimitExceededException"):
        batched({"TextList": ["a"] * (TEXTS + 1)}, SENTIMENT_BYTES, lambda _: [])


@pytest.mark.parametrize(
    ("question", "post"),
    [('{"language": "es", "text": "hola"}', ("hola", "es")), ("just a post", ("just a post", "")),
     ('["text"]', ('["text"]', "")), ('{"txt": 1}', ('{"txt": 1}', "")), ('{"text": 7}', ("7", ""))],
)  # fmt: skip
def test_the_double_finds_the_post_in_a_question(question: str, post: tuple[str, str]) -> None:
    assert _post(question) == post


@pytest.mark.parametrize(
    ("messages", "words"),
    [([], "start with a user"), ([{"role": "assistant", "content": []}], "start with a user"),
     ([{"role": "user", "content": [{"text": "a"}]}, {"role": "assistant", "content": []}], "end with a user"),
     ([{"role": "user", "content": [{"text": " "}]}], "blank")],
)  # fmt: skip
def test_a_conversation_that_is_none_is_refused(messages: Any, words: str) -> None:
    with pytest.raises(AwsError, match=words):
        _question({"messages": messages})
