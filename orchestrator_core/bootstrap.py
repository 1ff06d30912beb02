"""The composition root: from the environment to the facade. The only place that knows all the parts."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings, load_settings
from orchestrator_core.orchestrator import Orchestrator


class FrontEnd(Struct, frozen=True, kw_only=True):
    """What a front end holds."""

    orchestrator: Orchestrator
    settings: Settings
    paths: Paths


def front_end(environ: Mapping[str, str] = os.environ) -> FrontEnd:
    """Open the state folder that `environ` names and put the parts together.

    Raises:
        SettingsError: the settings cannot be used.
        StoreError: the database cannot be used.

    """
    from orchestrator_core.agents.catalogue import drivers
    from orchestrator_core.store import open_store
    from orchestrator_core.tmux.address import ServerAddress

    paths = Paths.from_env(environ)
    settings = load_settings(paths, environ)
    paths.ensure()
    orchestrator = Orchestrator(
        open_store(paths.database),
        paths,
        settings,
        drivers=drivers(settings),
        address=ServerAddress.from_settings(settings.tmux.socket, settings.tmux.bin, environ),
        environ=environ,
        tmorch_argv=tmorch_argv(),
    )
    return FrontEnd(orchestrator=orchestrator, settings=settings, paths=paths)


def build(environ: Mapping[str, str] = os.environ) -> Orchestrator:
    """Return the facade alone."""
    return front_end(environ).orchestrator


def tmorch_argv() -> tuple[str, ...]:
    """Return how to run this very tmorch from anywhere: the command beside our Python, else the module."""
    beside = Path(sys.executable).with_name("tmorch")
    if beside.exists():
        return (str(beside),)
    found = shutil.which("tmorch")
    return (found,) if found else (sys.executable, "-m", "orchestrator_core.cli.main")
