"""Execution -> its steps, each started as soon as what it waits for is done, until nothing is left to run.

One thread an execution and one a running step. When a step fails, no further ones start and those that run end in
their own time; a Fail step stops them. The platform's end leaves everything as it is stored: see executions.recover.
"""

import logging
import queue
import threading
import time
from typing import Any

from local.aws.errors import AwsError
from local.aws.service import Service
from local.sagemaker.pipelines import progress, retries, role, values
from local.sagemaker.pipelines.definition import Step, parse
from local.sagemaker.pipelines.references import Undefined
from local.sagemaker.pipelines.retries import StepFailed
from local.sagemaker.pipelines.steps import RUN
from local.sagemaker.pipelines.steps.turn import PlatformLeaves, StepStopped, Turn

LOG = logging.getLogger(__name__)

FAILURE = "Step failure: One or multiple steps failed."
# Steps at once, when the pipeline does not say.
_PARALLEL = 50


class Run:
    """An execution that runs. `stop` ends it with its jobs, `leave` is for the end of the platform."""

    def __init__(self, service: Service, execution: str) -> None:
        self.service = service
        self.id = execution
        self.record = progress.table(service).get(execution)
        self.definition = parse(self.record["_definition"])
        done = [step for step in self.record["_steps"] if step["StepStatus"] == progress.SUCCEEDED]
        self.properties: values.Properties = {step["StepName"]: step["_properties"] for step in done}
        self._begun = set(self.properties)
        self._halt = threading.Event()
        self._leave = threading.Event()
        self._ended: queue.Queue[tuple[str, str, dict[str, Any] | None]] = queue.Queue()
        self._clients = role.clients(service, self.record["_role"])
        self._thread = threading.Thread(target=self._run, name=f"pipeline-{execution}", daemon=True)

    def start(self) -> None:
        """Runs in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Starts no further step and stops the jobs of those that run."""
        self._halt.set()

    def leave(self) -> None:
        """Does and stores nothing more."""
        self._leave.set()
        self._halt.set()

    def _run(self) -> None:
        try:
            self._all()
        except Exception as error:
            LOG.exception("execution %s failed", self.id)
            forget(self.id)
            reason = f"InternalServerError: the local platform failed at this execution: {error!r}"
            progress.set_status(self.service, self.id, progress.FAILED, reason)

    def _all(self) -> None:
        """Runs all steps and stores how the execution ended."""
        running: set[str] = set()
        failed = False
        parallel = self.record.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps", _PARALLEL)
        while True:
            if not failed and not self._halt.is_set():
                for step in self._ready()[: max(parallel - len(running), 0)]:
                    self._begin(step)
                    running.add(step.name)
            if not running:
                break
            name, status, properties = self._ended.get()
            running.discard(name)
            failed = failed or status == progress.FAILED
            if properties is not None:
                self.properties[name] = properties
        if self._leave.is_set():
            return
        forget(self.id)
        if failed:
            progress.set_status(self.service, self.id, progress.FAILED, FAILURE)
        else:
            stopped = progress.table(self.service).get(self.id)["PipelineExecutionStatus"] == progress.STOPPING
            progress.set_status(self.service, self.id, progress.STOPPED if stopped else progress.SUCCEEDED)

    def _ready(self) -> list[Step]:
        """Steps that can start now."""
        return [
            step
            for step in self.definition.steps.values()
            if step.name not in self._begun
            and all(name in self.properties for name in step.needs)
            and (step.branch is None or self.properties[step.branch[0]]["Outcome"] is step.branch[1])
        ]

    def _begin(self, step: Step) -> None:
        self._begun.add(step.name)
        progress.begin_step(self.service, self.id, step)
        threading.Thread(target=self._step, args=(step,), name=f"step-{self.id}-{step.name}", daemon=True).start()

    def _step(self, step: Step) -> None:
        """Runs a step to its end and stores how it ended."""
        status, properties = progress.FAILED, None
        members: dict[str, Any] = {}
        try:
            properties = self._tried(step)
            status, members = progress.SUCCEEDED, {"_properties": properties}
        except StepFailed as failed:
            policies = step.members.get("RetryPolicies", [])
            reason = retries.explained(failed, self.record["PipelineExecutionArn"], step.name, policies)
            members = {"FailureReason": reason} if reason else {}
            if step.type == "Fail":
                self._halt.set()
        except StepStopped:
            status = progress.STOPPED
        except PlatformLeaves:
            pass
        except Exception as error:
            LOG.exception("step %s of execution %s failed", step.name, self.id)
            members = {"FailureReason": f"InternalServerError: the local platform failed at this step: {error!r}"}
        if not self._leave.is_set():
            progress.set_step(self.service, self.id, step.name, status, **members)
        self._ended.put((step.name, status, properties))

    def _tried(self, step: Step) -> dict[str, Any]:
        """Properties of a step, after as many attempts as its retry policies allow."""
        turn = Turn(
            self.service,
            self.record,
            step,
            values.source(self.record, self.definition, self.properties, self._clients),
            self._halt,
            self._leave,
            self._clients,
        )
        began, retried = time.monotonic(), 0
        while True:
            if turn.pause(0):
                raise StepStopped
            progress.set_step(self.service, self.id, step.name, progress.STARTING, AttemptCount=retried + 1)
            try:
                return self._attempt(turn)
            except StepFailed as failed:
                policies = step.members.get("RetryPolicies", [])
                wait = retries.pause(policies, failed, retried, time.monotonic() - began)
                if wait is None:
                    raise
                turn.pause(wait)
            retried += 1

    def _attempt(self, turn: Turn) -> dict[str, Any]:
        try:
            return RUN[turn.step.type](turn)
        except Undefined as undefined:
            raise StepFailed(f"ClientError: {undefined}") from undefined
        except AwsError as error:  # the role cannot be assumed
            raise StepFailed(f"ClientError: {error.message}") from error


_runs: dict[str, Run] = {}
_lock = threading.Lock()


def begin(service: Service, execution: str) -> None:
    """Starts to run an execution that is stored as Executing."""
    run = Run(service, execution)
    with _lock:
        _runs[execution] = run
    run.start()


def stop(execution: str) -> None:
    """Stops what runs of an execution."""
    with _lock:
        run = _runs.get(execution)
    if run is not None:
        run.stop()


def forget(execution: str) -> None:
    """Nothing of the execution runs any more."""
    with _lock:
        _runs.pop(execution, None)


def end(service: Service) -> None:
    """The platform ends: what runs does nothing more."""
    with _lock:
        for run in [run for run in _runs.values() if run.service is service]:
            run.leave()
            del _runs[run.id]
