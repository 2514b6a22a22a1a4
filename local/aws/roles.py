"""RoleArn -> credentials of that role, as a service gets them by assuming it; refused in AWS's words.

MiniStack's own AssumeRole would take any service in the trust policy for the caller; here the policy is asked for
the service, such as `sagemaker.amazonaws.com`. Sessions live in MiniStack's memory, so its IAM decides every call
made with them.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/sagemaker shows that they hold
import hashlib
import json
from typing import TYPE_CHECKING, Any

from ministack.core import iam_evaluator
from ministack.services import iam, sts

from local.aws.errors import ValidationException

if TYPE_CHECKING:
    from local.aws.service import Service


def credentials(service: "Service", role_arn: str) -> dict[str, str]:
    """Variables with which an AWS SDK acts as the role. Raises ValidationException when it cannot be assumed."""
    check(service, role_arn)
    name = role_arn.rsplit("/", 1)[-1]
    digest = hashlib.sha256(f"{service.title}:{role_arn}".encode()).hexdigest()
    keys = {
        "AWS_ACCESS_KEY_ID": f"ASIA{digest[:16].upper()}",
        "AWS_SECRET_ACCESS_KEY": hashlib.sha256(f"secret:{digest}".encode()).hexdigest(),
        "AWS_SESSION_TOKEN": hashlib.sha256(f"token:{digest}".encode()).hexdigest(),
    }
    sts.register_session(
        keys["AWS_ACCESS_KEY_ID"],
        {
            "Arn": f"arn:aws:sts::{service.account}:assumed-role/{name}/{service.title}",
            "UserId": f"{name}:{service.title}",
            "SecretAccessKey": keys["AWS_SECRET_ACCESS_KEY"],
            "SessionToken": keys["AWS_SESSION_TOKEN"],
        },
    )
    return keys


def check(service: "Service", role_arn: str) -> None:
    """Raises ValidationException unless the role exists and trusts the service."""
    principal = f"{service.name}.amazonaws.com"
    parts = role_arn.split(":", 5)
    role = None
    if len(parts) == 6 and parts[2] == "iam" and parts[5].startswith("role/"):
        role = iam._roles.get_scoped(parts[4] or service.account, None, parts[5].rsplit("/", 1)[-1])
    if role is None or not _trusts(role.get("AssumeRolePolicyDocument", "{}"), principal):
        raise ValidationException(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{principal}' to assume the role."
        )


def _trusts(document: str | dict[str, Any], service: str) -> bool:
    """Whether the trust policy lets the service assume the role; a matching Deny wins."""
    statements = (json.loads(document) if isinstance(document, str) else document).get("Statement", [])
    allowed = False
    for statement in [statements] if isinstance(statements, dict) else statements:
        actions = statement.get("Action", [])
        actions = [actions] if isinstance(actions, str) else actions
        principal = statement.get("Principal", {})
        named = principal == "*" or iam_evaluator._service_principal_matches(principal, service)
        if not named or not any(action in ("sts:AssumeRole", "sts:*", "*") for action in actions):
            continue
        if statement.get("Effect") == "Deny":
            return False
        allowed = allowed or statement.get("Effect") == "Allow"
    return allowed
