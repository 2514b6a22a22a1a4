"""A step whose turn it is: its arguments, the pipeline role's clients, its pauses and what it tells of itself."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.aws.service import Service
from local.aws.store import Record
from local.sagemaker.pipelines import progress
from local.sagemaker.pipelines.definition import Step
from local.sagemaker.pipelines.references import Source, resolve
from local.sagemaker.pipelines.retries import StepFailed


class StepStopped(Exception):  # noqa: N818 - an end, not a fault
    """The step ended because the execution is being stopped."""


class PlatformLeaves(Exception):  # noqa: N818 - an end, not a fault
    """The platform ends: what is stored stays as it is, and the next start finds it."""


@dataclass
class Turn:
    """One attempt of a step. `halt` is set when the execution's steps must stop, `leave` when the platform ends."""

    service: Service
    execution: Record
    step: Step
    source: Source
    halt: threading.Event
    leave: threading.Event
    clients: Callable[[str], Any]

    @property
    def id(self) -> str:
        """Id of the execution: the last part of its ARN."""
        return str(self.execution["_id"])

    def arguments(self) -> dict[str, Any]:
        """The step's Arguments with every reference replaced."""
        return dict(self.value(self.step.arguments))

    def value(self, expression: Any) -> Any:
        """What an expression gives in this execution."""
        return resolve(expression, self.source)

    def executing(self, metadata: dict[str, Any]) -> None:
        """The step runs; `metadata` tells what is its job."""
        progress.set_step(self.service, self.id, self.step.name, progress.EXECUTING, Metadata=metadata)

    def stopping(self) -> None:
        """What the step started is being stopped."""
        progress.set_step(self.service, self.id, self.step.name, progress.STOPPING)

    def call(self, client: str, action: str, method: str, **arguments: Any) -> dict[str, Any]:
        """Calls AWS as the pipeline's role. Raises StepFailed with what AWS says."""
        try:
            return dict(getattr(self.clients(client), method)(**arguments))
        except ClientError as error:
            details = error.response.get("Error", {}).get("Message", str(error))
            raise StepFailed(
                f"ClientError: Failed to invoke {action}. Error Details: {details}", _type(error)
            ) from error
        except BotoCoreError as error:  # arguments of a wrong type, or the platform has gone
            raise StepFailed(f"ClientError: Failed to invoke {action}. Error Details: {error}") from error

    def pause(self, seconds: float) -> bool:
        """Waits, less when the execution must stop; returns whether it must. Raises PlatformLeaves."""
        halted = self.halt.wait(seconds)
        if self.leave.is_set():
            raise PlatformLeaves
        return halted


def _type(error: ClientError) -> str | None:
    """ExceptionType by which a retry policy names an error."""
    code = error.response.get("Error", {}).get("Code", "")
    if code == "ResourceLimitExceeded":
        return "SageMaker.RESOURCE_LIMIT"
    if "Throttl" in code or code == "TooManyRequestsException":
        return "Step.THROTTLING"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    return "Step.SERVICE_FAULT" if status >= 500 else None
