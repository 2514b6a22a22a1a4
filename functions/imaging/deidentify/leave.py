"""An object -> pixels without text, a data set without identity, both looked at twice -> the other bucket."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cuatro.adapters import blobs, secrets
from cuatro.adapters.dynamodb import Keys, dynamo
from cuatro.adapters.onnx_file import opened
from cuatro.errors import Rejected
from functions.imaging.burned_in_cleaning import cleaned
from functions.imaging.deidentification import deidentified, written
from functions.imaging.deidentification_values import texts
from functions.imaging.deidentify.settings import Settings
from functions.imaging.pixels import stored
from functions.imaging.policy import policy as policy_of
from functions.imaging.pseudonym import Pseudonyms
from functions.imaging.reading import quiet, whole


class Left(NamedTuple):
    """boxes: how many were masked; share: of the image that they cover, 0 to 1."""

    boxes: int
    share: float


def leave(setting: Settings, study: str, instance: str) -> Left:
    """Writes studies/<study>/<instance>/image.dcm; done again, the same bytes.

    Raises Rejected, whose words hold nothing of the object, Unavailable or Refused.
    """
    policy = policy_of(setting.policy)
    data = blobs.fetch(setting.identified_bucket, f"instances/{instance}.dcm", policy.max_object_mb << 20)
    if data is None:
        raise Rejected("the object is not there any more", code="gone")
    names = Pseudonyms(secrets.text(setting.pseudonym_secret_arn).encode())
    original = whole(data)
    clean = cleaned(
        stored(original, max_pixels=policy.max_pixels, max_frames=policy.max_frames),
        network(setting.text_model_uri),
        may_mask=policy.mask_text,
        says_text=texts(original, "BurnedInAnnotation")[:1] == ["YES"],
    )
    with quiet():
        patient = _patient(setting, instance)
        made = deidentified(original, clean.values, names, patient, masked=clean.boxes > 0)
        content = written(made)
    blobs.put(setting.deidentified_bucket, f"studies/{study}/{instance}/image.dcm", content, "application/dicom")
    return Left(clean.boxes, clean.share)


@cache
def network(uri: str) -> Any:
    """The text detector: [1, 3, h, w] -> [1, 1, h, w]. Raises ModelMismatch or OSError."""
    session = opened(uri).session
    name = session.get_inputs()[0].name

    def probability(image: NDArray[np.float32]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = session.run(None, {name: image})[0]
        return found

    return probability


def _patient(setting: Settings, instance: str) -> str:
    """The pseudonym that the instance was received under. Raises Rejected (gone) when it was erased meanwhile."""
    found = dynamo().read({setting.instances_table: Keys("instance", [instance], ("instance", "p"))})
    row = found[setting.instances_table].items.get(instance)
    if row is None or not row.get("p"):
        raise Rejected("the instance is not there any more", code="gone")
    return str(row["p"])
