"""What each type of step does when its turn comes: (turn) -> the properties that other steps may read."""

from collections.abc import Callable
from typing import Any

from local.sagemaker.pipelines.steps import decisions, lambdas, resources
from local.sagemaker.pipelines.steps.kinds import KINDS
from local.sagemaker.pipelines.steps.turn import Turn

RUN: dict[str, Callable[[Turn], dict[str, Any]]] = {
    **dict.fromkeys(KINDS, resources.run),
    "Lambda": lambdas.run,
    "Condition": decisions.condition,
    "Fail": decisions.fail,
}
