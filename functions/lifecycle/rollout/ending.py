"""The end of a roll-out: the challenger is the live model, or all calls go back to the one before."""

from typing import Any

import msgspec
from msgspec.structs import replace

from cuatro.errors import Rejected
from cuatro.events import ModelPromoted, ModelRolledBack
from functions.lifecycle.models import Live, RollOut
from functions.lifecycle.rollout.work import Work
from functions.lifecycle.times import text_of


def finish(work: Work) -> dict[str, Any]:
    """The challenger decides alone. Functions that follow keep both: decisions of the old model are still under way."""
    found = work.models.roll_out()
    if found and found.phase == "finished" and found.execution == work.execution:
        return {"version": found.version, "summary": f"{found.version} is live"}  # a repeat of this very call
    roll_out = work.own()
    if roll_out.checked < len(work.plan.steps):
        raise Rejected(f"only {roll_out.checked} of {len(work.plan.steps)} steps were found good")
    why = f"live: {roll_out.version}"
    for function, kind in work.switch.functions.items():
        shadow = work.champion_uri if kind == "follows" else ""
        version = work.switch.version(function, roll_out.layer, work.challenger_uri, shadow, why)
        work.switch.point(function, version)
    work.settle(roll_out)
    live = work.models.live()
    if live.package_arn != roll_out.package_arn:
        live = Live(
            version=roll_out.version,
            package_arn=roll_out.package_arn,
            artefact=roll_out.artefact,
            sha256=roll_out.sha256,
            since=text_of(work.now),
            layer=roll_out.layer,
            uri=work.challenger_uri,
            other_uri=work.champion_uri,
            previous=roll_out.champion,
        )
        work.models.put_live(live)
    work.stage(roll_out.champion, "Retired", "Succeeded", f"{roll_out.version} took its place")
    work.stage(roll_out, "Production", "Succeeded", roll_out.reason)
    work.tell(
        ModelPromoted(
            pipeline=work.setting.pipeline,
            model_version=live.version,
            previous_version=roll_out.champion.version,
            package_arn=live.package_arn,
            report=roll_out.report,
            time=live.since,
        )
    )
    work.models.put(roll_out, replace(roll_out, phase="finished", weight=1.0))
    return {"version": live.version, "summary": f"{live.version} is live"}


def roll_back(work: Work, reason: str) -> dict[str, Any]:
    """End the roll-out under way; by hand and without one, go back to the model before. {"summary", "version"}."""
    found = work.models.roll_out()
    if found and found.active and found.execution in {"", work.execution or found.execution}:
        take_back(work, found, reason)
        summary = f"the roll-out of {found.version} was ended: {found.champion.version} decides, as before"
        return {"version": found.champion.version, "summary": summary}
    if work.execution:  # somebody else's roll-out, or the live model, is none of its business
        return {"version": "", "summary": "nothing to take back: no roll-out of this execution is under way"}
    return _previous(work, reason)


def take_back(work: Work, roll_out: RollOut, reason: str) -> RollOut:
    """All calls to the versions before the roll-out. The item first: whoever acts at the same time sees it."""
    if roll_out.phase != "rolling_back":
        reason = " ".join(reason.split()) or "no reason given"
        roll_out = work.models.put(roll_out, replace(roll_out, phase="rolling_back", reason=reason))
    work.switch.back(roll_out.stable)
    if work.models.live().package_arn == roll_out.package_arn:  # it failed in the middle of its last action
        work.models.put_live(Live(**msgspec.to_builtins(roll_out.champion)))
        work.stage(roll_out.champion, "Production", "Succeeded", f"{roll_out.version} was rolled back")
    work.stage(roll_out, "RolledBack", "Failed", roll_out.reason)
    work.tell(_rolled_back(work, roll_out, roll_out.champion.version, roll_out.reason))
    return work.models.put(roll_out, replace(roll_out, phase="rolled_back", weight=0.0))


def _previous(work: Work, reason: str) -> dict[str, Any]:
    live = work.models.live()
    if live.previous is None:
        raise Rejected(f"{live.version} is live, and no model before it is known")
    before = live.previous
    # The layer of the live model holds both.
    back = Live(
        **{
            **msgspec.to_builtins(before),
            "since": text_of(work.now), "layer": live.layer, "uri": live.other_uri, "other_uri": live.uri,
        }
    )  # fmt: skip
    for function in reversed(list(work.switch.functions)):
        put(work, function, back, f"rolled back: {before.version}")
    work.models.put_live(back)
    work.stage(live, "RolledBack", "Failed", reason)
    work.stage(back, "Production", "Succeeded", f"put back in place of {live.version}: {reason}")
    work.tell(_rolled_back(work, live, before.version, reason))
    return {"version": before.version, "summary": f"{before.version} decides again in place of {live.version}"}


def put(work: Work, function: str, live: Live, why: str) -> None:
    """Publish a version of the function that has the live model, and let the alias point to it."""
    shadow = live.other_uri if work.switch.functions[function] == "follows" else ""
    work.switch.point(function, work.switch.version(function, live.layer, live.uri, shadow, why))


def _rolled_back(work: Work, model: Live | RollOut, back_to: str, reason: str) -> ModelRolledBack:
    return ModelRolledBack(
        pipeline=work.setting.pipeline,
        model_version=model.version,
        back_to=back_to,
        package_arn=model.package_arn,
        weight=model.weight if isinstance(model, RollOut) else 1.0,
        reason=reason,
        time=text_of(work.now),
    )
