"""What the local Comprehend says of texts: classes, languages, limits and refusals, and what becomes of its process."""

import os
import signal
import subprocess
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.process import Platform
from tests.backend_contract import PLAIN
from tests.checked import Aws

TOO_LONG = "a" * 5_001
WORDS = "Input text size exceeds limit. Max length of request text allowed is 5000 bytes while in this request the text"


def code(failed: pytest.ExceptionInfo[ClientError]) -> str:
    return str(failed.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def comprehend(aws: Aws) -> Any:
    return aws.client("comprehend")


def test_plain_sentences_have_their_class(comprehend: Any) -> None:
    for text, label in PLAIN:
        found = comprehend.detect_sentiment(Text=text.text, LanguageCode=text.language)
        assert found["Sentiment"] == label.upper()
        score = found["SentimentScore"]
        assert sum(score.values()) == pytest.approx(1, abs=1e-5)
        assert score[label.capitalize()] == max(score.values())


def test_a_batch_says_what_single_calls_say(comprehend: Any) -> None:
    texts = [text.text for text, _ in PLAIN if text.language == "en"] * 3
    batch = comprehend.batch_detect_sentiment(TextList=texts, LanguageCode="en")
    assert [each["Index"] for each in batch["ResultList"]] == list(range(len(texts)))
    assert batch["ErrorList"] == []
    for text, each in zip(texts, batch["ResultList"], strict=True):
        alone = comprehend.detect_sentiment(Text=text, LanguageCode="en")
        assert each["Sentiment"] == alone["Sentiment"]
        assert each["SentimentScore"] == pytest.approx(alone["SentimentScore"], abs=0.02)


def test_limits_are_those_of_aws(comprehend: Any) -> None:
    with pytest.raises(ClientError, match=f"{WORDS} size is 5001 bytes") as failed:
        comprehend.detect_sentiment(Text=TOO_LONG, LanguageCode="en")
    assert code(failed) == "TextSizeLimitExceededException"
    assert comprehend.detect_sentiment(Text=TOO_LONG[:-1], LanguageCode="en")["Sentiment"]
    with pytest.raises(ClientError, match="5001 bytes"):  # bytes, not characters
        comprehend.detect_sentiment(Text="\u20ac" * 1_667, LanguageCode="en")
    with pytest.raises(ClientError) as failed:
        comprehend.batch_detect_sentiment(TextList=["a"] * 26, LanguageCode="en")
    assert code(failed) == "BatchSizeLimitExceededException"
    assert len(comprehend.batch_detect_sentiment(TextList=["a"] * 25, LanguageCode="en")["ResultList"]) == 25
    assert comprehend.detect_dominant_language(Text="word " * 2_000)["Languages"]
    with pytest.raises(ClientError) as failed:
        comprehend.detect_dominant_language(Text="word " * 20_001)
    assert code(failed) == "TextSizeLimitExceededException"


def test_a_long_text_does_not_spoil_its_batch(comprehend: Any) -> None:
    found = comprehend.batch_detect_sentiment(TextList=["I love it", TOO_LONG, "awful"], LanguageCode="en")
    assert [each["Index"] for each in found["ResultList"]] == [0, 2]
    (refused,) = found["ErrorList"]
    assert (refused["Index"], refused["ErrorCode"]) == (1, "TEXT_SIZE_LIMIT_EXCEEDED")
    alone = comprehend.batch_detect_sentiment(TextList=[TOO_LONG], LanguageCode="en")
    assert (alone["ResultList"], len(alone["ErrorList"])) == ([], 1)


def test_what_breaks_a_rule_is_told_in_awss_words(aws: Aws) -> None:
    careless = aws.careless("comprehend")
    for given in ({"Text": "", "LanguageCode": "en"}, {"Text": "a", "LanguageCode": "xx"}, {"LanguageCode": "en"}):
        with pytest.raises(ClientError, match="1 validation error detected") as failed:
            careless.detect_sentiment(**given)
        assert code(failed) == "ValidationException"
    for texts in ([], ["a", ""]):
        with pytest.raises(ClientError, match="greater than or equal to 1"):
            careless.batch_detect_sentiment(TextList=texts, LanguageCode="en")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The coffee at the corner is really not what it used to be", "en"),
        ("El servicio fue lento y el caf\u00e9 estaba fr\u00edo", "es"),
        ("O atendimento foi r\u00e1pido e o caf\u00e9 estava \u00f3timo", "pt"),
        ("Le service \u00e9tait lent et le caf\u00e9 \u00e9tait froid", "fr"),
        ("Der Kaffee war kalt und die Bedienung sehr langsam", "de"),
        ("Il servizio era lento e il caff\u00e8 era freddo", "it"),
    ],
)
def test_languages_are_told(comprehend: Any, text: str, language: str) -> None:
    best, *rest = comprehend.detect_dominant_language(Text=text)["Languages"]
    assert best["LanguageCode"] == language
    assert all(each["Score"] <= best["Score"] for each in rest)
    (of_batch,) = comprehend.batch_detect_dominant_language(TextList=[text])["ResultList"]
    assert of_batch["Languages"][0] == pytest.approx(best)


def readers(platform: Platform) -> list[int]:
    """Process ids of what reads for this platform: its children's children."""
    told = subprocess.run(["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in told.splitlines()[1:]]
    supervisors = {pid for pid, parent, _ in rows if parent == str(platform.pid)}
    return [int(pid) for pid, parent, command in rows if parent in supervisors and "local.comprehend" in command]


def test_a_process_that_was_killed_is_started_again(comprehend: Any, platform: Platform) -> None:
    comprehend.detect_sentiment(Text="a", LanguageCode="en")
    (before,) = readers(platform)
    os.kill(before, signal.SIGKILL)
    assert comprehend.detect_sentiment(Text="I love it", LanguageCode="en")["Sentiment"] == "POSITIVE"
    (after,) = readers(platform)
    assert after != before
