"""RetryPolicies of a step, what failed and how often -> how long until the next attempt, or that there is none."""

from dataclasses import dataclass
from typing import Any

from local.sagemaker.pipelines.references import Malformed

# ExceptionType of a policy -> name in the reason of a step that was not tried again.
EXCEPTIONS = {
    "Step.SERVICE_FAULT": "SERVICE_FAULT",
    "Step.THROTTLING": "THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR": "SAGEMAKER_JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR": "SAGEMAKER_CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT": "SAGEMAKER_RESOURCE_LIMIT",
}
_MEMBERS = {"ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin"}
_MOST_ATTEMPTS = 20
_MOST_MINUTES = 14400


@dataclass
class StepFailed(Exception):  # noqa: N818 - reads as what it is
    """An attempt that failed; `exception` is the ExceptionType that a policy may name, or None."""

    reason: str
    exception: str | None = None


def check(policies: Any) -> None:
    """Raises Malformed for policies that the service would not take."""
    if not isinstance(policies, list):
        raise Malformed("RetryPolicies expects a list.")
    for policy in policies:
        if not isinstance(policy, dict) or set(policy) - _MEMBERS or not policy.get("ExceptionType"):
            raise Malformed(f"A retry policy has an ExceptionType and of {sorted(_MEMBERS)} only: {policy!r}.")
        if not isinstance(policy["ExceptionType"], list):
            raise Malformed("ExceptionType expects a list.")
        unknown = [kind for kind in policy["ExceptionType"] if kind not in list(EXCEPTIONS)]
        if unknown:
            raise Malformed(f"ExceptionType [{unknown[0]}] is not one of {sorted(EXCEPTIONS)}.")
        _check_numbers(policy)
        if ("MaxAttempts" in policy) == ("ExpireAfterMin" in policy):
            raise Malformed("A retry policy has either MaxAttempts or ExpireAfterMin.")
        if not 1 <= policy.get("MaxAttempts", 1) <= _MOST_ATTEMPTS:
            raise Malformed(f"MaxAttempts is 1 to {_MOST_ATTEMPTS}.")
        if not 0 <= policy.get("ExpireAfterMin", 0) <= _MOST_MINUTES:
            raise Malformed(f"ExpireAfterMin is 0 to {_MOST_MINUTES}.")


def _check_numbers(policy: dict[str, Any]) -> None:
    for member, number in policy.items():
        if member == "ExceptionType":
            continue
        if not isinstance(number, (int, float)) or isinstance(number, bool) or not number >= 0:
            raise Malformed(f"{member} expects a number that is not below 0, not {number!r}.")


def pause(policies: list[dict[str, Any]], failed: StepFailed, retried: int, elapsed_s: float) -> float | None:
    """Seconds until the next attempt; None when no policy allows one after `retried` retries and `elapsed_s`."""
    for policy in policies:
        if failed.exception not in policy["ExceptionType"]:
            continue
        wait = policy.get("IntervalSeconds", 1) * policy.get("BackoffRate", 2.0) ** retried
        if "MaxAttempts" in policy:
            return wait if retried < policy["MaxAttempts"] else None
        return wait if elapsed_s + wait <= policy["ExpireAfterMin"] * 60 else None
    return None


def explained(failed: StepFailed, execution_arn: str, step: str, policies: list[dict[str, Any]]) -> str:
    """Why the step failed, and why it is not tried again, as AWS words it."""
    if failed.exception is None:
        return failed.reason
    exhausted = any(failed.exception in policy["ExceptionType"] for policy in policies)
    why = "Retry policy exhausted" if exhausted else "No retry policy configured"
    return (
        f"{failed.reason}\nRetry not appropriate on execution of step with PipelineExecutionArn {execution_arn} "
        f"and StepId {step}. {why} for the exception type {EXCEPTIONS[failed.exception]}."
    )
