"""Which images the model may read, by their header; and what the reading's own limits make of a number."""

from typing import Any

import msgspec
import numpy as np
import pytest

from cuatro.radiographs import Facts, Reading
from functions.imaging.infer.verdict import judged, unread
from functions.imaging.intended_use import SECONDARY_CAPTURE, Image, doubts, unreadable

FILM = Image(
    modality="DX", sop_class="1.2.840.10008.5.1.4.1.1.1.1", width=1800, height=1500, age_years=3, view="PA",
    body_part="CHEST",
)  # fmt: skip
FACTS = Facts("imaging-1", 0.5, (0.3, 0.7), 2.0)


def film(**changes: Any) -> Image:
    return msgspec.structs.replace(FILM, **changes)


@pytest.mark.parametrize(
    "changes",
    [{}, {"modality": "CR"}, {"view": "AP"}, {"age_years": 0}, {"age_years": 18}, {"width": 128, "height": 300},
     {"age_years": None}, {"view": ""}, {"body_part": ""}],
)  # fmt: skip
def test_what_may_be_read(changes: dict[str, Any]) -> None:
    assert unreadable(film(**changes), 0, 18) == ()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"age_years": 19}, ("age",)),
        ({"modality": "CT"}, ("modality",)),
        ({"modality": "MG"}, ("modality",)),
        ({"modality": "OT"}, ("modality",)),
        ({"modality": "OTHER"}, ("modality",)),
        ({"view": "LL"}, ("view",)),
        ({"view": "OTHER"}, ("view",)),
        ({"body_part": "OTHER"}, ("body_part",)),
        ({"width": 127}, ("too_small", "shape")),
        ({"width": 400, "height": 1100}, ("shape",)),
        ({"modality": "US", "view": "OTHER", "age_years": 40}, ("modality", "view", "age")),
    ],
)
def test_what_may_not(changes: dict[str, Any], why: tuple[str, ...]) -> None:
    assert unreadable(film(**changes), 0, 18) == why


def test_ages_are_the_policys() -> None:
    assert unreadable(film(age_years=2), 1, 5) == ()
    assert unreadable(film(age_years=0), 1, 5) == ("age",)
    assert unreadable(film(age_years=6), 1, 5) == ("age",)


def test_a_secondary_capture_may_call_itself_other_and_is_looked_at() -> None:
    captured = film(sop_class=SECONDARY_CAPTURE, modality="OT")
    assert unreadable(captured, 0, 18) == ()
    assert doubts(captured) == ("secondary_capture",)
    assert unreadable(film(sop_class=SECONDARY_CAPTURE, modality="US"), 0, 18) == ("modality",)


def test_what_the_header_leaves_open() -> None:
    assert doubts(FILM) == ()
    assert doubts(film(view="", body_part="", age_years=None)) == ("view_unknown", "body_part_unknown", "age_unknown")


def reading(probability: float, distance: float = 1.0) -> Reading:
    return Reading(probability, distance, np.zeros((7, 7), np.float32))


@pytest.mark.parametrize(
    ("probability", "finding", "unsure"),
    [
        (0.0, "normal", False),
        (0.2999, "normal", False),
        (0.3, "normal", True),
        (0.4999, "normal", True),
        (0.5, "pneumonia", True),
        (0.6999, "pneumonia", True),
        (0.7, "pneumonia", False),
        (1.0, "pneumonia", False),
    ],
)
def test_a_number_becomes_a_finding(probability: float, finding: str, unsure: bool) -> None:
    said = judged(reading(probability), FACTS, ())
    assert (said.finding, said.unsure, said.probability) == (finding, unsure, probability)
    assert said.why == (("near_threshold",) if unsure else ())


def test_doubts_make_a_sure_reading_unsure() -> None:
    said = judged(reading(0.01), FACTS, ("age_unknown",))
    assert (said.finding, said.unsure, said.why) == ("normal", True, ("age_unknown",))
    assert judged(reading(0.6), FACTS, ("age_unknown",)).why == ("near_threshold", "age_unknown")


def test_what_is_far_from_everything_gets_no_number() -> None:
    assert judged(reading(0.99, 2.0), FACTS, ()).finding == "pneumonia"
    said = judged(reading(0.99, 2.0001), FACTS, ("view_unknown",))
    assert (said.finding, said.unsure, said.probability) == ("not_readable", True, None)
    assert said.why == ("unusual_image", "view_unknown")
    assert unread(("age",)) == ("not_readable", True, ("age",), None, None)
