"""Answers of an endpoint with DataCaptureConfig -> JSON lines in S3, in SageMaker's format and below its prefixes.

s3://<destination>/<endpoint>/<variant>/yyyy/mm/dd/hh/mm-ss-<ms>-<id>.jsonl, written with the model's role every few
seconds by a thread. SageMaker promises no more than that most of it arrives; here it all does, unless S3 refuses it.
"""

import base64
import json
import logging
import threading
import uuid
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from local.aws import storage
from local.aws.servers import Reply
from local.aws.service import Input, Service
from local.sagemaker.variants import Variant

LOG = logging.getLogger(__name__)

WRITE_S = 2.0
_Place = tuple[str, str, str, str]  # role, destination, endpoint, variant


class Captures:
    """Collects lines and writes them. Used from many threads."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._credit: defaultdict[_Place, float] = defaultdict(float)
        self._lines: defaultdict[_Place, list[str]] = defaultdict(list)
        self._ending = threading.Event()
        self._writer = threading.Thread(target=self._run, name="sagemaker-capture", daemon=True)
        self._writer.start()

    def take(self, endpoint: str, variant: Variant, config: dict[str, Any], given: Input, reply: Reply) -> None:
        """One invocation; kept when it is its turn by the sampling percentage."""
        if not config.get("EnableCapture", True):
            return
        place = (variant.model.get("ExecutionRoleArn", ""), config["DestinationS3Uri"], endpoint, variant.name)
        with self._lock:
            self._credit[place] += config["InitialSamplingPercentage"] / 100
            if self._credit[place] < 1 - 1e-9:
                return
            self._credit[place] -= 1
        text = line(config, given, reply, datetime.now(UTC))
        with self._lock:
            self._lines[place].append(text)

    def end(self) -> None:
        """Writes what is left."""
        self._ending.set()
        self._writer.join(timeout=3)

    def _run(self) -> None:
        ended = False
        while not ended:
            ended = self._ending.wait(WRITE_S)
            with self._lock:
                taken, self._lines = self._lines, defaultdict(list)
            for place, lines in taken.items():
                try:
                    self._write(place, lines)
                except Exception:  # the others are still written
                    LOG.exception("%d captured invocations of %s were not written", len(lines), place[2])

    def _write(self, place: _Place, lines: list[str]) -> None:
        role, destination, endpoint, variant = place
        now = datetime.now(UTC)
        name = f"{now:%Y/%m/%d/%H/%M-%S}-{now.microsecond // 1000:03}-{uuid.uuid4()}.jsonl"
        bucket, key = storage.split(storage.join(destination, endpoint, variant, name))
        s3 = storage.client(self._service, role) if role else self._service.client("s3")
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body="".join(f"{text}\n" for text in lines).encode(),
            ContentType="application/jsonl",
        )


def line(config: dict[str, Any], given: Input, reply: Reply, at: datetime) -> str:
    """One invocation as SageMaker writes it."""
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    captured = {}
    if modes & {"Input", "InputAndOutput"}:
        captured["endpointInput"] = _side(config, "INPUT", given.get("ContentType"), given.get("Body", b""))
    if modes & {"Output", "InputAndOutput"}:
        captured["endpointOutput"] = _side(config, "OUTPUT", reply.headers.get("content-type"), reply.body)
    metadata: dict[str, Any] = {"eventId": str(uuid.uuid4()), "inferenceTime": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
    if "CustomAttributes" in given:
        metadata["customAttributes"] = [given["CustomAttributes"]]
    if "InferenceId" in given:
        metadata["inferenceId"] = given["InferenceId"]
    return json.dumps({"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"})


def _side(config: dict[str, Any], mode: str, content_type: str | None, body: bytes) -> dict[str, Any]:
    """Request or answer: as text where its content type is listed for CSV or JSON, else in base64."""
    listed = config.get("CaptureContentTypeHeader", {})
    plain = (content_type or "").partition(";")[0].strip().lower()
    encoding = "BASE64"
    for name, member in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes")):
        if plain in {known.lower() for known in listed.get(member, ())}:
            encoding = name
    data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode(errors="replace")
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


def captures(service: Service) -> Captures:
    """Those of this platform."""
    return service.part(Captures)
