"""Steps of weights: each gives the challenger a larger share of the calls, and is checked by alarms before the next."""

from typing import Any

import msgspec
from msgspec.structs import replace

from cuatro.adapters.alarms import ringing
from cuatro.errors import Rejected
from functions.lifecycle.rollout.work import Work


def shift(work: Work) -> dict[str, Any]:
    """{"weight", "wait_s", "last"}: the next step, or the same one again while it has not been found good."""
    roll_out = work.own()
    if roll_out.phase == "begun":
        raise Rejected("the shadow phase comes first")
    steps = work.plan.steps
    step = min(roll_out.checked + 1, len(steps))
    weight, last = steps[step - 1], step == len(steps)
    if roll_out.step != step:
        roll_out = work.models.put(roll_out, replace(roll_out, phase="canary", step=step, weight=weight))
    work.stage(roll_out, "Canary", "InProgress", f"{weight:.0%} of the calls")
    why = f"canary: {roll_out.version} in place of {roll_out.champion.version}"
    for function in work.switch.of_kind("weighted"):
        version = work.switch.version(function, roll_out.layer, work.challenger_uri, work.champion_uri, why)
        work.switch.share(function, version, weight)
    work.settle(roll_out)
    return {"weight": weight, "wait_s": work.plan.bake_s if last else work.plan.step_s, "last": last}


def check(work: Work) -> dict[str, Any]:
    """{"verdict", "reason"}: bad when an alarm rings that did not before the roll-out."""
    roll_out = work.own()
    names = msgspec.json.decode(work.setting.alarms, type=list[str])
    # One that rang before and rings again has fallen silent in between: its time tells.
    new = [each for each in ringing(names) if each.name not in roll_out.ringing or each.since >= roll_out.began_at]
    if new:
        reason = "; ".join(f"alarm {each.name}: {each.reason}" for each in new)
        return {"verdict": "bad", "reason": f"at {roll_out.weight:.0%} of the calls: {reason}"}
    if roll_out.checked != roll_out.step:
        work.models.put(roll_out, replace(roll_out, checked=roll_out.step))
    old = f"; ringing since before: {', '.join(roll_out.ringing)}" if roll_out.ringing else ""
    return {"verdict": "good", "reason": f"no alarm at {roll_out.weight:.0%} of the calls{old}"}
