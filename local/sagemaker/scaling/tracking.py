"""Invocations of the last minute -> instances of a variant: target tracking, within the target's limits.

AWS looks at one-minute alarms, which takes minutes; here the loop looks every few seconds at the same figure.
"""

import logging
import math
import threading
import time
from typing import Any

from local.aws.errors import AwsError
from local.aws.service import Service
from local.aws.store import Record
from local.sagemaker import endpoints
from local.sagemaker.target_tracking import instances

LOG = logging.getLogger(__name__)
EVERY_S = 2.0
COOLDOWN_S = 300.0
CONFIGURATION = "TargetTrackingScalingPolicyConfiguration"


def keep_to_limits(service: Service, target: Record) -> None:
    """Brings a variant within its target's limits, and has the loop look after its policies."""
    _name, endpoint, _kind, variant = target["ResourceId"].split("/")
    try:
        current = endpoints.desired(service, endpoint, variant)
        count = min(max(current, target["MinCapacity"]), target["MaxCapacity"])
        if count != current:
            endpoints.scale(service, endpoint, variant, count)
    except AwsError as error:  # the endpoint is changing just now: the loop tries again
        LOG.info("%s is not scaled yet: %s", target["ResourceId"], error)
    service.part(Loop)


def recover(service: Service) -> None:
    """Starts the loop if there is something to scale."""
    if service.store.table("scalable-target").all():
        service.part(Loop)


def end(service: Service) -> None:
    """Ends the loop."""
    loop = service.made(Loop)
    if loop:
        loop.end()


class Loop:
    """Thread that scales; one a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._ending = threading.Event()
        self._changed: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="sagemaker-scaling", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ends it."""
        self._ending.set()
        self._thread.join(timeout=EVERY_S)

    def _run(self) -> None:
        while not self._ending.wait(EVERY_S):
            targets = {record["ResourceId"]: record for record in self._service.store.table("scalable-target").all()}
            for policy in self._service.store.table("scaling-policy").all():
                try:
                    if policy["ResourceId"] in targets:  # else it was removed between the two looks
                        self._track(targets[policy["ResourceId"]], policy[CONFIGURATION])
                except AwsError as error:  # the endpoint is gone, or changing just now
                    LOG.debug("%s is not scaled: %s", policy["ResourceId"], error)
                except Exception:  # the other variants are still scaled
                    LOG.exception("%s is not scaled", policy["ResourceId"])

    def _track(self, target: Record, configuration: dict[str, Any]) -> None:
        resource = target["ResourceId"]
        _name, endpoint, _kind, variant = resource.split("/")
        current = endpoints.desired(self._service, endpoint, variant)
        load = endpoints.invocations(self._service, endpoint, variant)
        count = instances(load, current, (target["MinCapacity"], target["MaxCapacity"]), configuration)
        if count == current:
            return
        way = "Out" if count > current else "In"
        cooldown = configuration.get(f"Scale{way}Cooldown", COOLDOWN_S)
        suspended = target["SuspendedState"][f"DynamicScaling{way}Suspended"]
        if suspended or time.monotonic() - self._changed.get(resource, -math.inf) < cooldown:
            return
        LOG.info("%s: %.0f invocations a minute, %d -> %d instances", resource, load, current, count)
        endpoints.scale(self._service, endpoint, variant, count)
        self._changed[resource] = time.monotonic()
