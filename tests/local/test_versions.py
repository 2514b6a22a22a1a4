"""A version keeps the code, layers and settings it was published with, in processes that live as long as it is used."""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from local.platform.client import Connection, connect
from tests.local.conftest import RUNTIME, Function, platform_in, role, zipped
from tests.local.published import HANDLER, canary, layer, settings
from tests.waiting import eventually


def test_a_version_keeps_its_code_layers_and_settings(here: Connection, function: Callable[..., Function]) -> None:
    made = function(HANDLER)
    old, new = layer(here, "old"), layer(here, "new")
    with_layer = {"LAYER": "/opt/model/name.txt"}
    one = made.publish(Layers=[old], **settings("one", **with_layer))
    assert made.call(qualifier=one)["Payload"]["layer"] == "old"
    two = made.publish(Layers=[new], **settings("two", **with_layer))
    here.client("lambda").update_function_code(
        FunctionName=made.name, ZipFile=zipped(index_dot_py="def handler(event, context): return 'other code'")
    )
    made.settle()
    assert made.call()["Payload"] == "other code"
    for version, text, step in ((one, "old", "one"), (two, "new", "two")):
        seen = made.call(qualifier=version)["Payload"]
        assert (seen["version"], seen["layer"], seen["step"]) == (version, text, step)
    described = here.client("lambda").get_function_configuration(FunctionName=made.name, Qualifier=one)
    assert [each["Arn"] for each in described["Layers"]] == [old]


def test_a_call_that_runs_while_the_function_changes_ends_as_it_began(function: Callable[..., Function]) -> None:
    made = function(HANDLER)
    made.call()
    client = made.here.client("lambda")
    client.update_function_configuration(FunctionName=made.name, **settings("before"))
    made.settle()
    made.call()
    answers: list[dict[str, Any]] = []
    calling = Thread(target=lambda: answers.append(made.call({"wait": 1})))
    calling.start()
    client.update_function_configuration(FunctionName=made.name, **settings("after"))
    made.settle()
    assert made.call()["Payload"]["step"] == "after"
    calling.join()
    assert "FunctionError" not in answers[0], answers
    assert answers[0]["Payload"]["step"] in {"before", "after"}


def test_a_change_waits_for_the_one_before(function: Callable[..., Function]) -> None:
    made = function(HANDLER)
    client = made.here.client("lambda")
    client.update_function_configuration(FunctionName=made.name, **settings("one"))
    conflict = client.exceptions.ResourceConflictException
    with pytest.raises(conflict, match="update is in progress"):
        client.publish_version(FunctionName=made.name)
    with pytest.raises(conflict, match="update is in progress"):
        client.update_function_configuration(FunctionName=made.name, **settings("two"))
    made.settle()
    assert client.publish_version(FunctionName=made.name)["Environment"]["Variables"]["STEP"] == "one"


def test_a_version_that_nobody_uses_any_more_ends(tmp_path: Path) -> None:
    platforms = platform_in(tmp_path, CUATRO_WARM_S="1")
    here = connect("local", next(platforms).state)
    arn = here.client("lambda").create_function(
        FunctionName="f", Runtime=RUNTIME, Handler="index.handler", Role=role(here),
        Code={"ZipFile": zipped(index_dot_py=HANDLER)},
    )["FunctionArn"]  # fmt: skip
    made = Function(here, "f", arn)
    made.settle()
    one, two = made.publish(**settings("one")), made.publish(**settings("two"))
    canary(made, one, two, 0.5)
    pids = {version: made.call(qualifier=version)["Payload"]["pid"] for version in (one, two)}
    canary(made, two)

    def gone() -> bool:
        try:
            os.kill(pids[one], 0)
        except ProcessLookupError:
            return True
        return False

    eventually(gone, "the end of the old version's process")
    os.kill(pids[two], 0)
    assert made.call(qualifier="live")["Payload"]["pid"] == pids[two]
    assert made.call(qualifier=one)["Payload"]["step"] == "one"
    next(platforms, None)
