"""A request to retrain -> one execution of the pipeline, and never a second one beside it.

The item `retraining` is the lock: it is taken before the execution is started, holds its ARN, and whoever finds it asks
whether that execution still runs. So nothing has to be released, and what died in the middle blocks nobody.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.errors import Refused, Unavailable
from functions.lifecycle.retrain.request import Request
from functions.lifecycle.times import text_of

STARTING_S = 300
"""A lock without an execution is of somebody who is just starting one, for so long."""
REASON_PARAMETER, _REASON_LENGTH = "Reason", 256

Start = Callable[[str, Request, str], str]


class Started(NamedTuple):
    """why: what it was started for, or why it was not."""

    started: bool
    execution_arn: str
    why: str


class Retraining:
    """One pipeline's lock and its start. start: (pipeline, request, token) -> ARN. runs: does this ARN still run?"""

    def __init__(self, dynamo: Dynamo, table: str, pipeline: str, start: Start, runs: Callable[[str], bool]) -> None:
        self._dynamo, self._table, self._pipeline = dynamo, table, pipeline
        self._start, self._runs = start, runs

    def begin(self, request: Request, now: float, token: str) -> Started:
        """now: unix seconds. token: of this attempt; the same one starts only once. Raises Unavailable, Refused."""
        found = self._dynamo.read({self._table: Keys("name", ["retraining"])})[self._table]
        if found.unread:
            raise Unavailable("the lock could not be read")
        held = found.items.get("retraining")
        if held and held["execution_arn"]:
            if self._runs(held["execution_arn"]):
                return Started(False, held["execution_arn"], f"a retraining runs since {text_of(held['since'])}")
        elif held and held["holder"] != token and now - held["since"] < STARTING_S:
            return Started(False, "", "another retraining is being started")
        if not self._taken(held["holder"] if held else None, request, now, token):
            return Started(False, "", "another retraining is being started")
        try:
            arn = self._start(self._pipeline, request, hashlib.sha256(token.encode()).hexdigest())
        except Refused:
            # Nothing was started: the next request need not wait.
            self._change("SET since = :nothing", {":nothing": 0, ":token": token})
            raise
        self._change("SET execution_arn = :arn", {":arn": arn, ":token": token})
        return Started(True, arn, request.reason)

    def _taken(self, holder: str | None, request: Request, now: float, token: str) -> bool:
        values = {":token": token, ":now": now, ":why": request.reason[:_REASON_LENGTH], ":none": ""}
        condition = "attribute_not_exists(holder)"
        if holder is not None:
            condition, values = "holder = :holder", {**values, ":holder": holder}
        try:
            self._dynamo.update(
                self._table,
                {"name": "retraining"},
                "SET holder = :token, since = :now, why = :why, execution_arn = :none",
                values,
                condition,
            )
        except Refused as refused:
            if refused.code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _change(self, expression: str, values: dict[str, object]) -> None:
        self._dynamo.update(self._table, {"name": "retraining"}, expression, values, "holder = :token")
