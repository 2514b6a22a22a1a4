"""State machine, person or CloudFormation -> one action of a roll-out, whose state is in the models table."""

import time
from typing import Any

import msgspec
from aws_lambda_powertools import Logger

from cuatro.adapters import cloudformation
from cuatro.config import settings
from cuatro.errors import Rejected
from functions.lifecycle.rollout import canary, ending, shadow
from functions.lifecycle.rollout.restore import restore
from functions.lifecycle.rollout.settings import Settings
from functions.lifecycle.rollout.work import Work

logger = Logger()

_ACTIONS = {
    "shadow": shadow.lay,
    "compare": shadow.compare,
    "shift": canary.shift,
    "check": canary.check,
    "finish": ending.finish,
}


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The action's answer. Raises Rejected, Unavailable (try again), Refused."""
    if "RequestType" in event:
        return _custom_resource(event)
    action = event.get("action")
    work = Work.of(settings(Settings), time.time(), event.get("execution", ""))
    if action == "begin":
        answer = shadow.begin(work, event["model_package_arn"])
    elif action == "roll_back":
        answer = ending.roll_back(work, _words(event.get("reason") or "by hand"))
    elif action in _ACTIONS:
        answer = _ACTIONS[action](work)
    else:
        raise Rejected(f"{action!r} is none of begin, {', '.join(_ACTIONS)}, roll_back")
    logger.info("roll-out", action=action, answer=answer)
    return answer


def _custom_resource(event: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation waits until it gets an answer, whatever happens; a deletion leaves everything as it is."""
    told = "nothing to do"
    try:
        if event["RequestType"] != "Delete":
            told = restore(Work.of(settings(Settings), time.time(), ""))
    except Exception as error:
        cloudformation.answer(event, "FAILED", f"the live model could not be put back: {error}", "live-model")
        raise
    logger.info("restored", told=told)
    cloudformation.answer(event, "SUCCESS", told, "live-model")
    return {"told": told}


def _words(reason: str) -> str:
    """Step Functions gives a failed function's error as JSON."""
    try:
        return str(msgspec.json.decode(reason, type=dict[str, Any])["errorMessage"])
    except (msgspec.MsgspecError, KeyError):
        return reason
