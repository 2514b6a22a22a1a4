"""What a function did to an object -> the audit queue (SQS FIFO), whose reader chains it to the ledger.

Fail closed: a function records before it answers, and one that cannot record raises Unavailable like any other fault,
so nothing is shown or sent that the ledger does not know of.
"""

import secrets
import time
from collections.abc import Mapping
from typing import NamedTuple

from cuatro.adapters.aws import called
from cuatro.audit import Action, Result, audit_event, encode
from cuatro.times import text_of

GROUP = "ledger"
"""One group: the chain has one order, and the queue gives it to one reader at a time."""


class Audit(NamedTuple):
    """The queue of one suite."""

    queue_url: str

    def record(  # noqa: PLR0913 - what an audit event is made of
        self,
        action: Action,
        object: str,  # noqa: A002 - the event's field
        *,
        actor: str,
        outcome: Result,
        purpose: str,
        correlation: str = "",
        details: Mapping[str, str | int] | None = None,
    ) -> None:
        """object: a pseudonymous id. actor: "function:infer", "sender:north-clinic", a reviewer's principal.

        Words that are not plain are withheld (see cuatro.audit). Each call is an event of its own; the attempts of one
        call share its id, so the queue takes it once. Raises Unavailable or Refused.
        """
        id = secrets.token_hex(16)  # noqa: A001
        event = audit_event(
            id, text_of(int(time.time() * 1000)), action, object, actor=actor, outcome=outcome,
            purpose=purpose, correlation=correlation, details=details,
        )  # fmt: skip
        called(
            "sqs",
            "send_message",
            QueueUrl=self.queue_url,
            MessageBody=encode(event).decode(),
            MessageGroupId=GROUP,
            MessageDeduplicationId=id,
        )
