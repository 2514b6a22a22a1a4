"""A deployment gave the aliases versions with the template's model -> the live one is put back behind them.

CloudFormation knows only the shipped model. Without this every deployment would take back every promotion.
"""

from msgspec.structs import replace

from cuatro.adapters.registry import package
from functions.lifecycle.models import SHIPPED, Live, RollOut
from functions.lifecycle.rollout.ending import put
from functions.lifecycle.rollout.work import Work
from functions.lifecycle.times import text_of


def restore(work: Work) -> str:
    """What was done, in words. May be repeated. Raises Unavailable, Refused."""
    told = []
    roll_out, live = work.models.roll_out(), work.models.live()
    if roll_out and roll_out.active:
        told.append(_end(work, roll_out, live))
    if live.package_arn != SHIPPED and (why := _unfit(work, live)):
        work.models.ship(text_of(work.now))
        work.stage(live, "Retired", "Failed", why)
        return "; ".join([*told, f"the shipped model is live: {live.version} {why}"])
    if live.package_arn == SHIPPED:
        # The template's versions have it already, but for what a roll-out left there. One that finished left nothing.
        if roll_out and roll_out.phase != "finished":
            stable = {name: roll_out.stable[name] for name in work.switch.functions if name in roll_out.stable}
            why = f"restored: {live.version}"
            cleared = [work.switch.clear(name, roll_out.layer, version, why) for name, version in stable.items()]
            told.append(f"{sum(cleared)} of {len(stable)} functions cleared of it")
        return "; ".join([*told, "the shipped model is live"])
    behind = [name for name in work.switch.functions if not work.switch.has(name, live.layer, live.uri)]
    for function in behind:
        put(work, function, live, f"restored: {live.version}")
    return "; ".join([*told, f"{live.version} is live, put back in {len(behind)} of {len(work.switch.functions)}"])


def _end(work: Work, roll_out: RollOut, live: Live) -> str:
    """Its versions are no longer what the aliases point to, and those before it are of the old code."""
    if live.package_arn == roll_out.package_arn:  # only the last words were missing
        work.models.put(roll_out, replace(roll_out, phase="finished", weight=1.0))
        return f"the roll-out of {roll_out.version} was finished"
    reason = "a deployment came in between; approve the version again to roll it out"
    work.models.put(roll_out, replace(roll_out, phase="rolled_back", weight=0.0, reason=reason))
    work.stage(roll_out, "RolledBack", "Failed", reason)
    return f"the roll-out of {roll_out.version} was ended"


def _unfit(work: Work, live: Live) -> str:
    """Why the deployed code cannot use this model, empty if it can: put back, it would fail every call."""
    made_for = package(live.package_arn).feature_set
    return "" if made_for in {"", work.setting.feature_set} else "was made for other features than the deployed code's"
