"""One attribute of a sender -> values that cannot hold anything else than what the attribute is for, or none.

Terms are those of a list, numbers are numbers within bounds, dates are moved; what does not fit is no value. pydicom
raises whatever its parts raise, and quotes values: nothing of it leaves here.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from pydicom.dataset import Dataset

from functions.imaging.reading import quiet

_AGE = re.compile(r"(\d{3})([DWMY])")
_DAYS_PER = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}
_OLDEST = 90
"""Years: an age above 89 identifies (45 CFR 164.514(b)(2)(i)(C)), all of them are one class."""
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_TIME = re.compile(r"([01]\d|2[0-3]):?([0-5]\d).*", re.DOTALL)
_DIRECTION = re.compile("[APLRHF]{1,3}")
_MAX_VALUES = 16
"""Of one attribute: shapes of LUTs and collimators with more of them are not kept."""


def values(dataset: Dataset, keyword: str | int) -> list[Any]:
    """Of an attribute, [] when it is absent, empty or damaged. Sequences give their items."""
    with quiet():
        try:
            value: Any = dataset[keyword].value if keyword in dataset else None
            found = list(value) if isinstance(value, (list, tuple)) or hasattr(value, "append") else [value]
        except Exception:  # noqa: BLE001 - whatever a damaged element raises, it has no value
            return []
    return [] if found in ([None], [""], [b""]) else found


def texts(dataset: Dataset, keyword: str | int) -> list[str]:
    """Values without their padding."""
    return [str(each).strip(" \0") for each in values(dataset, keyword)]


def term(dataset: Dataset, keyword: str, terms: Iterable[str]) -> str:
    """The first value if it is one of the terms, else ""."""
    found = texts(dataset, keyword)
    return found[0] if found and found[0] in set(terms) else ""


def numbers(dataset: Dataset, keyword: str, bounds: Sequence[float]) -> list[float]:
    """All values as numbers, or none of them when one is not finite or not within the bounds."""
    found = []
    for each in values(dataset, keyword):
        try:
            number = float(each)
        except (TypeError, ValueError, OverflowError):
            return []
        if not math.isfinite(number) or not bounds[0] <= number <= bounds[1]:
            return []
        found.append(number)
    return found if len(found) <= _MAX_VALUES else []


def decimal(number: float) -> str:
    """For VR DS: at most 16 characters, the same for the same number."""
    text = f"{number:.10g}"
    return text if len(text) <= 16 else f"{number:.6g}"


def directions(dataset: Dataset, keyword: str) -> list[str]:
    """Patient Orientation: two directions of rows and columns (PS3.3 C.7.6.1.1.1), or none."""
    found = texts(dataset, keyword)
    return found if len(found) == 2 and all(_DIRECTION.fullmatch(each) for each in found) else []


def day(dataset: Dataset, keyword: str) -> date | None:
    """A date as it was. Internal: it identifies."""
    found = texts(dataset, keyword)
    match = _DATE.fullmatch(found[0]) if found else None
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def moved_date(dataset: Dataset, keyword: str, days: int) -> str:
    """YYYYMMDD that many days later; "" for no date."""
    was = day(dataset, keyword)
    try:
        return (was + timedelta(days=days)).strftime("%Y%m%d").zfill(8) if was else ""
    except OverflowError:
        return ""


def minute(dataset: Dataset, keyword: str) -> str:
    """HHMM of a time: order within a day is kept, the instant of an exposure is not."""
    found = texts(dataset, keyword)
    match = _TIME.fullmatch(found[0]) if found else None
    return "".join(match.groups()) if match else ""


def age(dataset: Dataset) -> str:
    """PatientAge as DICOM writes it, from the date of birth where there is none; 090Y for 90 years and more."""
    found = texts(dataset, "PatientAge")
    match = _AGE.fullmatch(found[0]) if found else None
    if match:
        years = int(match[1]) * _DAYS_PER[match[2]] / _DAYS_PER["Y"]
        return match[0] if years < _OLDEST else f"{_OLDEST:03d}Y"
    born, seen = day(dataset, "PatientBirthDate"), day(dataset, "StudyDate")
    if born is None or seen is None or seen < born:
        return ""
    whole = seen.year - born.year - ((seen.month, seen.day) < (born.month, born.day))
    if whole >= 2:
        return f"{min(whole, _OLDEST):03d}Y"
    months = (seen.year - born.year) * 12 + seen.month - born.month - (seen.day < born.day)
    return f"{months:03d}M"


def concepts(dataset: Dataset, keyword: str, known: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(value, scheme, meaning) of the codes of a sequence that are known; the meaning is ours, never the sender's."""
    found = []
    for item in values(dataset, keyword):
        if isinstance(item, Dataset):
            value, scheme = (texts(item, name)[:1] for name in ("CodeValue", "CodingSchemeDesignator"))
            named = {"SNM3": "SRT", "99SDM": "SRT"}.get("".join(scheme), "".join(scheme))
            meaning = known.get(f"{named}|{''.join(value)}")
            if meaning:
                found.append(("".join(value), named, meaning))
    return found
