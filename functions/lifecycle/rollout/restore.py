"""A deployment gave the aliases versions with the template's model -> the live one is put back behind them.

CloudFormation knows only the shipped model. Without this every deployment would take back every promotion.
"""

from msgspec.structs import replace

from functions.lifecycle.models import SHIPPED
from functions.lifecycle.rollout.ending import put
from functions.lifecycle.rollout.work import Work


def restore(work: Work) -> str:
    """What was done, in words. May be repeated. Raises Unavailable, Refused."""
    told = []
    roll_out = work.models.roll_out()
    if roll_out and roll_out.active:
        # Its versions are no longer what the aliases point to, and those before it are of the old code.
        reason = "a deployment came in between; approve the version again to roll it out"
        work.models.put(roll_out, replace(roll_out, phase="rolled_back", weight=0.0, reason=reason))
        work.stage(roll_out, "RolledBack", "Failed", reason)
        told.append(f"the roll-out of {roll_out.version} was ended")
    live = work.models.live()
    if live.package_arn == SHIPPED:
        return "; ".join([*told, "the shipped model is live"])
    behind = [name for name in work.switch.functions if not work.switch.has(name, live.layer, live.uri)]
    for function in behind:
        put(work, function, live, f"restored: {live.version}")
    return "; ".join([*told, f"{live.version} is live, put back in {len(behind)} of {len(work.switch.functions)}"])
