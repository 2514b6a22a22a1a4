"""One radiograph through every step of a reading, AWS stubbed -> CPU and AWS calls by step, ours and the naive way."""

import resource
from collections.abc import Callable
from importlib import import_module
from typing import Any

from benchmarks.environment import Context
from benchmarks.imaging.store import Store, stubbed
from benchmarks.imaging.workload import NAMES, SECRET, Image, images
from benchmarks.measure import Contestant, interleaved
from cuatro.adapters import secrets

NAIVE = "naive"
MOST_ROUNDS = 5
STEPS = ("validate", "deidentify", "normalise", "infer", "route", "report", "reidentify", "conclude")
_ROW = {"n": {"N": "1"}, "r": {"N": "1"}, "s": {"S": "reading"}, "o": {"S": "north"}}


def measure(rounds: int) -> dict[str, Any]:
    """By image: CPU nanoseconds of each step, and of the naive handler; calls by operation. Five rounds at most: a step
    takes seconds."""
    return {title: _measured(image, min(rounds, MOST_ROUNDS)) for title, image in images().items()}


def _measured(image: Image, rounds: int) -> dict[str, Any]:
    patient = NAMES.patient(None, "benchmark")
    rows = {
        "studies": {"study": {"S": image.study}, **_ROW},
        "instances": {"instance": {"S": image.instance}, "study": {"S": image.study}, "p": {"S": patient}, **_ROW},
    }
    store = Store({f"identified/instances/{image.instance}.dcm": image.content}, rows)
    with stubbed(store):
        secrets.forget()
        assert secrets.text("pseudonyms") == SECRET
        handlers = {step: import_module(f"functions.imaging.{step}.handler").handler for step in STEPS}
        naive = import_module("benchmarks.imaging.naive").handler
        runs: dict[str, Callable[[], Any]] = {}
        calls: dict[str, Any] = {}
        for step, event in _events(image, handlers):
            before = store.calls.copy()
            handlers[step](event, Context())
            calls[step] = dict(store.calls - before)
            runs[step] = lambda step=step, event=event: handlers[step](event, Context())  # type: ignore[misc]
        event = {"study": image.study, "instance": image.instance}
        runs[NAIVE] = lambda: naive(event, Context())
        before = store.calls.copy()
        naive(event, Context())
        calls[NAIVE] = dict(store.calls - before)
        contestants = [Contestant(name, run) for name, run in runs.items()]
        # What a forked decoder spends is spent for the step that waits for it.
        spent = interleaved(contestants, rounds, lambda: store.spent_ns - _of_children_ns())
    return {"ns": spent, "calls": calls}


def _events(image: Image, handlers: dict[str, Any]) -> Any:
    """Each step with what the one before has answered. The study is reported as one with a finding: that is the most
    that a report has, and what a drawn phantom need not be to the model."""
    item = {"study": image.study, "revision": 1, "instance": image.instance}
    for step in STEPS[:4]:
        yield step, item
        item = handlers[step](item, Context())
        if item["state"] == "rejected":
            raise RuntimeError(f"{step} rejected the image: {item['code']}")
    found = {
        "instance": image.instance, "state": "read", "finding": "pneumonia", "probability": 0.9, "unsure": False,
        "why": [], "model_version": item["model_version"], "distance": 1.0,
    }  # fmt: skip
    state = {"study": image.study, "revision": 1, "instances": [image.instance], "items": [found]}
    for step in STEPS[4:]:
        yield step, state
        state = {**state, **handlers[step](state, Context())}


def _of_children_ns() -> int:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round((used.ru_utime + used.ru_stime) * 1e9)
