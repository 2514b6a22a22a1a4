"""What Lambda unpacks: each handler with byte code, small enough, without other pipelines, running on its own."""

import os
import subprocess
import sys
import tempfile
import zipfile
from functools import cache, partial
from pathlib import Path

import pytest

from cdk.archive import ROOT, archive, digest, place, sources
from cdk.functions import function_archive
from tests.stacks.synthesis import PIPELINES, TARGET_NAMES, assembly, unzipped

LAMBDA_LIMIT = 262_144_000  # bytes unzipped, function and layers together


@pytest.mark.parametrize("target", TARGET_NAMES)
def test_each_asset_holds_its_handler_with_byte_code(target: str) -> None:
    minor = f"cpython-3{sys.version_info.minor}"
    for function in assembly(target).functions():
        names = set(zipfile.ZipFile(function.archive).namelist())
        handler = function.module.replace(".", "/")
        folder, _, name = handler.rpartition("/")
        assert f"{handler}.py" in names
        assert f"{folder}/__pycache__/{name}.{minor}.pyc" in names


@pytest.mark.parametrize("target", TARGET_NAMES)
def test_each_function_with_its_layers_fits_into_lambda(target: str) -> None:
    for function in assembly(target).functions():
        size = unzipped(function.archive, *function.layers)
        assert size < LAMBDA_LIMIT, f"{function.module}: {size:,} bytes"


@pytest.mark.parametrize("pipeline", [*PIPELINES, "review"])
def test_an_asset_holds_one_pipeline_only(pipeline: str) -> None:
    names = zipfile.ZipFile(function_archive(pipeline)).namelist()
    assert {name.split("/")[1] for name in names if name.count("/") > 1} <= {pipeline, "__pycache__"}
    assert not [name for name in names if "test" in name or name.endswith((".onnx", ".md"))]


def test_byte_code_is_never_checked_against_sources() -> None:
    """Flag 0b01: hash-based, unchecked. A checked or timed one would be compiled again at every cold start."""
    with zipfile.ZipFile(function_archive("fraud")) as zipped:
        compiled = [name for name in zipped.namelist() if name.endswith(".pyc")]
        assert compiled
        for name in compiled:
            assert zipped.read(name)[4:8] == b"\x01\0\0\0", name


def test_equal_files_give_an_equal_archive(tmp_path: Path) -> None:
    made = []
    for copy in ("one", "two"):
        module = tmp_path / copy / "module.py"
        module.parent.mkdir()
        module.write_text("VALUE = 'a value'\n")
        files = sources(module.parent, (".py",))
        zipped = archive(tmp_path / f"{copy}.zip", partial(place, files), mounted_at="/opt")
        made.append((digest(files), zipped.read_bytes()))
    assert made[0] == made[1]


def test_another_content_name_or_recipe_gives_another_digest(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("VALUE = 1\n")
    first = digest({"module.py": path}, "x86_64")
    assert first != digest({"other.py": path}, "x86_64")
    assert first != digest({"module.py": path}, "aarch64")
    path.write_text("VALUE = 2\n")
    assert first != digest({"module.py": path}, "x86_64")


# An interpreter that sees one function's archive, its layers and Lambda's boto3 (from the platform's environment).
BARE = """
import sys
sys.path[:0] = {paths!r}
import {handler}
"""
SCORE = {"fraud": """
import numpy
from aws_lambda_powertools.utilities import batch, data_classes
from cuatro.adapters.model import OnnxModel
from functions.fraud.features import FEATURES
scores = OnnxModel({model!r}, FEATURES).score(numpy.zeros((3, len(FEATURES)), numpy.float32))
assert scores.shape == (3,) and ((0 <= scores) & (scores <= 1)).all(), scores
""", "recommendations": """
from cuatro.adapters.ranker import OnnxRanker
from cuatro.ranking import Taken
model = OnnxRanker({model!r})
first = model.rank("nobody", [], [], 3).items
assert len(first) == 3 and all(map(model.knows, first)), first
found = model.rank("somebody", [Taken(first[0], 0.5)], [first[0]], 3)
assert len(found.items) == 3 and first[0] not in found.items and found.scores == sorted(found.scores)[::-1], found
""", "sentiment": """
from cuatro.adapters.classifier import Classifier
from functions.sentiment import features
from functions.sentiment.language import detect
found = Classifier({model!r}, features).classify(["I love it", "", "Lo odio"])
assert found.shape == (3, 3) and (abs(found.sum(axis=1) - 1) < 1e-3).all(), found
assert detect("Me ha gustado mucho este café, volveré mañana") == "es"
""", "imaging": """
import numpy
from functions.imaging.infer.reading import read
from functions.imaging.intended_use import Image
from functions.imaging.policy import Policy
dx = "1.2.840.10008.5.1.4.1.1.1.1"
image = Image(modality="DX", sop_class=dx, width=320, height=300, view="PA", body_part="CHEST", age_years=6)
ramp = numpy.linspace(0, 255, 300 * 320, dtype=numpy.uint8).reshape(300, 320)
found = read(image, ramp, Policy(), {model!r}, "")
assert found.verdict.finding == "not_readable" and found.heatmap.shape == ramp.shape, found.verdict
"""}  # fmt: skip


@cache
def scratch() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="cuatro-unpacked-")


@cache
def unpacked(path: Path) -> Path:
    """What Lambda unpacks; many functions have the same layers."""
    folder = Path(scratch().name, path.stem)
    zipfile.ZipFile(path).extractall(folder)
    return folder


FUNCTIONS = {each.module: each for each in assembly("local").functions()}


@pytest.mark.parametrize("module", FUNCTIONS)
def test_a_function_needs_nothing_but_its_slim_layers(module: str, tmp_path: Path) -> None:
    """Each handler imports; those that have the model score with it."""
    function = FUNCTIONS[module]
    folders = [unpacked(path) for path in (function.archive, *function.layers)]
    boto3 = next((ROOT / ".venv" / "platform" / "lib").glob("python*/site-packages"))
    paths = [str(each) for folder in folders for each in (folder, folder / "python") if each.exists()]
    program = BARE.format(paths=[*paths, str(boto3)], handler=module)
    for pipeline, score in SCORE.items():
        for model in (folder / "models" / pipeline / "model.onnx" for folder in folders):
            if model.exists():
                program += score.format(model=str(model))
    variables = function.resource.properties["Environment"]["Variables"]
    given = {name: value for name, value in variables.items() if isinstance(value, str)}
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", program],
        env={"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1", **given},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
