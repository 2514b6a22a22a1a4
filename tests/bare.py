"""A state directory -> a local platform without any deployment: there in a second, and ended with its tier."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.platform.process import LOG, Platform, running, start, stop, tail

TAIL_LINES = 60


@contextmanager
def bare(state: Path) -> Iterator[Platform]:
    """On a free port, with nothing of the user's AWS settings."""
    with pytest.MonkeyPatch.context() as environment:
        for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
            environment.delenv(variable)
        started = start(state, port=0)
        yield started
        stop(state)
    assert running(state) is None


def with_log(report: pytest.TestReport, platform: Platform | None) -> pytest.TestReport:
    """The report of a failed test, with the end of the platform's log."""
    if report.failed and report.when != "teardown" and platform:
        report.sections.append((LOG, tail(platform.log, TAIL_LINES)))
    return report
