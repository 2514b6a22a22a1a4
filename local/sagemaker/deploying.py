"""Plan -> a deployment in service, in a thread: created, or swapped in for the one that serves, or rolled back.

New workers answer /ping before they get a request; old ones end when they have answered theirs. Traffic goes over all
at once, as a canary or in linear steps, and back when an alarm of AutoRollbackConfiguration is on or new workers die.
"""

import logging
import math
import shutil
import threading
import time
from collections.abc import Callable
from typing import Any

from local.aws.errors import ValidationException
from local.aws.servers import NotServed
from local.aws.service import Service
from local.sagemaker import tags
from local.sagemaker.plans import Plan
from local.sagemaker.serving import Deployment, Serving, endpoints, folder
from local.sagemaker.statuses import TABLE, found, settle, tell

LOG = logging.getLogger(__name__)

DRAIN_S = 60.0  # the longest that an invocation may take
ALARMS_S = 1.0
LONGEST_S = 28800
LARGEST_STEP = 0.5  # as on AWS


class RolledBack(Exception):  # noqa: N818 - what became of it, not a fault
    """The update is to be undone; str() is the reason."""


def in_background(service: Service, name: str, work: Callable[[], None], after: str) -> None:
    """Runs it in a thread. Whatever goes wrong becomes the endpoint's reason, with the status `after`."""

    def guarded() -> None:
        try:
            work()
        except Exception as error:
            LOG.exception("endpoint %s", name)
            _settle(service, name, after, f"The local platform failed at this: {error!r}. Its log tells more.")

    threading.Thread(target=guarded, name=f"deploy-{name}", daemon=True).start()


def deployment(service: Service, name: str, plan: Plan) -> Deployment:
    """The deployment of a plan; when one of its variants breaks while it serves, the endpoint fails."""

    def broken(reason: str) -> None:
        serving = endpoints(service).find(name)
        current = serving.current if serving else None
        serves = current is not None and current.plan["id"] == plan["id"]
        if serves and found(service, name)["EndpointStatus"] == "InService":
            _settle(service, name, "Failed", reason)

    return Deployment(service, name, plan, broken)


def create(service: Service, name: str, plan: Plan) -> None:
    """Creating -> InService, or Failed with the reason."""
    new = deployment(service, name, plan)
    try:
        new.prepare()
    except Exception as error:
        new.close(0)
        new.remove()
        if not isinstance(error, NotServed):
            raise
        _settle(service, name, "Failed", str(error))
        return
    endpoints(service).add(name, new)
    _settle(service, name, "InService", plan=plan)


def update(service: Service, name: str, plan: Plan, config: dict[str, Any]) -> None:
    """Updating -> InService with the new deployment; with the old one and the reason when the new one is no good."""
    serving = endpoints(service).find(name)
    if serving is None:
        raise RuntimeError(f"{name} is in service, but nothing serves it")
    new = deployment(service, name, plan)
    try:
        new.prepare()
        _shift(service, serving, new, config)
    except NotServed as error:
        _keep(service, name, serving, new, str(error))
    except RolledBack as error:
        _settle(service, name, "RollingBack", str(error))
        _keep(service, name, serving, new, str(error))
    except Exception as error:
        LOG.exception("the update of endpoint %s", name)
        _keep(service, name, serving, new, f"The local platform failed at this: {error!r}. Its log tells more.")
    else:
        old = serving.replace(new)
        _settle(service, name, "InService", plan=plan)
        if old is not None:
            old.close(DRAIN_S)
            old.remove()


def delete(service: Service, name: str) -> None:
    """Deleting -> gone."""
    old = endpoints(service).remove(name)
    if old is not None:
        old.close(DRAIN_S)
    shutil.rmtree(folder(service, name), ignore_errors=True)
    table = service.store.table(TABLE)
    record = table.get(name)
    table.delete(name)
    tags.forget(service, record["EndpointArn"])
    tell(service, record, "Deleted")


def steps(config: dict[str, Any], instances: int) -> list[float]:
    """Shares of the traffic that the new deployment gets, one after the other; the last is 1.

    Raises ValidationException.
    """
    if "RollingUpdatePolicy" in config:
        raise ValidationException(
            "RollingUpdatePolicy is not served by the local platform, only by AWS: use BlueGreenUpdatePolicy there."
        )
    routing = config.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE"})
    kind = routing["Type"]
    if kind == "ALL_AT_ONCE":
        return [1.0]
    member = "CanarySize" if kind == "CANARY" else "LinearStepSize"
    if member not in routing:
        raise ValidationException(f"{member} is needed in a TrafficRoutingConfiguration of type {kind}.")
    size = routing[member]["Value"] / (100 if routing[member]["Type"] == "CAPACITY_PERCENT" else instances)
    if size > LARGEST_STEP:
        raise ValidationException(f"{member} must not be more than {LARGEST_STEP:.0%} of the new capacity.")
    if kind == "CANARY":
        return [size, 1.0]
    return [min(1.0, size * i) for i in range(1, math.ceil(1 / size) + 1)]


def _shift(service: Service, serving: Serving, new: Deployment, config: dict[str, Any]) -> None:
    """Gives the traffic to the new deployment, by the steps of a DeploymentConfig. Raises RolledBack."""
    policy = config.get("BlueGreenUpdatePolicy", {})
    alarms = [alarm["AlarmName"] for alarm in config.get("AutoRollbackConfiguration", {}).get("Alarms", ())]
    end = time.monotonic() + policy.get("MaximumExecutionTimeoutInSeconds", LONGEST_S)
    interval = policy.get("TrafficRoutingConfiguration", {}).get("WaitIntervalInSeconds", 0)
    for share in steps(config, sum(variant.capacity for variant in new.variants.values())):
        serving.shift(new, share)
        _watch(service, new, alarms, interval, end)
    _watch(service, new, alarms, policy.get("TerminationWaitInSeconds", 0), end)


def _keep(service: Service, name: str, serving: Serving, new: Deployment, reason: str) -> None:
    """The old deployment serves on, and has the reason; the new one ends."""
    serving.shift(None, 0)
    new.close(DRAIN_S)
    new.remove()
    broken = serving.current is not None and any(variant.broken for variant in serving.current.variants.values())
    _settle(service, name, "Failed" if broken else "InService", reason)


def _settle(service: Service, name: str, status: str, reason: str = "", plan: Plan | None = None) -> None:
    """As settle; but while the platform ends nothing is settled: what was under way is so still at the next start."""
    if not endpoints(service).ending.is_set():
        settle(service, name, status, reason, plan)


def _watch(service: Service, new: Deployment, alarms: list[str], seconds: float, end: float) -> None:
    """Waits; raises RolledBack when an alarm is on, a new worker broke for good, or the whole takes too long."""
    until = time.monotonic() + seconds
    while True:
        broken = next((variant.broken for variant in new.variants.values() if variant.broken), "")
        if broken:
            raise RolledBack(broken)
        if alarms:
            known = service.client("cloudwatch").describe_alarms(AlarmNames=alarms)["MetricAlarms"]
            on = [alarm["AlarmName"] for alarm in known if alarm["StateValue"] == "ALARM"]
            if on:
                raise RolledBack(f"One or more configured alarm(s) have been breached during deployment: {on}.")
        now = time.monotonic()
        if now >= end:
            raise RolledBack("The deployment took longer than its MaximumExecutionTimeoutInSeconds.")
        if now >= until:
            return
        time.sleep(min(ALARMS_S, until - now))
