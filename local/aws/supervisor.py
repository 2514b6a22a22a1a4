"""Command on standard input -> that command run, ended with everything it started when the platform is gone.

Run as a script by `local.aws.containers`, without site packages so that it starts at once. Standard input is a
pipe that the platform holds: one line of JSON ({"command", "cwd", "memory", "cpus", "mark"}), then nothing; its end
means that the platform ended, however hard, and the program's whole process group is killed. SIGTERM goes on to the
program alone, as `docker stop` gives it to the first process. The exit code is the program's, 128 + the signal where
one ended it. What the supervisor has to say is a line of the program's output that begins with `mark`.
"""

import contextlib
import json
import os
import resource
import select
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NO_PROGRAM = 127  # what a shell says of a command that it cannot start
# Address space that may be reserved beyond the memory: stacks of threads and arenas of allocators are rarely used.
RESERVED = 4 << 30
WATCH_S = 0.5
PAGE = os.sysconf("SC_PAGE_SIZE")


def limit(memory: int, cpus: int) -> None:
    """Bounds this process: bytes of address space, number of processors; what a system does not offer is left out."""
    if memory:
        with contextlib.suppress(ValueError, OSError):  # macOS knows the limit and refuses it
            resource.setrlimit(resource.RLIMIT_AS, (memory + RESERVED, memory + RESERVED))
    if cpus and hasattr(os, "sched_setaffinity"):
        own = sorted(os.sched_getaffinity(0))
        first = os.getpid() % len(own)  # containers side by side are not all to have the same processor
        os.sched_setaffinity(0, (own[first:] + own[:first])[:cpus])


def resident(group: int) -> int:
    """Bytes of memory that the processes of a group hold; 0 where there is no /proc."""
    held = 0
    if not Path("/proc/self/statm").exists():
        return 0
    with os.scandir("/proc") as entries:  # often, and for each container: quicker than Path's
        processes = [int(entry.name) for entry in entries if entry.name.isdecimal()]
    for process in processes:
        with contextlib.suppress(OSError):  # it ended meanwhile
            if os.getpgid(process) == group:
                held += int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE
    return held


def start(spec: Mapping[str, Any]) -> int:
    """Process id of the program, which leads a process group of its own."""
    child = os.fork()
    if child:
        with contextlib.suppress(OSError):  # the child may be quicker, or gone
            os.setpgid(child, child)
        return child
    try:
        os.setpgid(0, 0)
        os.chdir(spec["cwd"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        limit(spec["memory"], spec["cpus"])
        os.execvpe(spec["command"][0], spec["command"], os.environ)  # noqa: S606 - no shell is wanted
    except OSError as error:
        say(spec, f"{spec['command'][0]} cannot be started: {error}")
    os._exit(NO_PROGRAM)


def say(spec: Mapping[str, Any], text: str) -> None:
    """A line for the platform, between the program's."""
    os.write(1, f"\n{spec['mark']}{text}\n".encode())


def main() -> int:
    """Exit code of the program."""
    # Unbuffered: select must see the end of the input, and nothing may be read ahead of it.
    with os.fdopen(0, "rb", buffering=0, closefd=False) as given:
        spec = json.loads(given.readline())
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = 0
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        if child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    child = start(spec)
    if stopping:  # it came before there was anybody to give it to
        stop()
    while True:
        ready, _, _ = select.select([0, woken], [], [], WATCH_S)
        if spec["memory"] and resident(child) > spec["memory"]:
            say(spec, f"OutOfMemory: more than {spec['memory'] >> 20} MiB were used.")
            os.killpg(child, signal.SIGKILL)
        if woken in ready:
            os.read(woken, 64)
        ended, status = os.waitpid(child, os.WNOHANG)
        if 0 in ready or ended:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child, signal.SIGKILL)  # and whatever it left running, as the end of a container does
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        if 0 in ready:
            os.waitpid(child, 0)
            return 128 + signal.SIGKILL


if __name__ == "__main__":
    sys.exit(main())
