"""Lines of a training -> the metrics that MetricDefinitions find in them: the last value of each, and in CloudWatch."""

import contextlib
import math
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.aws.service import Service

NAMESPACE = "/aws/sagemaker/TrainingJobs"
BATCH = 500  # metrics of one PutMetricData call


class Metrics:
    """What was found so far. `line` is called from one thread; the rest when that has ended."""

    def __init__(self, service: "Service", job: str, definitions: Iterable[dict[str, str]]) -> None:
        self._service = service
        self._job = job
        self._patterns = [(definition["Name"], re.compile(definition["Regex"])) for definition in definitions]
        self._found: list[tuple[str, float, float]] = []

    def line(self, text: str) -> None:
        """Takes the first group of each definition that matches; what is no number is none."""
        for name, pattern in self._patterns:
            for match in pattern.finditer(text):
                with contextlib.suppress(ValueError, IndexError, TypeError):
                    value = float(match[1])
                    if math.isfinite(value):
                        self._found.append((name, value, time.time()))

    def final(self) -> list[dict[str, Any]]:
        """FinalMetricDataList: the last value of each metric."""
        last = {name: (value, at) for name, value, at in self._found}
        return [{"MetricName": name, "Value": value, "Timestamp": at} for name, (value, at) in last.items()]

    def publish(self) -> None:
        """Every value -> CloudWatch, as SageMaker's agent does."""
        client = self._service.client("cloudwatch")
        dimensions = [{"Name": "TrainingJobName", "Value": self._job}]
        data = [
            {"MetricName": name, "Value": value, "Timestamp": at, "Dimensions": dimensions}
            for name, value, at in self._found
        ]
        for begin in range(0, len(data), BATCH):
            client.put_metric_data(Namespace=NAMESPACE, MetricData=data[begin : begin + BATCH])
