"""What evaluate reports is what scikit-learn computes; its files are read strictly, or bad lines are counted."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from models.sentiment import evaluate
from models.sentiment.data import Post, digest, parsed, posts, read
from models.sentiment.figures import calibration_error, figures, linear, majority, of_languages, unsure_band, vader

HOME = Path(evaluate.__file__).parent


def test_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    truth, predicted = rng.integers(0, 3, 500), rng.integers(0, 3, 500)
    found = figures(truth, predicted)
    precision, recall, f1, support = precision_recall_fscore_support(truth, predicted)
    assert found["macro_recall"] == pytest.approx(recall.mean())
    assert found["macro_f1"] == pytest.approx(f1.mean())
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, predicted))
    assert found["confusion"] == confusion_matrix(truth, predicted).tolist()
    assert [row["precision"] for row in found["per_class"].values()] == pytest.approx(precision.tolist())
    assert [row["support"] for row in found["per_class"].values()] == support.tolist()


def test_a_class_that_does_not_occur_is_left_out_of_the_means() -> None:
    found = figures(np.array([0, 0, 2, 2]), np.array([0, 1, 2, 2]))
    assert found["macro_recall"] == pytest.approx(0.75)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["per_class"]["neutral"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}


def test_languages_are_told_apart_the_largest_first() -> None:
    found = of_languages(np.array([0, 1, 2]), np.array([0, 1, 1]), ["es", "en", "en"])
    assert list(found) == ["en", "es"]
    assert found["en"]["macro_recall"] == pytest.approx(0.5)
    assert found["es"] == {"macro_recall": 1.0, "macro_f1": 1.0, "accuracy": 1.0, "n": 1}


def test_the_calibration_error_is_the_gap_between_sure_and_right() -> None:
    sure = np.tile([0.05, 0.9, 0.05], (10, 1))
    assert calibration_error(np.array([1] * 9 + [0]), sure) == pytest.approx(0)
    assert calibration_error(np.array([0] * 10), sure) == pytest.approx(0.9)


def test_the_unsure_band() -> None:
    probabilities = np.array([[0.9, 0.05, 0.05], [0.4, 0.35, 0.25]])
    found = unsure_band(np.array([0, 1]), probabilities, 0.5)
    assert found == {"below": 0.5, "share": 0.5, "accuracy_inside": 0.0, "accuracy_outside": 1.0}
    assert unsure_band(np.array([0, 1]), probabilities, 0.1)["accuracy_inside"] is None


def test_baselines() -> None:
    assert majority(np.array([2, 2, 0])).tolist() == [2, 2, 2]
    assert vader(["I love it", "I hate it", "the table"]).tolist() == [2, 0, 1]
    texts = ["so good", "very good", "so bad", "very bad", "a plan", "this plan"] * 4
    labels = np.array([2, 2, 0, 0, 1, 1] * 4)
    assert linear(texts, labels, ["good", "bad", "plan"]).tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("line", "post"),
    [
        ('{"text": "a", "label": "Negative"}', Post("a", 0)),
        ('{"text": "a", "label": 2, "lang": "es"}', Post("a", 2, "es")),
        ('{"text": "", "label": "1", "language": "de", "id": 7}', Post("", 1, "de")),
    ],
)
def test_lines_that_are_read(line: str, post: Post) -> None:
    assert parsed(line) == post


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "no JSON"),
        ("[]", "no object"),
        ('{"label": 1}', "text"),
        ('{"text": "a"}', "label None"),
        ('{"text": "a", "label": 3}', "label 3"),
        ('{"text": "a", "label": true}', "label True"),
        ('{"text": "a", "label": [1]}', "label"),
        ('{"text": "a", "label": 1, "lang": 5}', "language 5"),
    ],
)
def test_lines_that_are_not(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parsed(line)


def test_a_bad_line_is_told_with_its_number_or_counted(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text('{"text": "a", "label": 1}\n\n{"text": 5}\n')
    with pytest.raises(ValueError, match=r"posts\.jsonl, line 3"):
        read(path)
    assert read(path, skip_bad=True) == ([Post("a", 1)], 1)
    path.write_text("\n")
    with pytest.raises(ValueError, match="no posts"):
        read(path)


def test_files_of_a_folder_have_the_language_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "spanish_train.jsonl").write_text('{"text": "a", "label": 1}\n')
    found = list(posts(tmp_path, "train"))
    assert found == [Post("a", 1, "es")]
    assert digest(found) != digest([Post("a", 1, "en")])
    with pytest.raises(ValueError, match="english_test"):
        list(posts(tmp_path, "test"))


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = tmp_path / "posts.jsonl", tmp_path / "metrics.json"
    lines = (HOME / "examples.jsonl").read_text().splitlines()[:54]
    data.write_text("\n".join([*lines, "broken"]) + "\n")
    train = str(HOME / "examples.jsonl")
    monkeypatch.setattr(
        sys, "argv", ["evaluate", "--data", str(data), "--train", train, "--out", str(out), "--skip-bad"]
    )
    evaluate.main()
    table, metrics = capsys.readouterr().out, json.loads(out.read_text())
    assert "macro recall" in table
    assert "1 bad lines skipped" in table
    assert metrics["n"] == 54
    assert metrics["skipped_lines"] == 1
    assert metrics["macro_recall"] > 0.7
    assert set(metrics["per_language"]) == {"en", "es"}
    assert set(metrics["baselines"]) == {"majority", "vader", "tfidf_linear"}
    assert metrics["baselines"]["majority"]["macro_recall"] == pytest.approx(1 / 3)
    assert metrics["speed"]["posts_per_second"] > 1


def test_the_command_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "posts.jsonl"
    data.write_text('{"text": "a", "label": "great"}\n')
    for given, said in ((str(data), "line 1"), (str(tmp_path / "none.jsonl"), "No such file")):
        monkeypatch.setattr(sys, "argv", ["evaluate", "--data", given])
        with pytest.raises(SystemExit, match="2"):
            evaluate.main()
        assert said in capsys.readouterr().err
