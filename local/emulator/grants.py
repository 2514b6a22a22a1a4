"""(role, action, resource) -> may it? Asked where AWS acts with a role and MiniStack acts without."""

import contextvars
import hashlib
from collections.abc import Mapping

from ministack.core import iam_evaluator
from ministack.core.responses import _request_account_id, _request_region, get_account_id, get_region
from ministack.services import sts


def allowed(role: str, action: str, resource: str, session: str, conditions: Mapping[str, str] | None = None) -> bool:
    """Whether the policies of a role (its ARN) allow an action on a resource. conditions: keys of the service's own."""
    # In a context of its own: nothing of the request that is being answered counts.
    return contextvars.Context().run(
        _ask, role, action, resource, session, (get_account_id(), get_region()), dict(conditions or {})
    )


def _ask(  # noqa: PLR0913, PLR0917 - what a context runs takes no keywords of ours
    role: str, action: str, resource: str, session: str, where: tuple[str, str], conditions: dict[str, str]
) -> bool:
    account, region = where
    _request_account_id.set(account)
    _request_region.set(region)
    name = role.rpartition("/")[2]
    digest = hashlib.sha256(f"{session}:{role}".encode()).hexdigest()
    key = f"ASIA{digest[:16].upper()}"
    its = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        "UserId": f"{name}:{session}",
        "SecretAccessKey": digest,
        "SessionToken": digest,
    }
    sts.register_session(key, its)
    iam_evaluator.pin_request_origin("127.0.0.1", secure_transport=True)  # AWS's services call each other by TLS
    service = action.partition(":")[0]
    return iam_evaluator.enforce(key, action, service, region, resource, conditions) is None
