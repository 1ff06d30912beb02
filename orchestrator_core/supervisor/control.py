"""Running, starting, stopping and asking after the supervisor of a state folder."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from orchestrator_core.config.paths import Paths
from orchestrator_core.errors import RefusedError, TimedOutError, TmorchError
from orchestrator_core.models.fleet import SupervisorHealth
from orchestrator_core.services.liveness import is_running
from orchestrator_core.services.service_unit import is_installed
from orchestrator_core.store import Store, open_store
from orchestrator_core.supervisor.lock import SupervisorLock, is_held, last_beat
from orchestrator_core.supervisor.spawn import LOG_NAME, ensure_running

if TYPE_CHECKING:
    from orchestrator_core.supervisor.loop import Supervisor

START_S = 15.0
STOP_S = 10.0
STEP_S = 0.05
OVERDUE_S = 60.0
"""How long after its time a check-in may be seen to."""
MOST_OVERDUE = 1000
"""More are not counted."""


log = logging.getLogger(__name__)


def run(paths: Paths, environ: Mapping[str, str] = os.environ, *, stays: bool = False) -> None:
    """Be the supervisor, in this process, until SIGTERM or SIGINT, or until there was nothing to do for long.

    One that `stays`, as a service does, does not end by itself, and takes over when another one ends.

    Raises:
        RefusedError: another process is the supervisor of this state folder, and this one does not stay.

    """
    from orchestrator_core.agents.catalogue import drivers
    from orchestrator_core.config.settings import load_settings
    from orchestrator_core.supervisor.bell import Bell
    from orchestrator_core.supervisor.logs import log_to
    from orchestrator_core.supervisor.loop import Supervisor

    paths.ensure()
    lock = SupervisorLock(paths.lock)
    if not lock.acquire():
        if stays:  # a service that ends here would not be there when the other one ends
            log_to(paths.logs / LOG_NAME, rotates=False)
            log.info("process %d waits: a supervisor runs already; it takes over when that ends", os.getpid())
            lock.wait()
        else:
            raise _already(paths)
    log_to(paths.logs / LOG_NAME)
    log.info("process %d is the supervisor of %s", os.getpid(), paths.state)
    for left in paths.scratch.iterdir():  # by a supervisor that was killed
        left.unlink(missing_ok=True)
    settings = load_settings(paths, environ)
    if stays:
        settings = replace(settings, supervisor=replace(settings.supervisor, idle_exit_min=0))
    store = open_store(paths.database)
    try:
        bell = Bell(paths.state)
        asyncio.run(_run_until_told(Supervisor(store, settings, drivers(settings), bell, paths, lock.beat)))
        log.info("process %d has stopped in order", os.getpid())
    finally:
        store.close()
        lock.release()


def _already(paths: Paths) -> RefusedError:
    return RefusedError(
        "a supervisor runs already",
        cause=f"it holds {paths.lock}",
        remedy="there is one per state folder; `tmorch supervisor status` tells about it",
        code="already-running",
    )


async def _run_until_told(supervisor: Supervisor) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)  # the terminal it was started from went away
    await supervisor.run()


def health(paths: Paths, store: Store, environ: Mapping[str, str] = os.environ) -> SupervisorHealth:
    """Return how the supervisor of this state folder is. Cheap: one look at the lock, one row, one index."""
    row, running, beat = store.health.read(), is_held(paths.lock), last_beat(paths.lock)
    began = row.heartbeat_at
    seen = None if began is None else max(began, beat or began)  # a file's time is coarser than the clock
    ended = seen if row.stopped_at is None else row.stopped_at
    return SupervisorHealth(
        running=running,
        pid=row.pid,
        heartbeat_at=seen,
        last_error=row.last_error,
        last_error_at=row.last_error_at,
        since=None if began is None else began if running else ended,
        overdue=len(store.check_ins.due(time.time() - OVERDUE_S, MOST_OVERDUE)),
        has_service=is_installed(environ),
    )


def start(paths: Paths, store: Store, environ: Mapping[str, str] = os.environ) -> SupervisorHealth:
    """Start the supervisor unless one runs, and wait for its first sign of life.

    Raises:
        TmorchError: it ended at once; the remedy names its log.

    """
    asked_at = time.time()
    if not ensure_running(paths, environ):
        return health(paths, store, environ)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        now = health(paths, store, environ)
        if now.running and now.heartbeat_at is not None and now.heartbeat_at >= asked_at:
            return now
        time.sleep(STEP_S)
    raise TmorchError(
        "the supervisor did not start",
        cause=f"no sign of life within {START_S:.0f} seconds",
        remedy=f"its log says more: {paths.logs / LOG_NAME}",
        code="supervisor-start",
    )


def stop(paths: Paths, store: Store) -> bool:
    """End the supervisor and wait until it is gone; return False when none ran. Agents go on.

    Raises:
        TimedOutError: it did not end in time.

    """
    if _verified_pid(paths, store) is None:
        return False
    told: set[int] = set()
    deadline = time.monotonic() + STOP_S
    while is_held(paths.lock) or _runs(store):
        row = store.health.read()
        if row.pid is not None and row.pid not in told and is_running(row.pid, row.pid_started):
            told.add(row.pid)  # of two that were started at once, the second takes over when the first one ends
            os.kill(row.pid, signal.SIGTERM)
        if time.monotonic() > deadline:
            raise TimedOutError(
                "the supervisor has not stopped",
                cause=f"process {row.pid} still runs after {STOP_S:.0f} seconds",
                remedy=f"look at {paths.logs / LOG_NAME}; `kill -9 {row.pid}` loses nothing: what it was typing is "
                "checked when it starts again",
            )
        time.sleep(STEP_S)
    return True


def _runs(store: Store) -> bool:
    row = store.health.read()
    return is_running(row.pid, row.pid_started)


def _verified_pid(paths: Paths, store: Store) -> int | None:
    """Return the supervisor's process id when it is surely that process and no stranger with its number."""
    if not is_held(paths.lock):
        return None
    row = store.health.read()
    return row.pid if is_running(row.pid, row.pid_started) else None
