"""The composition root: from the environment to the facade. The only place that knows all the parts."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import weakref
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
    paths = Paths.from_env(environ)
    settings = load_settings(paths, environ)
    paths.ensure()
    return FrontEnd(orchestrator=_facade(environ, paths, settings, paths.database), settings=settings, paths=paths)


def build(environ: Mapping[str, str] = os.environ) -> Orchestrator:
    """Return the facade alone."""
    return front_end(environ).orchestrator


def onlooker(environ: Mapping[str, str] = os.environ) -> Orchestrator:
    """Return a facade that reads what is stored now from a copy; only its readings are of any use.

    Even reading a database with a write-ahead log writes beside it.

    Raises:
        SettingsError: the settings cannot be used.
        StoreError: the database cannot be used.

    """
    from orchestrator_core.store.copying import copy_database

    paths = Paths.from_env(environ)
    folder = Path(tempfile.mkdtemp(prefix="tmorch-"))
    try:
        settings = load_settings(paths, environ)
        orchestrator = _facade(environ, paths, settings, copy_database(paths.database, folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(orchestrator, shutil.rmtree, folder, ignore_errors=True)
    return orchestrator


def _facade(environ: Mapping[str, str], paths: Paths, settings: Settings, database: Path) -> Orchestrator:
    from orchestrator_core.agents.catalogue import drivers
    from orchestrator_core.store import open_store
    from orchestrator_core.tmux.address import ServerAddress

    return Orchestrator(
        open_store(database),
        paths,
        settings,
        drivers=drivers(settings),
        address=ServerAddress.from_settings(settings.tmux.socket, settings.tmux.bin, environ),
        environ=environ,
        tmorch_argv=tmorch_argv(),
    )


def tmorch_argv() -> tuple[str, ...]:
    """Return how to run this very tmorch from anywhere: the command beside our Python, else the module."""
    beside = Path(sys.executable).with_name("tmorch")
    if beside.exists():
        return (str(beside),)
    found = shutil.which("tmorch")
    return (found,) if found else (sys.executable, "-m", "orchestrator_core.cli.main")
