"""State of a platform that was ended -> the platform that starts in its directory; after a hard end, empty state.

MiniStack can save its services, but while functions and pollers still write, without the tables' streams, and without
telling whether all of it was written. Here everything comes to rest first, then all is saved, and a mark says so. The
mark goes when a platform starts: one that is killed leaves none, and the next begins anew.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import json
import logging
import shutil
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

MARK = "saved"
# What a platform keeps, below its directory: MiniStack's services, objects, our SageMaker and Personalize, unpacked
# archives, the stamps of what was deployed to it, and what the commands know of it.
KEPT = (
    "services", "s3", "sagemaker", "personalize", "archives", "bootstrapped", "deployed", "dropped.json",
    "senders.json", MARK,
)  # fmt: skip
# Of the tables' streams.
_STREAMS = {"stream_records": "_stream_records", "stream_trimmed": "_stream_trimmed"}

Services = dict[str, Callable[[], Any]]


def begin(state: Path) -> None:
    """Before MiniStack is imported: keeps the state that was saved to the end, removes any other."""
    mark = state / MARK
    saved = mark.read_text() if mark.exists() else None
    mark.unlink(missing_ok=True)
    if saved == _format():
        print("The platform goes on with the state that it was ended with.", flush=True)  # noqa: T201 - its log
        return
    if any((state / name).exists() for name in KEPT):
        why = "was not ended cleanly" if saved is None else "was of another version"
        print(f"The last platform in {state} {why}: this one begins with empty state.", flush=True)  # noqa: T201
        remove(state)


def remove(state: Path) -> None:
    """Removes what a platform keeps in its directory."""
    for name in KEPT:
        path = state / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def install(state: Path, rest: Callable[[], None]) -> None:
    """Have MiniStack save everything at its end, when `rest` has brought all that writes to rest."""
    from ministack import app as ministack_app  # noqa: PLC0415 - not before `begin`
    from ministack.services import dynamodb  # noqa: PLC0415

    get, load = dynamodb.get_state, dynamodb.load_persisted_state

    def state_with_streams() -> dict[str, Any]:
        return {**get(), **{name: getattr(dynamodb, held) for name, held in _STREAMS.items()}}

    def load_with_streams(data: dict[str, Any]) -> None:
        load(data)
        for name, held in _STREAMS.items():
            getattr(dynamodb, held).update(data.get(name, {}))

    dynamodb.get_state, dynamodb.load_persisted_state = state_with_streams, load_with_streams

    def saved(services: Services) -> None:
        rest()
        _save(services)
        (state / MARK).write_text(_format())

    ministack_app.save_all = saved


def _save(services: Services) -> None:
    """Writes the state of every service. Raises what keeps one from being written: then nothing counts as saved."""
    from ministack.core import persistence  # noqa: PLC0415

    began = time.monotonic()
    directory = Path(persistence.STATE_DIR)
    directory.mkdir(parents=True, exist_ok=True)
    for name, get in services.items():
        state = get()
        if state is not None:
            wrapped = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
            # Encoded at once: MiniStack's way, piece by piece into a file, takes several times as long.
            text = json.dumps(wrapped, default=persistence._json_default)
            (directory / f"{name}.json").write_text(text)
    log.info("state saved in %.1f s", time.monotonic() - began)


def _format() -> str:
    """What wrote the state, and so what can read it."""
    return f"1 ministack {metadata.version('ministack')}"
