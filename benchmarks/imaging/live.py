"""Running local platform -> images a minute from STOW-RS until they are read, or wait for a person to say so."""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from functions.imaging.policy import policy
from local.demo.imaging.patients import Patient, radiograph
from local.demo.imaging.phantoms import phantom
from local.feed.senders import token_of
from local.feed.studies import SenderApi
from local.platform.client import Connection

STACK, SENDER = "CuatroImaging", "benchmark"
WARM, SUSTAINED, SINGLE = 2, 20, 5
SIDE = 1024
PATIENCE_S, POLL_S = 600, 0.25
# A study that waits for a person has been read by the model; what was rejected would not be worth measuring.
_READ, _LOST = {"review", "read"}, {"rejected", "failed", "expired"}

Tell = Callable[[str], None]


def measure(connection: Connection, state: Path, tell: Tell) -> dict[str, Any]:
    """Figures. state: the platform's directory. Raises PlatformError, TimeoutError."""
    outputs = connection.outputs(STACK)
    url, authority = connection.secure_api_url(outputs["ApiUrl"])
    api = SenderApi(url, authority, SENDER, token_of(connection, SENDER, state))
    studies = Studies(connection, outputs["StudiesTable"], api)
    tell("warming with studies")
    studies.read(WARM)
    tell("studies")
    sustained, reviewed = studies.read(SUSTAINED)
    deployed = connection.client("lambda").get_function_configuration(FunctionName=outputs["BeginFunction"])
    quiet = policy(deployed["Environment"]["Variables"]["POLICY"]).quiet_s
    single = [studies.read(1)[0] - quiet for _ in range(SINGLE)]
    return {
        "images": SUSTAINED, "studies": SUSTAINED, "reviewed": reviewed, "minute": 60 * SUSTAINED / sustained,
        "seconds": statistics.median(single),
    }  # fmt: skip


class Studies:
    """Studies of one image each, all of other patients."""

    def __init__(self, connection: Connection, table: str, api: SenderApi) -> None:
        self._dynamodb, self._table, self._api = connection.client("dynamodb"), table, api
        self._fresh = _files(f"{time.time():.0f}")
        self._known: set[str] = set()
        self._known = set(self._states())

    def read(self, number: int) -> tuple[float, int]:
        """Seconds from the first request until the last of them is read; how many wait for a person."""
        files = [next(self._fresh) for _ in range(number)]
        begin = time.monotonic()
        for content in files:
            refused = self._api.store([("image", content)]).refused
            if refused:
                raise RuntimeError(f"the API refused an image: {refused[0][1]}")
        while True:
            states = self._states()
            lost = [state for state in states.values() if state in _LOST]
            if lost:
                raise RuntimeError(f"a study is {lost[0]}")
            if len(states) == number and set(states.values()) <= _READ:
                self._known |= set(states)
                return time.monotonic() - begin, sum(state == "review" for state in states.values())
            if time.monotonic() - begin > PATIENCE_S:
                raise TimeoutError(f"{number} studies are not read after {PATIENCE_S} s.")
            time.sleep(POLL_S)

    def _states(self) -> dict[str, str]:
        """Of the studies that are new."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
        found = {item["study"]["S"]: item["s"]["S"] for page in pages for item in page["Items"]}
        return {study: state for study, state in found.items() if study not in self._known}


def _files(run: str) -> Iterator[bytes]:
    """Of new patients, in turn of a few phantoms: to draw one takes longer than to send it."""
    pictures = [phantom(seed, "pneumonia" if seed % 2 else "normal", (SIDE, SIDE)) for seed in range(4)]
    number, taken = 0, datetime.now(UTC) - timedelta(hours=1)
    while True:
        number += 1
        made = radiograph(pictures[number % len(pictures)], Patient(number, 5, run=run), taken)
        file = BytesIO()
        made.save_as(file, enforce_file_format=True)
        yield file.getvalue()
