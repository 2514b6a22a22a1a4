"""What every invocation took and how it ended -> CloudWatch metrics of AWS/SageMaker, as SageMaker publishes them.

Sent once a second by a thread, so that an invocation does not wait for it.
"""

import logging
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from local.aws.service import Service

LOG = logging.getLogger(__name__)

NAMESPACE = "AWS/SageMaker"
SEND_S = 1.0
VALUES = 150  # of one metric in a call
DATA = 500

_Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Ended:
    """How an invocation ended: the container's HTTP status, seconds in the container and around it."""

    status: int
    model_s: float
    overhead_s: float


class InvocationMetrics:
    """Collects and sends. Used from many threads."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._values: defaultdict[_Key, Counter[float]] = defaultdict(Counter)
        self._ending = threading.Event()
        self._sender = threading.Thread(target=self._run, name="sagemaker-metrics", daemon=True)
        self._sender.start()

    def add(self, endpoint: str, variant: str, instances: int, ended: Ended) -> None:
        """One invocation of a variant that has so many instances."""
        told = (
            ("Invocations", "None", 1.0),
            ("InvocationsPerInstance", "None", 1 / max(1, instances)),
            ("Invocation4XXErrors", "None", float(400 <= ended.status < 500)),
            ("Invocation5XXErrors", "None", float(ended.status >= 500)),
            ("ModelLatency", "Microseconds", round(1e6 * ended.model_s)),
            ("OverheadLatency", "Microseconds", round(1e6 * ended.overhead_s)),
        )
        with self._lock:
            for name, unit, value in told:
                self._values[endpoint, variant, name, unit][value] += 1

    def end(self) -> None:
        """Sends what is left."""
        self._ending.set()
        self._sender.join(timeout=3)

    def _run(self) -> None:
        ended = False
        while not ended:
            ended = self._ending.wait(SEND_S)
            with self._lock:
                values, self._values = self._values, defaultdict(Counter)
            data = [datum for key, counted in values.items() for datum in _data(key, counted)]
            for first in range(0, len(data), DATA):
                try:
                    client = self._service.client("cloudwatch")
                    client.put_metric_data(Namespace=NAMESPACE, MetricData=data[first : first + DATA])
                except Exception:  # the next ones are still sent
                    LOG.exception("metrics of invocations were not sent")


def _data(key: _Key, counted: Counter[float]) -> list[dict[str, Any]]:
    endpoint, variant, name, unit = key
    pairs = list(counted.items())
    return [
        {
            "MetricName": name,
            "Dimensions": [
                {"Name": "EndpointName", "Value": endpoint},
                {"Name": "VariantName", "Value": variant},
            ],
            "Unit": unit,
            "Values": [value for value, _ in pairs[first : first + VALUES]],
            "Counts": [float(count) for _, count in pairs[first : first + VALUES]],
        }
        for first in range(0, len(pairs), VALUES)
    ]


def invocation_metrics(service: Service) -> InvocationMetrics:
    """Those of this platform."""
    return service.part(InvocationMetrics)
