"""What the person sets for the agent of one role: checked, and left away where it is the default. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from orchestrator_core.errors import UsageError
from orchestrator_core.models.launch import StartRequest
from orchestrator_core.models.team import Role, RoleChoice, Tuning
from orchestrator_core.team.catalogue import Catalogue
from orchestrator_core.team.compose import key_of

if TYPE_CHECKING:
    from orchestrator_core.agents.driver import Driver

SHORTEST_MIN, LONGEST_MIN = 1, 10080
BYPASS = "bypassPermissions"
"""The permission mode in which an agent asks for nothing."""
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]{0,199}")


def tunings(request: StartRequest, driver: Driver, catalogue: Catalogue) -> dict[str, Tuning]:
    """Return what a request sets for roles, by their keys, without what is so anyway.

    Raises:
        UsageError: a role, interval, model or permission mode is not one.

    """
    found = {}
    for name, tuning in request.tuning.items():
        role = catalogue.roles[key_of(name, catalogue)]
        found[role.key] = _checked(role, tuning, driver)
    return {key: tuning for key, tuning in found.items() if tuning != Tuning()}


def tuned(choice: RoleChoice, tuning: Tuning, driver: Driver) -> RoleChoice:
    """Return how the agent of a role in the team is started."""
    return replace(
        choice,
        check_in_min=tuning.check_in_min,
        model=tuning.model or _usual_model(choice.role, driver),
        permission_mode=tuning.permission_mode or driver.permission_mode,
    )


def _checked(role: Role, tuning: Tuning, driver: Driver) -> Tuning:
    interval, model, mode = tuning.check_in_min, tuning.model.strip(), tuning.permission_mode.strip()
    if interval is not None and not SHORTEST_MIN <= interval <= LONGEST_MIN:
        raise _unfit(role, "interval", f"{interval:g}", f"give minutes from {SHORTEST_MIN} to {LONGEST_MIN}")
    if model and not driver.models:
        raise _unfit(role, "model", model, f"leave it away: for {driver.title} there is none to choose")
    if model and not _MODEL.fullmatch(model):
        raise _unfit(role, "model", model, f"give one word, such as {driver.models[0]}")
    if mode and mode not in driver.permission_modes:
        modes = ", ".join(driver.permission_modes)
        remedy = f"choose one of {modes}" if modes else f"leave it away: {driver.title} has none"
        raise _unfit(role, "permission mode", mode, remedy)
    return Tuning(
        check_in_min=None if interval == role.check_in_min else interval,
        model="" if model == _usual_model(role, driver) else model,
        permission_mode="" if mode == driver.permission_mode else mode,
    )


def _usual_model(role: Role, driver: Driver) -> str:
    return role.model if driver.models else ""


def _unfit(role: Role, what: str, found: str, remedy: str) -> UsageError:
    code = f"bad-{what.replace(' ', '-')}"
    return UsageError(f"{found!r} is no {what} for {role.key}", remedy=remedy, code=code)
