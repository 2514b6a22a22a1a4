"""A state directory -> the app deployed, by the CDK CLI, to a platform of a test tier's own; both end with the tier."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.platform.deployment import deploy
from local.platform.errors import PlatformError
from local.platform.process import LOG, Platform, start, stop, tail


@contextmanager
def deployed(
    state: Path, options: Mapping[str, str] | None = None, stacks: Sequence[str] = (), **variables: str
) -> Iterator[Platform]:
    """On a free port. options, stacks: as deploy() takes them. variables: of the platform's environment, which has
    nothing of the user's AWS settings."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in variables.items():
            environment.setenv(name, value)
        for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
            environment.delenv(variable)
        try:
            started = start(state, port=0)
            deploy(started, lambda doing, share: None, options, stacks)
            yield started
        except PlatformError as error:
            pytest.fail(f"{error}\n{error.advice}\n{error.log}\n--- {LOG}\n{tail(state / LOG)}", pytrace=False)
        finally:
            stop(state)
