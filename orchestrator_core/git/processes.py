"""Which programs run inside a folder."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

STEP_S = 0.05


def live_in(folder: Path) -> tuple[str, ...]:
    """Return the programs whose current folder is `folder` or below it, as `name (pid)`; not this one.

    Programs of other users are not seen unless the system shows them to us.
    """
    import psutil

    real = os.path.realpath(folder)
    return tuple(
        f"{process.info['name']} ({process.pid})"
        for process in psutil.process_iter(["name", "cwd"])
        if process.pid != os.getpid()
        and (cwd := process.info["cwd"])
        and (cwd == real or cwd.startswith(f"{real}{os.sep}"))
    )


async def live_after(folder: Path, grace_s: float) -> tuple[str, ...]:
    """Return the programs in `folder` that are still there after `grace_s` seconds: some are just ending."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace_s
    while True:
        found = await asyncio.to_thread(live_in, folder)
        if not found or loop.time() > deadline:
            return found
        await asyncio.sleep(STEP_S)


def mounts_in(folder: Path) -> tuple[str, ...]:
    """Return where other file systems are mounted at or below `folder`."""
    import psutil

    inside = f"{folder}{os.sep}"
    return tuple(
        sorted(
            {
                part.mountpoint
                for part in psutil.disk_partitions(all=True)
                if part.mountpoint == str(folder) or part.mountpoint.startswith(inside)
            }
        )
    )
