"""Running, starting, stopping and asking after the supervisor of a state folder."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from orchestrator_core.config.paths import Paths
from orchestrator_core.errors import RefusedError, TimedOutError, TmorchError
from orchestrator_core.models.fleet import SupervisorHealth
from orchestrator_core.services.liveness import is_running
from orchestrator_core.store import Store, open_store
from orchestrator_core.supervisor.lock import SupervisorLock, is_held, last_beat
from orchestrator_core.supervisor.spawn import LOG_NAME, ensure_running

if TYPE_CHECKING:
    from orchestrator_core.supervisor.loop import Supervisor

START_S = 15.0
STOP_S = 10.0
STEP_S = 0.05


def run(paths: Paths, environ: Mapping[str, str] = os.environ) -> None:
    """Be the supervisor, in this process, until SIGTERM or SIGINT.

    Raises:
        RefusedError: another process is the supervisor of this state folder.

    """
    from orchestrator_core.agents.catalogue import drivers
    from orchestrator_core.config.settings import load_settings
    from orchestrator_core.supervisor.bell import Bell
    from orchestrator_core.supervisor.loop import Supervisor

    paths.ensure()
    lock = SupervisorLock(paths.lock)
    if not lock.acquire():
        raise RefusedError(
            "a supervisor runs already",
            cause=f"it holds {paths.lock}",
            remedy="there is one per state folder; `tmorch supervisor status` tells about it",
            code="already-running",
        )
    for left in paths.scratch.iterdir():  # by a supervisor that was killed
        left.unlink(missing_ok=True)
    settings = load_settings(paths, environ)
    store = open_store(paths.database)
    try:
        bell = Bell(paths.state)
        asyncio.run(_run_until_told(Supervisor(store, settings, drivers(settings), bell, paths, lock.beat)))
    finally:
        store.close()
        lock.release()


async def _run_until_told(supervisor: Supervisor) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)  # the terminal it was started from went away
    await supervisor.run()


def health(paths: Paths, store: Store) -> SupervisorHealth:
    """Return how the supervisor of this state folder is. Cheap: one look at the lock, one row."""
    row = store.health.read()
    return SupervisorHealth(
        running=is_held(paths.lock),
        pid=row.pid,
        heartbeat_at=last_beat(paths.lock) if row.heartbeat_at is not None else None,
        last_error=row.last_error,
        last_error_at=row.last_error_at,
    )


def start(paths: Paths, store: Store, environ: Mapping[str, str] = os.environ) -> SupervisorHealth:
    """Start the supervisor unless one runs, and wait for its first sign of life.

    Raises:
        TmorchError: it ended at once; the remedy names its log.

    """
    asked_at = time.time()
    if not ensure_running(paths, environ):
        return health(paths, store)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        now = health(paths, store)
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
