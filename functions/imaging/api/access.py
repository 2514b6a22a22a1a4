"""A request -> who sends it, over what; a study's UID -> its row, if it is this sender's."""

import re
from typing import Any, NamedTuple

from chalice.app import Request

from cuatro.adapters import secrets
from cuatro.adapters.attributes import Item
from cuatro.adapters.auditing import Audit
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.errors import Rejected, Unavailable
from functions.imaging.api.settings import Settings
from functions.imaging.policy import Policy, policy
from functions.imaging.pseudonym import Pseudonyms

_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\Z", re.IGNORECASE)


class Caller(NamedTuple):
    """One request's sender and surroundings. base_url: what comes before /studies, as the sender knows it."""

    sender: str
    base_url: str
    correlation_id: str
    setting: Settings
    dynamo: Dynamo

    @property
    def policy(self) -> Policy:
        return policy(self.setting.policy)

    @property
    def pseudonyms(self) -> Pseudonyms:
        return Pseudonyms(secrets.text(self.setting.pseudonym_secret_arn).encode())

    @property
    def audit(self) -> Audit:
        return Audit(self.setting.audit_queue_url)


def anonymous(event: dict[str, Any]) -> dict[str, Any]:
    """The event without a correlation id that could be a patient's number: it would be in every line of the log."""
    headers = event.get("headers") or {}
    kept = {name: value for name, value in headers.items() if name.lower() != "x-correlation-id" or _UUID.match(value)}
    return {**event, "headers": kept}


def caller(request: Request, correlation_id: str, setting: Settings, dynamo: Dynamo) -> Caller:
    """Raises Rejected: images travel encrypted or not at all, and only from those whom the authorizer let in."""
    if request.headers.get("x-forwarded-proto", "") != "https":
        raise Rejected("this API is reached by TLS only: https://", None, "tls_required")
    sender = str((request.context.get("authorizer") or {}).get("sender") or "")
    if not sender:
        raise Rejected("needs a sender's credentials", None, "unauthorized")
    path, resource = str(request.context.get("path", "")), str(request.context.get("resourcePath", ""))
    stage = path[: -len(resource)] if "{" not in resource and path.endswith(resource) else path.partition("/studies")[0]
    return Caller(sender, f"https://{request.headers.get('host', '')}{stage}", correlation_id, setting, dynamo)


def row(study_uid: str, of: Caller) -> Item:
    """Raises Rejected (not_found): also for another sender's study, so that nobody learns that it is there."""
    identity = of.pseudonyms.study(study_uid)
    table = of.setting.studies_table
    found = of.dynamo.read({table: Keys("study", [identity])})[table]
    if found.unread:
        raise Unavailable(f"study {identity} could not be read")
    study = found.items.get(identity)
    if study is None or study["o"] != of.sender:
        raise Rejected("no such study", "study", "not_found")
    return study
