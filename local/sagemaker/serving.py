"""Endpoint -> the deployment that answers for it now, and during an update the one that will; requests are never torn.

A request enters a variant under the same lock under which traffic is shifted. So once a deployment has no traffic,
those that are in it are all that ever will be, and it can be closed when they have left.
"""

import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from local.aws.errors import AwsError, ValidationException
from local.aws.service import Service
from local.sagemaker.variants import Throttled, Variant

LOG = logging.getLogger(__name__)

IDLE_S = 300.0  # without a request, until a variant's processes end. CUATRO_ENDPOINT_IDLE_S changes it
LOOK_S = 0.5


class Deployment:
    """Variants of one endpoint configuration. `plan` is as the endpoint's record holds it (see plans.py)."""

    def __init__(self, service: Service, endpoint: str, plan: Mapping[str, Any], failed: Callable[[str], None]) -> None:
        self.base = folder(service, endpoint) / plan["id"]
        self.plan = plan
        self.variants = {
            spec["VariantName"]: Variant(service, endpoint, spec, self.base / spec["VariantName"], failed)
            for spec in plan["variants"]
        }
        self._credit = dict.fromkeys(self.variants, 0.0)

    def prepare(self) -> None:
        """Models are here, and instances answer; serverless variants where the plan is `eager`. Raises NotServed."""
        for variant in self.variants.values():
            variant.prepare(start=variant.serverless is None or bool(self.plan.get("eager")))

    def chosen(self, name: str | None) -> Variant:
        """The variant of that name, or the next one by the weights. Raises ValidationException."""
        if name is not None:
            if name not in self.variants:
                raise ValidationException(
                    f"Variant {name} not found for Request. Should be one of {', '.join(self.variants)}"
                )
            return self.variants[name]
        total = sum(variant.weight for variant in self.variants.values())
        if total <= 0:
            raise ValidationException("No production variant has a weight above 0: name one with TargetVariant.")
        for each, variant in self.variants.items():
            self._credit[each] += variant.weight
        best = max(self._credit, key=self._credit.__getitem__)
        self._credit[best] -= total
        return self.variants[best]

    def close(self, drain_s: float) -> None:
        """Lets requests finish, then ends all workers; at the same time, where there are several variants."""
        threads = [threading.Thread(target=variant.close, args=(drain_s,)) for variant in self.variants.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def remove(self) -> None:
        """Deletes the models' files."""
        shutil.rmtree(self.base, ignore_errors=True)


class Serving:
    """What answers for one endpoint: `current`, and `coming` for its share of the requests."""

    def __init__(self, current: Deployment | None = None) -> None:
        self.current = current
        self._coming: Deployment | None = None
        self._share = 0.0
        self._credit = 0.0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def request(self, target: str | None) -> Iterator[tuple[Variant, Mapping[str, Any]]]:
        """The variant for one request and its deployment's plan. Raises ValidationException, ThrottlingException."""
        with self._lock:
            deployment = self._turn()
            if deployment is None:
                raise ValidationException("The endpoint is being deleted.")
            variant = deployment.chosen(target)
            try:
                variant.enter()
            except Throttled as error:
                raise AwsError("ThrottlingException", "Rate exceeded") from error
        try:
            yield variant, deployment.plan
        finally:
            variant.leave()

    def shift(self, coming: Deployment | None, share: float) -> None:
        """From now on this share (0..1) of the requests goes to `coming`."""
        with self._lock:
            self._coming, self._share, self._credit = coming, share, 0.0

    def replace(self, new: Deployment | None) -> Deployment | None:
        """From now on every request goes to `new`. The deployment that has no traffic any more."""
        with self._lock:
            old, self.current = self.current, new
            self._coming, self._share = None, 0.0
            return old

    def deployments(self) -> list[Deployment]:
        """Those that have traffic, or may get it."""
        return [deployment for deployment in (self.current, self._coming) if deployment is not None]

    def _turn(self) -> Deployment | None:
        if self._coming is None:
            return self.current
        self._credit += self._share
        if self._credit >= 1 - 1e-9:
            self._credit -= 1
            return self._coming
        return self.current


class Endpoints:
    """All endpoints of a platform that have a deployment; ends what is idle."""

    def __init__(self, _service: Service) -> None:
        self.ending = threading.Event()  # from then on, what goes wrong is the platform's end
        self._servings: dict[str, Serving] = {}
        self._lock = threading.Lock()
        self._idle_s = float(os.environ.get("CUATRO_ENDPOINT_IDLE_S", IDLE_S))
        threading.Thread(target=self._look, name="sagemaker-idle", daemon=True).start()

    def find(self, name: str) -> Serving | None:
        """What answers for the endpoint; None while it has no deployment."""
        return self._servings.get(name)

    def add(self, name: str, deployment: Deployment) -> None:
        """The endpoint answers from now on."""
        with self._lock:
            self._servings[name] = Serving(deployment)

    def remove(self, name: str) -> Deployment | None:
        """The endpoint answers no longer. Its last deployment, to be closed."""
        with self._lock:
            serving = self._servings.pop(name, None)
        return serving.replace(None) if serving else None

    def end(self) -> None:
        """Ends every worker now."""
        self.ending.set()
        found = [deployment for serving in self._servings.values() for deployment in serving.deployments()]
        threads = [threading.Thread(target=deployment.close, args=(0,), daemon=True) for deployment in found]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 4
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _look(self) -> None:
        while not self.ending.wait(LOOK_S):
            for serving in list(self._servings.values()):
                for deployment in serving.deployments():
                    for variant in deployment.variants.values():
                        try:
                            variant.rest(self._idle_s)
                        except Exception:  # the others are still looked at
                            LOG.exception("variant %s does not rest", variant.name)


def endpoints(service: Service) -> Endpoints:
    """The endpoints of this platform."""
    return service.part(Endpoints)


def folder(service: Service, endpoint: str) -> Path:
    """Where the endpoint's models are."""
    return service.state / "endpoints" / endpoint
