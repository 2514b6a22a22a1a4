"""Function's version -> its warm processes: one pool for each version and revision, which ends when nobody uses it.

MiniStack ends a function's processes at once when the function changes, in the middle of their work, and keeps one
process of every version for good. On AWS a running invocation ends as it began, and what nobody calls goes away.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.concurrency import spawn_background
from ministack.services import lambda_svc

from local.emulator import aliases

log = logging.getLogger(__name__)

Worker = Any
# Processes that left their pool while they worked; they end with their invocation.
_leaving: set[Worker] = set()
_started = threading.Event()


def install() -> None:
    """Take the place of MiniStack's ways to end a function's processes."""
    lambda_runtime.invalidate_worker = lambda_svc.invalidate_worker = invalidate
    lambda_svc._ensure_reaper_thread = _start


def lease(config: dict[str, Any], code: bytes) -> Worker:
    """A free process of this version and revision, a new one if there is none."""
    # A revision of its own: a process of the code or settings of before is never taken again.
    qualifier = f"{config.get('Version', '$LATEST')}@{config.get('RevisionId', '')}"
    worker, _ = lambda_runtime.acquire_worker(config["FunctionName"], dict(config), code, qualifier=qualifier)
    return worker


def give_back(worker: Worker) -> None:
    """The invocation has ended: the process is free again, or ends if its function has changed meanwhile."""
    with lambda_runtime._lock:
        worker.in_use = False
        worker.last_used = time.time()
        leaving = worker in _leaving
        _leaving.discard(worker)
    if leaving:
        lambda_runtime.kill_workers([worker])


def invalidate(name: str, qualifier: str | None = None, account: str | None = None, region: str | None = None) -> None:
    """Processes of this function (or of one version) take no further call; those that work end their work first."""

    def concerned(key: str) -> bool:
        its_account, its_region, its_name, revision = key.split(":", 3)
        return (
            its_name == name
            and qualifier in (None, revision.partition("@")[0])
            and account in (None, its_account)
            and region in (None, its_region)
        )

    _end(lambda key, _: concerned(key))


def end_unused(ttl_s: float | None = None) -> None:
    """Ends processes that were idle for `ttl_s`: of a version in use one stays warm."""
    ttl = lambda_runtime._LOCAL_WORKER_TTL if ttl_s is None else ttl_s
    now = time.time()
    kept = {f"{key}@" for key in _in_use()}
    spared: set[str] = set()

    def unused(key: str, worker: Worker) -> bool:
        if worker.in_use or now - worker.last_used < ttl:
            return False
        if key in spared or not any(key.startswith(prefix) for prefix in kept):
            return True
        spared.add(key)
        return False

    _end(unused)


def _in_use() -> set[str]:
    """account:region:name:version of what an alias or an event source calls, and of every function as it is now."""
    found = set()
    for (account, region, name), function in list(lambda_svc._functions._data.items()):
        for version in {"$LATEST", *aliases.versions_in_use(function)}:
            found.add(f"{account}:{region}:{name}:{version}")
    for account, region, mapping in lambda_svc._iter_all_esms():
        found.add(f"{account}:{region}:{mapping['FunctionName']}:{mapping.get('Qualifier') or '$LATEST'}")
    return found


def _end(wanted: Callable[[str, Worker], bool]) -> None:
    """Takes workers out of their pools and ends those that do nothing."""
    idle = []
    with lambda_runtime._lock:
        for key, workers in list(lambda_runtime._workers.items()):
            stay = []
            for worker in workers:
                if not wanted(key, worker):
                    stay.append(worker)
                elif worker.in_use:
                    _leaving.add(worker)
                else:
                    idle.append(worker)
            if stay:
                lambda_runtime._workers[key] = stay
            else:
                del lambda_runtime._workers[key]
    # Outside the lock, and in a thread: an end takes as long as the slowest process, and a request waits for neither.
    if idle:
        spawn_background(lambda_runtime.kill_workers, idle, thread_name="functions-end")


def _start() -> None:
    if _started.is_set():
        return
    _started.set()
    threading.Thread(target=_sweep, daemon=True, name="functions-unused").start()


def _sweep() -> None:
    while True:
        time.sleep(max(0.5, lambda_runtime._LOCAL_WORKER_TTL / 4))
        try:
            end_unused()
        except Exception:  # the next turn comes, and the log tells
            log.exception("processes of unused versions were not ended")
