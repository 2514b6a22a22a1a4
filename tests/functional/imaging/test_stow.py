"""POST /studies: what is taken, what is answered, and what comes to the rows; once in effect however often."""

import pytest

from tests.functional.imaging.images import file, image
from tests.functional.imaging.suite import NAMES, Suite


def test_a_study_is_taken_kept_and_waits_for_quiet(suite: Suite) -> None:
    images = [image(1), image(2)]
    answer = suite.stow(*map(file, images))
    uid = images[0].StudyInstanceUID
    url = f"https://imaging.test/v1/studies/{uid}"
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/dicom+json"
    assert answer.json == {
        "00081190": {"vr": "UR", "Value": [url]},
        "00081199": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": [each.SOPClassUID]},
                    "00081155": {"vr": "UI", "Value": [each.SOPInstanceUID]},
                    "00081190": {"vr": "UR", "Value": [url]},
                }
                for each in images
            ],
        },
    }
    assert suite.receive() == {"batchItemFailures": []}
    names = [NAMES.instance(each.SOPInstanceUID) for each in images]
    kept = {f"instances/{name}.dcm": file(each) for name, each in zip(names, images, strict=True)}
    assert suite.objects("identified") == kept
    study = suite.items("studies")[NAMES.study(uid)]
    assert (study["s"], study["c"], study["w"], study["o"], study["m"]) == (
        "arriving",
        2,
        2,
        "north",
        frozenset({"DX"}),
    )
    assert study["p"] == NAMES.patient("north", "PHANTOM-1")
    assert {row["s"] for row in suite.items("instances").values()} == {"received"}
    assert [each["study"] for each in suite.messages("quiet")] == [NAMES.study(uid)] * 2


@pytest.mark.parametrize("times", [2, 3])
def test_what_is_sent_again_is_taken_once(suite: Suite, times: int) -> None:
    for _ in range(times):
        assert suite.stow(file(image())).status == 200
        suite.receive()
    (study,) = suite.items("studies").values()
    assert (study["c"], study["w"]) == (1, 1)
    assert len(suite.audited("receive")) == 1
