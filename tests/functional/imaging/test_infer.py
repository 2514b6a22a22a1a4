"""What infer says of an image, leaves beside it and tells the ledger; and what it does when something is missing."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cuatro.adapters.radiograph import reader
from cuatro.config import settings
from cuatro.errors import ModelMismatch, Rejected, Unavailable
from functions.imaging.infer.handler import handler
from tests.functional.imaging import tiny_reader
from tests.functional.imaging.suite import Suite
from tests.functional.stage import Context
from tests.reader_contract import film

STUDY, INSTANCE = "s" * 26, "i" * 26
FOLDER = f"studies/{STUDY}/{INSTANCE}"
FACTS: dict[str, Any] = {
    "study": STUDY, "revision": 1, "instance": INSTANCE, "state": "normalised", "modality": "DX",
    "sop_class": "1.2.840.10008.5.1.4.1.1.1.1", "rows": 300, "columns": 260, "frames": 1, "age_years": 4, "view": "AP",
    "body_part": "CHEST", "masked": 0, "width": 260, "height": 300, "inverted": False,
}  # fmt: skip
NORMAL, SICK, UNSURE = 0.15, 0.85, 0.5


@pytest.fixture(autouse=True)
def model(environment: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tiny_reader.save(tmp_path)
    environment.setenv("MODEL_URI", str(path))
    environment.setenv("SHADOW_MODEL_URI", "")
    reader.cache_clear()
    settings.cache_clear()
    return path


def put(suite: Suite, image: np.ndarray, name: str = "image.png", form: str = "PNG") -> None:
    file = BytesIO()
    Image.fromarray(image).save(file, form)
    suite.s3.put_object(Bucket="deidentified", Key=f"{FOLDER}/{name}", Body=file.getvalue())


def infer(**changes: Any) -> dict[str, Any]:
    return handler({**FACTS, **changes}, Context())


@pytest.mark.parametrize(
    ("bright", "finding", "unsure", "why"),
    [
        (NORMAL, "normal", False, []),
        (SICK, "pneumonia", False, []),
        (UNSURE, "pneumonia", True, ["near_threshold"]),
        (0.45, "normal", True, ["near_threshold"]),
    ],
)
def test_a_film_is_read(suite: Suite, bright: float, finding: str, unsure: bool, why: list[str]) -> None:
    put(suite, film(bright))
    told = infer()
    assert {name: told[name] for name in FACTS if name != "state"} == {k: v for k, v in FACTS.items() if k != "state"}
    assert (told["state"], told["finding"], told["unsure"], told["why"]) == ("read", finding, unsure, why)
    assert told["probability"] == pytest.approx(bright, abs=0.06)
    assert 0 < told["distance"] < 20
    assert told["model_version"] == "tiny-1"
    assert json.loads(json.dumps(told)) == told


def test_the_result_and_the_heat_map_lie_beside_the_image(suite: Suite) -> None:
    half = film(NORMAL)
    half[:, 130:] = film(SICK)[:, 130:]
    put(suite, half)
    told = infer()
    found = suite.objects("deidentified", FOLDER)
    assert set(found) == {f"{FOLDER}/{name}" for name in ("image.png", "heatmap.png", "result.json")}
    result = json.loads(found[f"{FOLDER}/result.json"])
    assert result == {
        "study": STUDY, "instance": INSTANCE, "shadow": None,
        **{name: told[name] for name in ("finding", "unsure", "why", "probability", "distance", "model_version")},
    }  # fmt: skip
    heat = np.asarray(Image.open(BytesIO(found[f"{FOLDER}/heatmap.png"])))
    assert heat.shape == half.shape
    assert heat[:, 200:].mean() > 3 * heat[:, :60].mean() > 0


def test_the_ledger_is_told_once_and_nothing_else_is_counted_wrongly(
    suite: Suite, capsys: pytest.CaptureFixture[str]
) -> None:
    put(suite, film(SICK))
    infer()
    (event,) = suite.audited("infer")
    assert (event["object"], event["actor"], event["outcome"]) == (INSTANCE, "function:infer", "success")
    assert event["correlation"] == STUDY
    assert event["details"] == {"finding": "pneumonia", "model": "tiny-1"}
    written = capsys.readouterr().out
    lines = [json.loads(line) for line in written.splitlines()]
    counted = {name for line in lines if "_aws" in line for name in line}
    assert {"ImagesRead", "Findings", "InferLatency"} <= counted
    assert not {"ImagesNotReadable", "ImagesUnsure", "ShadowFailed"} & counted


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"age_years": 19}, ["age"]),
        ({"modality": "MG"}, ["modality"]),
        ({"view": "LL", "body_part": "OTHER"}, ["view", "body_part"]),
        ({"width": 100}, ["too_small", "shape"]),
    ],
)
def test_what_the_model_was_not_made_for_is_not_shown_to_it(
    suite: Suite, changes: dict[str, Any], why: list[str]
) -> None:
    put(suite, film(SICK))
    told = infer(**changes)
    assert (told["finding"], told["unsure"], told["why"]) == ("not_readable", True, why)
    assert told["probability"] is None
    assert told["distance"] is None
    heat = np.asarray(Image.open(BytesIO(suite.objects("deidentified")[f"{FOLDER}/heatmap.png"])))
    assert heat.max() == 0


def test_an_image_unlike_all_others_gets_no_probability(suite: Suite) -> None:
    put(suite, np.full((300, 260), 90, np.uint8))
    told = infer()
    assert (told["finding"], told["unsure"], told["why"]) == ("not_readable", True, ["unusual_image"])
    assert told["probability"] is None
    assert told["distance"] > 20


def test_what_the_header_leaves_open_is_read_and_looked_at(suite: Suite) -> None:
    put(suite, film(NORMAL))
    told = infer(age_years=None, view="", body_part="")
    assert (told["finding"], told["unsure"]) == ("normal", True)
    assert told["why"] == ["view_unknown", "body_part_unknown", "age_unknown"]
    captured = infer(sop_class="1.2.840.10008.5.1.4.1.1.7", modality="OT")
    assert captured["why"] == ["secondary_capture"]


def test_the_policy_says_the_ages(suite: Suite, policy: Callable[..., None]) -> None:
    put(suite, film(NORMAL))
    policy(min_age=1, max_age=5)
    assert infer(age_years=5)["finding"] == "normal"
    assert infer(age_years=6)["why"] == ["age"]
    assert infer(age_years=0)["why"] == ["age"]


def test_a_shadow_has_a_word_and_no_say(suite: Suite, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("SHADOW_MODEL_URI", str(tiny_reader.save(tmp_path, version="tiny-2", share=0.2)))
    settings.cache_clear()
    put(suite, film(SICK))
    told = infer()
    assert (told["finding"], told["model_version"]) == ("pneumonia", "tiny-1")
    result = json.loads(suite.objects("deidentified")[f"{FOLDER}/result.json"])
    assert result["shadow"]["model_version"] == "tiny-2"
    assert result["shadow"]["finding"] == "normal"
    assert "shadow" not in told


def test_a_shadow_that_fails_harms_nobody(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SHADOW_MODEL_URI", "/nowhere/model.onnx")
    settings.cache_clear()
    put(suite, film(NORMAL))
    assert infer()["finding"] == "normal"
    shadow = json.loads(suite.objects("deidentified")[f"{FOLDER}/result.json"])["shadow"]
    assert (shadow["problem"], shadow["finding"]) == ("FileNotFoundError", "")


def test_what_normalisation_cannot_have_written_is_rejected(suite: Suite) -> None:
    with pytest.raises(Rejected) as gone:
        infer()
    assert gone.value.code == "gone"
    for image, form in ((np.zeros((40, 40, 3), np.uint8), "PNG"), (film(NORMAL), "JPEG")):
        put(suite, image, form=form)
        with pytest.raises(Rejected) as damaged:
            infer()
        assert damaged.value.code == "damaged"
    suite.s3.put_object(Bucket="deidentified", Key=f"{FOLDER}/image.png", Body=b"\x89PNG\r\n\x1a\n and no more")
    with pytest.raises(Rejected):
        infer()
    assert suite.audited("infer") == []


@pytest.mark.parametrize("operation", ["GetObject", "PutObject", "SendMessage"])
def test_a_service_that_is_away_is_tried_again_later(suite: Suite, operation: str) -> None:
    put(suite, film(NORMAL))
    suite.wire.down(operation)
    with pytest.raises(Unavailable):
        infer()


def test_doing_it_again_leaves_the_same(suite: Suite) -> None:
    put(suite, film(SICK))
    told, found = infer(), suite.objects("deidentified")
    assert infer() == told
    assert suite.objects("deidentified") == found


def test_a_model_that_is_none_fails_loudly(suite: Suite, model: Path) -> None:
    put(suite, film(NORMAL))
    model.write_bytes(b"no model")
    with pytest.raises(ModelMismatch):
        infer()
