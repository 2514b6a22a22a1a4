"""Lambda's own pace: an update that another one holds up is waited for, one that fails is told."""

from typing import Any

import pytest

from cuatro.adapters import lambda_functions as lambdas
from cuatro.adapters.lambda_functions import Configuration
from cuatro.errors import Refused, Unavailable
from tests.functional.lifecycle.deployment import Deployment

LOOK = "GetObject"  # the wire's name for any GET


@pytest.fixture
def wanted(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    monkeypatch.setattr(lambdas, "_PAUSE_S", 0)
    return Configuration((), {"MODEL_URI": "new"})


def told(status: str) -> Any:
    return lambda answer: {**answer, "LastUpdateStatus": status, "LastUpdateStatusReason": "no disk"}


def test_an_update_under_way_is_waited_for(deployment: Deployment, wanted: Configuration) -> None:
    deployment.wire.edit(LOOK, told("InProgress"), times=3)
    deployment.wire.calls.clear()
    lambdas.configure("score", wanted)
    assert deployment.wire.calls[LOOK] == 5, "three looks before the update, one that it may begin, one after it"
    assert lambdas.configuration("score") == wanted
    deployment.wire.edit(LOOK, told("InProgress"), times=2)
    assert lambdas.configuration("score", lambdas.publish("score", "why")).variables == {"MODEL_URI": "new"}


def test_an_update_that_never_ends_is_tried_again_later(deployment: Deployment, wanted: Configuration) -> None:
    deployment.wire.edit(LOOK, told("InProgress"), times=1_000)
    with pytest.raises(Unavailable, match="score is still being updated"):
        lambdas.configure("score", wanted)


def test_an_update_that_fails_is_told_and_the_next_one_mends_it(deployment: Deployment, wanted: Configuration) -> None:
    deployment.wire.edit(LOOK, told("Failed"), times=2)
    with pytest.raises(Refused, match="score: no disk"):
        lambdas.configure("score", wanted)
    deployment.wire.edit(LOOK, told("Failed"))
    lambdas.configure("score", wanted)
