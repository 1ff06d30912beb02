"""The kinds of agents there are: our own and those of the person's settings."""

from __future__ import annotations

from orchestrator_core.agents.claude.driver import ClaudeDriver
from orchestrator_core.agents.command import CommandDriver
from orchestrator_core.agents.demo.driver import DemoDriver
from orchestrator_core.agents.driver import Driver
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import NotFoundError


def drivers(settings: Settings) -> dict[str, Driver]:
    """Return every driver by its name, our own first.

    Raises:
        SettingsError: a driver of the settings cannot be used.

    """
    found: dict[str, Driver] = {
        ClaudeDriver.name: ClaudeDriver(settings.claude),
        DemoDriver.name: DemoDriver(settings.demo),
    }
    for name, own in settings.drivers.items():
        found[name] = CommandDriver(name, own)
    return found


def driver(settings: Settings, name: str) -> Driver:
    """Return the driver called `name`.

    Raises:
        NotFoundError: there is none; the candidates are those there are.
        SettingsError: a driver of the settings cannot be used.

    """
    found = drivers(settings)
    if name not in found:
        raise NotFoundError(
            f"there is no kind of agent called {name!r}",
            cause="the kinds are: " + ", ".join(found),
            remedy=f"name one of them, or describe {name!r} under [drivers.{name}] in the settings",
            candidates=tuple(found),
        )
    return found[name]
