"""Pieces of the local SageMaker's jobs: containers end as Docker's do, images, payloads, archives, metrics."""

import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.aws import storage
from local.aws.containers import Container, Program, Resources, resources
from local.platform.process import ROOT
from local.sagemaker import images
from local.sagemaker.jobs import JobFailedError
from local.sagemaker.metrics import Metrics
from local.sagemaker.records import assembled, payloads

ENDED_S = 30
UNBOUND = Resources(0, 0)
SERVICE: Any = SimpleNamespace(region="us-east-1", endpoint="http://127.0.0.1:1", state=Path())


class Lines(list[str]):
    """A log that keeps its lines."""

    line = list.append


@pytest.fixture
def started(tmp_path: Path) -> Callable[..., tuple[Container, Lines]]:
    """(Python, bounds) -> a container that runs it, and its log."""

    def start(code: str, bounds: Resources = UNBOUND) -> tuple[Container, Lines]:
        program = Program([sys.executable, "-c", code], tmp_path)
        log: Any = Lines()
        container = Container(
            SERVICE, program, tmp_path, environment={"COLOR": "blue"}, credentials={}, resources=bounds, log=log
        )
        return container, log

    return start


def test_a_container_ends_with_the_code_of_its_program(started: Callable[..., tuple[Container, Lines]]) -> None:
    container, log = started("import os, sys; print(os.environ['COLOR']); print('oh', file=sys.stderr); sys.exit(3)")
    assert container.wait(ENDED_S) == 3
    assert log == ["blue", "oh"]
    assert container.poll() == 3


def test_a_container_is_asked_to_end_before_it_is_made_to(started: Callable[..., tuple[Container, Lines]]) -> None:
    willing = "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(9))\nprint('up')\ntime.sleep(3600)"
    container, log = started(willing)
    while not log:
        assert container.wait(0.01) is None
    assert container.end(ENDED_S) == 9
    container, log = started("import signal, time\nsignal.signal(15, print)\nprint('up')\ntime.sleep(3600)")
    while not log:
        assert container.wait(0.01) is None
    assert container.end(0.05) == 137


@pytest.mark.skipif(not Path("/proc").exists(), reason="memory is watched by Linux's /proc")
def test_a_container_that_uses_too_much_memory_is_ended(started: Callable[..., tuple[Container, Lines]]) -> None:
    code = "import os, time\nheld = [os.urandom(1 << 20) for _ in range(200)]\ntime.sleep(3600)"
    container, log = started(code, Resources(100 << 20, 1))
    assert container.wait(ENDED_S) == 137
    assert container.reason == "OutOfMemory: more than 100 MiB were used."
    assert container.reason in log


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    program = Program([str(tmp_path / "missing")], tmp_path)
    container = Container(SERVICE, program, tmp_path, environment={}, credentials={})
    assert container.wait(ENDED_S) == 127
    assert "missing cannot be started" in container.reason


@pytest.mark.parametrize(
    ("instance", "memory_gib", "cpus"),
    [("ml.m5.large", 8, 2), ("ml.c5.2xlarge", 16, 8), ("ml.r5.xlarge", 32, 4), ("ml.unknown", 0, 0)],
)
def test_bounds_follow_from_the_instance_type(instance: str, memory_gib: int, cpus: int) -> None:
    assert resources(instance) == Resources(memory_gib << 30, cpus)


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/models:v1", "team/models"),
        (f"123456789012.dkr.ecr.us-east-1.amazonaws.com/models@sha256:{'0' * 64}", "models"),
        ("localhost:5000/models", "models"),
        ("models:v1", "models"),
        ("team/models", "team/models"),
    ],
)
def test_an_image_is_known_by_its_repository(image: str, repository: str) -> None:
    assert images.repository(image) == repository


def test_the_projects_image_is_this_tree(tmp_path: Path) -> None:
    program = images.command(tmp_path, "x.dkr.ecr.eu-west-1.amazonaws.com/cuatro-models:1", "train")
    assert program.command == [str(images.PYTHON), "-m", "models.container.main", "train"]
    assert program.cwd == ROOT
    entry = images.command(tmp_path, "cuatro-models", "", ["python", "-m", "models.fraud.gate"], ["--x", "1"])
    assert entry.command == [str(images.PYTHON), "-m", "models.fraud.gate", "--x", "1"]
    with pytest.raises(images.UnknownImageError, match=r"images\.json"):
        images.command(tmp_path, "other:1", "train")


@pytest.mark.parametrize(
    ("split", "strategy", "largest", "cut"),
    [
        ("None", "MultiRecord", 0, [b"1\n\n22\n3"]),
        ("Line", "SingleRecord", 0, [b"1\n", b"22\n", b"3"]),
        ("Line", "MultiRecord", 0, [b"1\n22\n3"]),
        ("Line", "MultiRecord", 5, [b"1\n22\n", b"3"]),
    ],
)
def test_records_are_cut_into_payloads(split: str, strategy: str, largest: int, cut: list[bytes]) -> None:
    assert list(payloads(b"1\n\n22\n3", split, strategy, largest)) == cut


def test_a_record_larger_than_a_payload_is_refused() -> None:
    with pytest.raises(JobFailedError, match="3 bytes"):
        list(payloads(b"1\n22\n", "Line", "MultiRecord", 2))


def test_answers_are_joined() -> None:
    assert assembled([b"a", b"b\n"], "None") == b"ab\n"
    assert assembled([b"a", b"b\n"], "Line") == b"a\nb\n"


def test_an_archive_holds_the_folder_and_is_the_same_for_the_same_files(tmp_path: Path) -> None:
    (tmp_path / "model" / "deep").mkdir(parents=True)
    (tmp_path / "model" / "deep" / "a.txt").write_text("1")
    storage.pack(tmp_path / "model", tmp_path / "first.tar.gz")
    (tmp_path / "model" / "deep" / "a.txt").touch()
    storage.pack(tmp_path / "model", tmp_path / "second.tar.gz")
    assert (tmp_path / "first.tar.gz").read_bytes() == (tmp_path / "second.tar.gz").read_bytes()
    storage.unpack(tmp_path / "first.tar.gz", tmp_path / "out")
    assert (tmp_path / "out" / "deep" / "a.txt").read_text() == "1"


def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("../outside.txt")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(storage.StorageError, match=r"bad\.tar\.gz cannot be unpacked"):
        storage.unpack(tmp_path / "bad.tar.gz", tmp_path / "out")
    assert not (tmp_path / "outside.txt").exists()
    (tmp_path / "broken.tar.gz").write_bytes(b"no archive")
    with pytest.raises(storage.StorageError):
        storage.unpack(tmp_path / "broken.tar.gz", tmp_path / "out")


def test_the_last_value_of_a_metric_counts() -> None:
    definitions = [{"Name": "loss", "Regex": r"loss=(\S+)"}, {"Name": "none", "Regex": "never=(.)"}]
    metrics = Metrics(SERVICE, "job", definitions)
    for line in ("loss=0.5", "loss=nan", "loss=high", "loss=0.25 then loss=0.125", "loss=inf"):
        metrics.line(line)
    assert [(metric["MetricName"], metric["Value"]) for metric in metrics.final()] == [("loss", 0.125)]
