"""Scores -> verdicts; a first verdict and a second opinion -> one; posts <-> BlazingText's format; list prices."""

import json
from pathlib import Path

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from cuatro import prices
from cuatro.classification import second, unsupported, verdict
from cuatro.errors import ModelMismatch
from cuatro.posts import LABELS
from cuatro.supervised_text import PREFIX, line, probabilities, read, tokens
from models.sentiment.blazingtext.job import training_job
from models.sentiment.blazingtext.posts import exported, imported, main, validates

SCORES = st.lists(st.floats(0, 1e6), min_size=3, max_size=3).filter(lambda found: sum(found) > 1e-9)
TEXTS = st.text(max_size=200)


@given(SCORES)
def test_scores_become_probabilities_and_the_likeliest_is_the_label(scores: list[float]) -> None:
    found = verdict(scores, "onnx", "v", 0.5)
    assert sum(found.probabilities) == pytest.approx(1)
    assert found.probabilities[LABELS.index(found.label)] == max(found.probabilities)
    assert found.unsure == (max(found.probabilities) < 0.5)


def test_between_equals_nobody_is_alarmed() -> None:
    assert verdict([1, 1, 1], "b", "v", 0.5).label == "neutral"
    assert verdict([0.4, 0.4, 0.2], "b", "v", 0.5).label == "neutral"
    assert verdict([0.4, 0.2, 0.4], "b", "v", 0.5).label == "negative", "of the two that are left"


@pytest.mark.parametrize("scores", [[], [1, 1], [1, 1, 1, 1], [0, 0, 0], [-0.1, 0.5, 0.6], [float("nan"), 1, 1],
                                    [float("inf"), 1, 1]])  # fmt: skip
def test_what_is_no_probability_is_a_wrong_model(scores: list[float]) -> None:
    with pytest.raises(ModelMismatch, match="three classes"):
        verdict(scores, "onnx", "v7", 0.5)


def test_what_nobody_could_judge_is_neutral_and_unsure() -> None:
    found = unsupported("comprehend", "v")
    assert (found.label, found.unsure, found.backend) == ("neutral", True, "comprehend:unsupported")
    assert sum(found.probabilities) == pytest.approx(1)


@given(SCORES, st.sampled_from(LABELS), st.floats(0.34, 0.99))
def test_a_second_opinion_never_makes_its_label_less_likely(
    scores: list[float], label: str, reliability: float
) -> None:
    first = verdict(scores, "onnx", "v", 0.5)
    place = LABELS.index(label)
    found = second(first, label, reliability, "bedrock:m:0", 0.5)
    assert found.probabilities[place] >= first.probabilities[place] - 1e-12
    assert (found.backend, found.model_version) == ("onnx+bedrock", "v+m:0")


def test_a_second_opinion_is_weighed_as_bayes_says() -> None:
    first = verdict([0.4, 0.35, 0.25], "onnx", "v", 0.5)
    found = second(first, "neutral", 0.7, "bedrock:m", 0.5)
    total = 0.4 * 0.15 + 0.35 * 0.7 + 0.25 * 0.15
    assert found.probabilities == pytest.approx((0.4 * 0.15 / total, 0.35 * 0.7 / total, 0.25 * 0.15 / total))
    assert (found.label, found.unsure) == ("neutral", False)
    sure = second(verdict([0.98, 0.01, 0.01], "onnx", "v", 0.5), "positive", 0.7, "bedrock:m", 0.5)
    assert sure.label == "negative", "who was sure is not overruled"
    unread = second(unsupported("onnx", "v"), "positive", 0.7, "bedrock:m", 0.5)
    assert (unread.label, unread.backend) == ("positive", "onnx+bedrock")


@given(st.sampled_from(LABELS), TEXTS)
def test_a_line_of_the_supervised_format_is_read_back(label: str, text: str) -> None:
    row = line(label, text)
    assert len(row.splitlines()) == 1
    assert read(row) == (label, tokens(text))
    assert tokens(tokens(text)) == tokens(text), "what was cut once stays as it is"
    assert not any(token.startswith(PREFIX) for token in tokens(text).split())


def test_tokens_are_what_a_reader_would_separate() -> None:
    assert tokens("I CAN'T believe it!! #Northwind don\u2019t") == "i can't believe it ! ! # northwind don't"
    assert tokens("__label__positive caf\u00e9 \U0001f600") == "label positive caf\u00e9 \U0001f600"
    for bad in ("good thing", "__label__joy x", ""):
        with pytest.raises(ValueError, match="supervised text format"):
            read(bad)
    with pytest.raises(KeyError):
        line("mixed", "a")


def test_what_blazingtext_answers_is_put_in_our_order() -> None:
    assert probabilities(["__label__positive", "__label__negative"], [0.7, 0.2]) == [0.2, 0.0, 0.7]
    with pytest.raises(ModelMismatch, match="'sports'"):
        probabilities(["__label__sports"], [1.0])


def test_posts_are_exported_once_each_and_always_to_the_same_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    posts = [(LABELS[number % 3], f"Post number {number} of @user") for number in range(600)]
    odd = [("mixed", "a text"), ("neutral", " "), ("neutral", "Post NUMBER 1 of @user")]
    train, check = tmp_path / "train.txt", tmp_path / "check.txt"
    written = exported([*posts, *odd], train, check, 0.2)
    assert written.left == 2
    trained, checked = (list(imported(path.read_text(encoding="utf-8").splitlines())) for path in (train, check))
    assert len(trained) + len(checked) == 601
    assert 60 < len(checked) < 180
    assert not {text for _, text in trained} & {text for _, text in checked}
    assert validates("Post number 1 of @user", 0.2) == validates("post number 1 of @user", 0.2)
    source = tmp_path / "posts.jsonl"
    source.write_text("".join(json.dumps({"label": label, "text": text}) + "\n" for label, text in posts))
    again = tmp_path / "again.txt"
    monkeypatch.setattr("sys.argv", ["posts", str(source), str(again), str(check), "--share", "0.2"])
    main()
    assert sum(json.loads(capsys.readouterr().out)["training"].values()) == len(again.read_text().splitlines())
    with pytest.raises(ValueError, match="line 2: not a line"):
        list(imported(["__label__neutral a", "b"]))


def test_the_training_job_is_one_that_boto3_takes() -> None:
    shape = get_session().get_service_model("sagemaker").operation_model("CreateTrainingJob").input_shape
    job = training_job("n", "bucket", "posts", "arn:aws:iam::123456789012:role/training", "eu-west-1")
    assert not ParamValidator().validate(job, shape).has_errors()
    assert job["HyperParameters"]["mode"] == "supervised"
    with pytest.raises(KeyError):
        training_job("n", "b", "p", "r", "mars-1")


def test_prices_are_those_of_the_lists() -> None:
    assert prices.comprehend(1) == prices.comprehend(300) == pytest.approx(0.0003)
    assert prices.comprehend(301) == pytest.approx(0.0004)
    micro = prices.bedrock("us.amazon.nova-micro-v1:0")
    assert micro == prices.bedrock("amazon.nova-micro-v1:0")
    assert micro is not None
    assert micro.cost(1_000_000, 1_000_000) == pytest.approx(0.175)
    assert prices.bedrock("amazon.nova-unheard-of") is None
    assert prices.compute(1, 1024) == pytest.approx(0.0000166667)
    assert prices.endpoint("ml.m5.large", 115) == pytest.approx(0.001)
