"""A processing job's work -> its exit status, and in output/message why it failed: its ExitMessage."""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models.container import paths

log = logging.getLogger(__name__)

MESSAGE_CHARACTERS = 1024


def run(work: Callable[[], None]) -> int:
    """Logs go to standard output. What is wrong with the input (ValueError, OSError) is told without a traceback."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    try:
        work()
    except (ValueError, OSError) as error:
        log.error("%s", error)  # noqa: TRY400 - a person reads what to do, not where it was found
        _tell(str(error))
        return 1
    except Exception as error:
        log.exception("failed")
        _tell(f"{type(error).__name__}: {error}")
        return 1
    return 0


def write(path: Path, told: Mapping[str, Any]) -> None:
    """A JSON file that other steps read; its directory is made.

    Raises ValueError for "not a number", which JSON does not know: no gate is left to compare with one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _tell(why: str) -> None:
    message = paths.directory() / "output" / "message"
    message.parent.mkdir(parents=True, exist_ok=True)
    message.write_text(why[:MESSAGE_CHARACTERS], encoding="utf-8")
