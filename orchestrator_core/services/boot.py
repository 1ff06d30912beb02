"""Which boot of the machine this is: what ran before another one does not run any more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LINUX = Path("/proc/sys/kernel/random/boot_id")
MACOS = ("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid")
WAIT_S = 2.0


def boot_id() -> str:
    """Return what tells this boot from others; empty when the system does not say. The clock has no part in it."""
    try:
        if sys.platform == "darwin":
            return subprocess.run(MACOS, capture_output=True, text=True, timeout=WAIT_S, check=True).stdout.strip()
        return LINUX.read_text().strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def booted_at() -> float | None:
    """Return when the machine was started, seconds since the epoch by today's clock; None when nobody tells."""
    import psutil

    try:
        return psutil.boot_time() or None
    except (OSError, RuntimeError, psutil.Error):
        return None
