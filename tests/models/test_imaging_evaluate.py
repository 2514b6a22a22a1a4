"""The command that measures a reader on somebody's zip of films: what it prints, writes and says when it cannot."""

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cuatro.adapters.radiograph import OnnxReader
from functions.imaging.features import VERSION
from models.imaging import evaluate
from models.imaging.data import read
from models.imaging.golden import golden_images
from tests.functional.imaging import tiny_reader
from tests.reader_contract import film


def zipped(path: Path, images: list[tuple[str, np.ndarray]], more: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, image in images:
            file = io.BytesIO()
            Image.fromarray(image).save(file, "PNG")
            archive.writestr(name, file.getvalue())
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return path


def test_the_shipped_reader_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [
        (f"x/test/{('NORMAL', 'PNEUMONIA')[at % 2]}/{at}.png", film) for at, film in enumerate(golden_images()[:8])
    ]
    data = zipped(tmp_path / "films.zip", images, {"x/test/NORMAL/bad.png": b"nothing"})
    out = tmp_path / "metrics.json"
    monkeypatch.setattr(sys, "argv", ["evaluate", "--data", str(data), "--out", str(out), "--skip-bad"])
    evaluate.main()
    printed, told = capsys.readouterr().out, json.loads(out.read_text())
    assert "1 files skipped" in printed
    assert "8 images, 50.0% pneumonia" in printed
    assert (told["n"], told["skipped_files"], told["prevalence"]) == (8, 1, 0.5)
    wanted = ("auc", "sensitivity", "specificity", "accuracy", "expected_calibration_error", "images_per_second")
    assert all(isinstance(told[name], float) for name in wanted)
    shipped = json.loads((Path(evaluate.__file__).parent / "metrics.json").read_text())
    assert (told["model"], told["threshold"]) == (shipped["version"], shipped["threshold"])


def test_every_image_counts_and_what_goes_to_a_person_is_told_beside(tmp_path: Path) -> None:
    model = OnnxReader(tiny_reader.save(tmp_path), VERSION)
    blank = np.full((300, 260), 90, np.uint8)
    data = zipped(
        tmp_path / "films.zip",
        [
            ("NORMAL/a.png", film(0.1)),
            ("NORMAL/b.png", film(0.55)),
            ("NORMAL/c.png", blank),
            ("PNEUMONIA/d.png", film(0.9)),
            ("PNEUMONIA/e.png", film(0.2)),
        ],
    )
    told = evaluate.evaluated(read(data)[0], model)
    assert list(told["confusion"].values()) == [1, 1, 2, 1]
    assert told["to_review"]["not_readable"] == pytest.approx(1 / 5)
    assert told["to_review"]["unsure"] == pytest.approx(1 / 5)
    alone = told["to_review"]["sure_alone"]
    assert (alone["n"], alone["sensitivity"], alone["specificity"]) == (3, 0.5, 1.0)
    assert "95 % interval" in evaluate.table(told)


def test_one_class_alone_is_measured_as_far_as_it_goes(tmp_path: Path) -> None:
    model = OnnxReader(tiny_reader.save(tmp_path), VERSION)
    told = evaluate.evaluated(read(zipped(tmp_path / "one.zip", [("PNEUMONIA/a.png", film(0.9))]))[0], model)
    assert (told["auc"], told["sensitivity"], told["specificity"]) == (None, 1.0, None)
    assert "none" in evaluate.table(told)


def test_the_command_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = zipped(tmp_path / "bad.zip", [], {"NORMAL/bad.png": b"nothing"})
    for arguments, said in (
        (["--data", str(bad)], "bad.png is no image"),
        (["--data", str(tmp_path / "none.zip")], "No such file"),
        (["--data", str(bad), "--model", str(tmp_path)], "bad.png is no image"),
    ):
        monkeypatch.setattr(sys, "argv", ["evaluate", *arguments])
        with pytest.raises(SystemExit, match="2"):
            evaluate.main()
        assert said in capsys.readouterr().err
