"""A decoder and a buffer -> the buffer filled by a process of its own: a codec that crashes or swells ends there.

Codecs are C and C++ and get bytes from outside. A forked process costs some milliseconds, and the pages it changes.
"""

import os
import resource
import select
import signal
import sys
import warnings
from collections.abc import Callable
from mmap import mmap
from pathlib import Path

SECONDS = 45
"""Of CPU. A drawn film of 64 million pixels took 2.8 in JPEG 2000 and 1.5 in JPEG-LS; noise takes longer."""
SPARE_BYTES = 1 << 30
"""What a codec may take beyond what this process has."""


class Ended(Exception):  # noqa: N818
    """The process did not end well: an error, a crash, no more time or memory. Says nothing of the data."""


def filled(size: int, work: Callable[[memoryview], None], *, seconds: int = SECONDS, spare: int = SPARE_BYTES) -> mmap:
    """`size` bytes that `work` has written, in a process forked from this one. Raises Ended.

    seconds: of CPU, and twice that on the clock. spare: bytes of memory.
    """
    shared = mmap(-1, size)
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python warns of other threads, whose locks the child could find held: it runs a codec and ends.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(reading)
        _run(shared, work, seconds, spare)
    os.close(writing)
    try:
        # The pipe's other end closes when the child is gone, however it went.
        ended, _, _ = select.select([reading], [], [], 2 * seconds)
        if not ended:
            os.kill(child, signal.SIGKILL)
    finally:
        os.close(reading)
        _, status = os.waitpid(child, 0)
    if status:
        shared.close()
        raise Ended("out of time" if not ended else f"status {status}")
    return shared


def _run(shared: mmap, work: Callable[[memoryview], None], seconds: int, spare: int) -> None:
    """In the child; never returns."""
    status = 1
    try:
        _limit(seconds, spare)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)  # codecs print, and what they print is of the data
        with memoryview(shared) as view:
            work(view)
        status = 0
    except BaseException:  # noqa: BLE001, S110 - nothing may leave the child but its status
        pass
    finally:
        os._exit(status)


def _limit(seconds: int, spare: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        allowed = pages * resource.getpagesize() + spare
        resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
