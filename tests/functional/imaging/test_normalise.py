"""The normalise step: a picture lies beside the image, the same each time, and its size goes on."""

import json
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cuatro.errors import Rejected, Unavailable
from tests.functional.imaging.images import file
from tests.functional.imaging.suite import ENVIRONMENT, Suite
from tests.functional.stage import Context, client
from tests.unit.films import film

INSTANCE, STUDY = "i" * 26, "s" * 26
FOLDER = f"studies/{STUDY}/{INSTANCE}"
RAMP = np.add.outer(np.arange(100), np.arange(80)).astype(np.uint16) * 20


def normalise() -> dict[str, Any]:
    from functions.imaging.normalise.handler import handler  # noqa: PLC0415 - reads the test's environment

    return handler({"study": STUDY, "revision": 1, "instance": INSTANCE, "state": "deidentified"}, Context())


def put(suite: Suite, content: bytes) -> None:
    suite.s3.put_object(Bucket="deidentified", Key=f"{FOLDER}/image.dcm", Body=content)


def png(suite: Suite) -> Image.Image:
    found = suite.s3.get_object(Bucket="deidentified", Key=f"{FOLDER}/image.png")
    assert found["ContentType"] == "image/png"
    return Image.open(BytesIO(found["Body"].read()))


def test_a_picture_lies_beside_the_image(suite: Suite) -> None:
    put(suite, file(film(RAMP, WindowCenter=1780, WindowWidth=3561)))

    answer = normalise()

    assert answer == {
        "study": STUDY, "revision": 1, "instance": INSTANCE, "state": "normalised", "width": 80, "height": 100,
        "inverted": False,
    }  # fmt: skip
    made = png(suite)
    assert (made.mode, made.size) == ("L", (80, 100))
    assert np.abs(np.asarray(made, np.int16) - np.rint(RAMP / RAMP.max() * 255)).max() <= 1


def test_done_again_it_is_the_same(suite: Suite) -> None:
    put(suite, file(film(RAMP)))

    assert normalise() == normalise()


def test_films_where_bright_was_air_are_turned(suite: Suite) -> None:
    put(suite, file(film(RAMP, PhotometricInterpretation="MONOCHROME1")))

    assert normalise()["inverted"] is True
    made = np.asarray(png(suite))
    assert made[0, 0] > made[-1, -1]


def test_long_films_are_made_smaller(suite: Suite) -> None:
    put(suite, file(film(np.tile(RAMP, (30, 1)))))

    answer = normalise()

    assert (answer["width"], answer["height"]) == (round(80 * 2048 / 3000), 2048)


def test_the_pictures_size_is_told_to_the_ledger_and_nothing_else(suite: Suite) -> None:
    put(suite, file(film(RAMP)))
    normalise()

    (message,) = client("sqs").receive_message(QueueUrl=ENVIRONMENT["AUDIT_QUEUE_URL"])["Messages"]
    event = json.loads(message["Body"])
    assert (event["action"], event["object"], event["details"]) == ("normalise", INSTANCE, {"width": 80, "height": 100})


@pytest.mark.parametrize("content", [None, b"", b"no image"])
def test_what_this_pipeline_did_not_write_is_a_fault(suite: Suite, content: bytes | None) -> None:
    if content is not None:
        put(suite, content)

    with pytest.raises(Rejected):
        normalise()


def test_a_bucket_that_is_away_is_asked_again_later(suite: Suite) -> None:
    put(suite, file(film(RAMP)))
    suite.wire.down("PutObject")

    with pytest.raises(Unavailable):
        normalise()
