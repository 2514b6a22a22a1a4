"""The platform ends while jobs run: no process stays behind, and the next start tells what became of the jobs."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.platform.process import Platform, start, stop
from tests.checked import Aws
from tests.sagemaker.programs import register
from tests.sagemaker.training_jobs import Training, runs
from tests.waiting import eventually


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """State directory of a platform of this test alone."""
    for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    yield tmp_path
    stop(tmp_path)


def training_on(platform: Platform) -> Training:
    aws = Aws(platform.endpoint, set())
    aws.client("s3").create_bucket(Bucket="models")
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    return Training(aws, register(platform, "probe", "probe_program.py"), aws.role(allowed), "models")


def at_work(training: Training) -> tuple[str, int]:
    """A job that ignores SIGTERM, and its process id."""
    name = training.start("ignore_sigterm")

    def told() -> int | None:
        found = [line for line in training.lines(name) if line.startswith("pid ")]
        return int(found[0].split()[1]) if found else None

    return name, eventually(told, "the program at work")


def test_a_job_that_ran_when_the_platform_ended_is_failed_at_the_next_start(state: Path) -> None:
    training = training_on(start(state, port=0))
    name, pid = at_work(training)
    waiting = training.start("save_and_wait")
    assert stop(state)
    eventually(lambda: not runs(pid), "the end of the program")
    again = Aws(start(state, port=0).endpoint, set()).client("sagemaker")
    for job in (again.describe_training_job(TrainingJobName=each) for each in (name, waiting)):
        assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
        assert "The platform was restarted while the job ran. Start it again." in job["FailureReason"]


def test_no_process_outlives_a_platform_that_is_killed(state: Path) -> None:
    platform = start(state, port=0)
    _, pid = at_work(training_on(platform))
    os.kill(platform.pid, signal.SIGKILL)
    eventually(lambda: not runs(pid), "the end of the program")
