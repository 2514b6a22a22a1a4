"""Figures of the imaging pipeline -> its part of docs/benchmarks.md."""

from typing import Any

from benchmarks.imaging.alone import BOTH, NAIVE, PREPARE, READ
from benchmarks.imaging.steps import NAIVE as NAIVE_STEP
from benchmarks.imaging.steps import STEPS
from benchmarks.markdown import row
from benchmarks.measure import p50

SECTION = """
## Imaging

The shipped model ({megabytes:.1f} MB). Radiographs of nobody: a drawn phantom as a digital unit writes it, and a test
image of pydicom's in JPEG 2000. One thread but for *naive*, whose session has the library's defaults.

### The model alone

A normalised image of 2048 x 2048 pixels; no AWS call. CPU of an image.

| | CPU an image, p50 | images/s and core |
|---|---:|---:|
{alone}

- *prepare* shrinks and stretches the image to what the model takes; *read* gives probability, distance from what the
  model was made for, and the activation map. *naive* is the same network without the last two, of a prepared image.

### The steps of a reading

A study of one image through all functions but *deliver*, AWS stubbed as above with objects kept in memory, warm,
{rounds} rounds. CPU of a step, p50; what a decoder's own process spends is in it.

| | {titles} | AWS calls |
|---|{rules}---:|
{steps}

- *deidentify* looks for text in the full resolution, tile by tile, masks what it finds, and looks again in another way.
- *report* makes the structured report and the secondary capture; the study is reported as one with a finding.
- *naive* is `benchmarks/imaging/naive.py`: pydicom, Pillow, the model, a row; nothing is checked, de-identified,
  explained, reviewed, audited or written as DICOM. *naive, PyTorch* (`benchmarks/imaging/torch_naive.py`) reads the
  file from memory and has the same network in PyTorch with all its threads; it is measured where `--torch` names an
  interpreter that has it, for the suite does not.
"""

LIVE = """| {images} images put by STOW-RS, {studies} studies: read, {reviewed} of them with a task for a person | {minute:.0f} a minute |
| one study: from the end of its quiet time until it is read, p50 | {seconds:.1f} s |
"""  # noqa: E501 - rows of a table
_TITLES = {
    PREPARE: "**prepare**",
    READ: "**read**",
    BOTH: "**prepare and read**",
    NAIVE: "naive, read",
}


def section(measured: dict[str, Any]) -> str:
    """The pipeline's own section."""
    steps = measured["steps"]
    return SECTION.format(
        megabytes=measured["bytes"] / 1e6,
        alone="\n".join(_alone(measured["alone"]["ns"])),
        rounds=len(next(iter(steps.values()))["ns"][NAIVE_STEP]),
        titles=" | ".join(steps),
        rules="---:|" * len(steps),
        steps="\n".join(_steps(steps, measured["torch_ns"])),
    )


def live(figures: dict[str, Any]) -> str:
    """Lines of the running platform's table."""
    return LIVE.format(**figures)


def _alone(ns: dict[str, list[int]]) -> list[str]:
    return [row([title, _ms(p50(ns[name])), f"{1e9 / p50(ns[name]):,.0f}"]) for name, title in _TITLES.items()]


def _steps(steps: dict[str, Any], torch_ns: list[int]) -> list[str]:
    first = next(iter(steps.values()))
    lines = []
    for step in (*STEPS, NAIVE_STEP):
        title = step if step == NAIVE_STEP else f"**{step}**"
        spent = [_ms(p50(each["ns"][step])) for each in steps.values()]
        lines.append(row([title, *spent, sum(first["calls"][step].values())]))
    total = [_ms(sum(p50(each["ns"][step]) for step in STEPS)) for each in steps.values()]
    calls = sum(sum(first["calls"][step].values()) for step in STEPS)
    lines.insert(len(STEPS), row(["all of ours", *total, calls]))
    if torch_ns:
        lines.append(row(["naive, PyTorch", _ms(p50(torch_ns)), *["-"] * len(steps)]))
    return lines


def _ms(nanoseconds: float) -> str:
    milliseconds = nanoseconds / 1e6
    return f"{milliseconds:.1f} ms" if milliseconds < 100 else f"{milliseconds:,.0f} ms"
