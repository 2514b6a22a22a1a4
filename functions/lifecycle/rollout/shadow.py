"""An approved version -> checked, laid beside the champion, scoring live traffic without acting; then compared."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from cuatro.adapters import objects, workflows
from cuatro.adapters.alarms import ringing
from cuatro.adapters.registry import Package, package, stage
from cuatro.errors import Refused, Rejected
from functions.lifecycle.models import Model, RollOut
from functions.lifecycle.rollout import decisions, layer, lists, posts
from functions.lifecycle.rollout.compare import Judgement, Row, Trial
from functions.lifecycle.rollout.ending import take_back
from functions.lifecycle.rollout.plan import DecisionsPlan, ListsPlan
from functions.lifecycle.rollout.work import Work
from functions.lifecycle.times import days, text_of

LARGEST_ARCHIVE = 2 * layer.LARGEST
LATE_S = 86_400.0
R = TypeVar("R", bound=Row)


def begin(work: Work, arn: str) -> dict[str, Any]:
    """Check the package and note where to go back to. Nothing is changed yet. Raises Rejected, Unavailable, Refused."""
    found, running = package(arn), work.models.roll_out()
    if running and running.active:
        same = running.package_arn == found.arn
        if same and work.execution in {"", running.execution}:
            return _begun(work, running)  # a repeat of this very call
        if not running.execution or workflows.runs(running.execution):
            why = f"{running.version} is being rolled out already"
            if found.arn not in {running.package_arn, work.models.live().package_arn}:
                _turned_away(found, f"{why}: approve this version again when that has ended")
            raise Rejected(why)
        running = take_back(work, running, "its state machine's execution ended without an end")
    live = work.models.live()
    if found.approval != "Approved":
        raise Rejected(f"{arn} is {found.approval or 'not approved'}: only approved versions go live")
    if found.arn == live.package_arn:
        raise Rejected(f"{found.version} is live already")
    _checked(work, found)
    roll_out = RollOut(
        version=found.version,
        package_arn=found.arn,
        artefact=found.artefact,
        sha256=found.sha256,
        phase="begun",
        began=text_of(work.now),
        began_at=work.now,
        execution=work.execution,
        champion=msgspec.convert(msgspec.to_builtins(live), Model),
        stable=work.switch.stable(),
        ringing=[each.name for each in ringing(_alarms(work))],
    )
    return _begun(work, work.models.put(running, roll_out))


def lay(work: Work) -> dict[str, Any]:
    """Publish the layer with both models, and versions of every function that have it: the challenger is the shadow."""
    roll_out = work.own()
    why = f"shadow: {roll_out.version} beside {roll_out.champion.version}"
    if not roll_out.layer:
        champion = objects.read(roll_out.champion.artefact, LARGEST_ARCHIVE)
        content = layer.packed(
            work.setting.pipeline,
            layer.unpacked(champion, roll_out.champion.artefact, roll_out.champion.sha256),
            _challenger(roll_out.artefact, roll_out.sha256),
        )
        arn = work.switch.publish_layer(content, why)
        roll_out = work.models.put(roll_out, replace(roll_out, layer=arn))
    work.stage(roll_out, "Shadow", "InProgress", f"scores beside {roll_out.champion.version}, does not act")
    for function in work.switch.functions:
        version = work.switch.version(function, roll_out.layer, work.champion_uri, work.challenger_uri, why)
        work.switch.point(function, version)
    if roll_out.phase == "begun":
        # Not the beginning of this call: while functions are updated, the versions before still decide.
        roll_out = work.models.put(roll_out, replace(roll_out, phase="shadow", shadow_since=time.time()))
    work.settle(roll_out)
    return {"since": text_of(roll_out.shadow_since), "layer": roll_out.layer}


def compare(work: Work) -> dict[str, Any]:
    """{"verdict", "reason", "report"}: what the lake tells of the answers since the challenger gives its own too."""
    roll_out, setting = work.own(), work.setting
    bad: list[str] = []
    verdict, reason, figures = _judged(work, roll_out, bad)
    told = {"champion": roll_out.champion.version, "challenger": roll_out.version, "since": roll_out.began}
    key = f"{setting.pipeline}/reports/shadow/{roll_out.version}.json"
    content = {**told, "verdict": verdict, "reason": reason, **figures, "bad_lines": len(bad)}
    report = objects.put_json(setting.lake_bucket, key, content)
    if verdict != "wait":
        work.models.put(roll_out, replace(roll_out, report=report, reason=reason))
        work.stage(roll_out, "Shadow", "Succeeded" if verdict == "good" else "Failed", reason)
    return {"verdict": verdict, "reason": reason, "report": report}


def _judged(work: Work, roll_out: RollOut, bad: list[str]) -> Judgement:
    plan, since = work.plan, roll_out.shadow_since
    trial = Trial(roll_out.champion.version, roll_out.version, since, work.now - since)
    if isinstance(plan, DecisionsPlan):
        return decisions.judged(_rows(work, "decisions", decisions.decode, since, bad), trial, plan)
    if isinstance(plan, ListsPlan):
        return lists.judged(_rows(work, "lists", lists.decode, since, bad), trial, plan)
    return posts.judged(_rows(work, "scored", posts.decode, since, bad), trial, plan)


def _begun(work: Work, roll_out: RollOut) -> dict[str, Any]:
    return {"package": roll_out.package_arn, "version": roll_out.version, "shadow_s": work.plan.shadow_s}


def _checked(work: Work, found: Package) -> None:
    """Raises Rejected or Refused when it cannot be rolled out."""
    try:
        _named(work, found)
        _challenger(found.artefact, found.sha256)
    except (Rejected, Refused) as error:
        _turned_away(found, str(error))
        raise


def _named(work: Work, found: Package) -> None:
    if not found.version or not found.sha256:
        raise Rejected(f"{found.arn} does not tell its version and model_sha256 (CustomerMetadataProperties)")
    if found.feature_set not in {"", work.setting.feature_set}:
        raise Rejected(f"{found.version} was made for other features than the deployed code's: train it anew")


def _turned_away(found: Package, why: str) -> None:
    """In the registry: there is no roll-out yet that could be taken back, so nothing else would tell it."""
    stage(found.arn, "RolledBack", "Failed", why)


def _challenger(uri: str, sha256: str) -> layer.Unpacked:
    return layer.unpacked(objects.read(uri, LARGEST_ARCHIVE), uri, sha256)


def _alarms(work: Work) -> list[str]:
    return msgspec.json.decode(work.setting.alarms, type=list[str])


def _rows(work: Work, folder: str, decode: Callable[[bytes], R], since: float, bad: list[str]) -> Iterator[R]:
    """What a folder of the lake holds from `since` on. One that is split by something else above its days, such as by
    brand, has days by when things took place: what arrives late is looked for a day back."""
    bucket, top = work.setting.lake_bucket, f"{work.setting.pipeline}/{folder}/"
    split = [name for name in objects.folders(bucket, top) if not name.startswith(f"{top}dt=")]
    first = since - LATE_S if split else since
    for prefix, day in itertools.product(split or [top], days(first, work.now)):
        for found in objects.listed(bucket, f"{prefix}dt={day}/"):
            if found.modified < since - 1:  # S3 tells whole seconds
                continue
            for line in objects.lines(bucket, found.key):
                try:
                    row = decode(line)
                except msgspec.MsgspecError as error:
                    bad.append(str(error))
                    continue
                if row.at.timestamp() >= since:
                    yield row
