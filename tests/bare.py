"""A state directory -> a local platform without any deployment: there in a second, and ended with its tier."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cuatro.adapters import aws
from local.platform.account import ACCESS_KEY, REGION, SECRET_KEY
from local.platform.process import LOG, Platform, running, start, stop, tail

TAIL_LINES = 60


@contextmanager
def bare(state: Path, **variables: str) -> Iterator[Platform]:
    """On a free port, with nothing of the user's AWS settings. variables: of its environment."""
    with pytest.MonkeyPatch.context() as environment:
        for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
            environment.delenv(variable)
        for name, value in variables.items():
            environment.setenv(name, value)
        started = start(state, port=0)
        yield started
        stop(state)
    assert running(state) is None


@contextmanager
def reaching(endpoint: str, environment: pytest.MonkeyPatch, *caches: Callable[..., Any]) -> Iterator[None]:
    """The adapters reach this platform, as a function does by its environment. caches: what else keeps clients."""
    own = {"ENDPOINT_URL": endpoint, "ACCESS_KEY_ID": ACCESS_KEY, "SECRET_ACCESS_KEY": SECRET_KEY, "REGION": REGION,
           "DEFAULT_REGION": REGION}  # fmt: skip
    for name, value in own.items():
        environment.setenv(f"AWS_{name}", value)
    kept: tuple[Any, ...] = (aws._client, aws._session, aws._found_credentials, *caches)
    for cached in kept:
        cached.cache_clear()
    yield
    for cached in kept:
        cached.cache_clear()


def with_log(report: pytest.TestReport, platform: Platform | None) -> pytest.TestReport:
    """The report of a failed test, with the end of the platform's log."""
    if report.failed and report.when != "teardown" and platform:
        report.sections.append((LOG, tail(platform.log, TAIL_LINES)))
    return report
