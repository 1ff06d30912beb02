"""What a start would do, before anything is made: project, spec, team and driver, with what is to be known of them."""

from __future__ import annotations

import asyncio
import difflib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator_core.config.paths import Paths, expanded
from orchestrator_core.errors import (
    GitCommandError,
    MissingProgramError,
    NotFoundError,
    RefusedError,
    TimedOutError,
    UsageError,
)
from orchestrator_core.git.project import inspect_project
from orchestrator_core.git.run import git
from orchestrator_core.models.launch import Proposal, StartRequest
from orchestrator_core.models.project import ProjectState
from orchestrator_core.models.spec import Spec
from orchestrator_core.models.team import Detection
from orchestrator_core.services.catalogues import catalogue_of
from orchestrator_core.services.revise import complete, first_team
from orchestrator_core.team.catalogue import Catalogue
from orchestrator_core.team.detect import detect, detect_names
from orchestrator_core.team.reading import read_offline
from orchestrator_core.team.spec import EXAMPLE, read_spec

if TYPE_CHECKING:
    from orchestrator_core.agents.driver import Driver
    from orchestrator_core.config.settings import Settings

SPEC_NAMES = ("SPEC.md", "spec.md", "project_spec.md", "docs/spec.md")
"""Where a spec is looked for in the project when none is named, in this order."""
LISTING_TIMEOUT_S = 15.0
BRANCH_PREFIX = "tmorch/"
_PROTECTED = re.compile(r"(main|master|trunk|prod(uction)?|live|stable|releases?([-/].*)?)$", re.IGNORECASE)
"""Branches that people do not work on directly, by their names."""
_SHOWN_PROJECTS = 8


async def propose(
    request: StartRequest, settings: Settings, paths: Paths, *, drivers: Mapping[str, Driver], now: float = 0.0
) -> Proposal:
    """Return what a start would do. Nothing is made, and nothing of the project is changed.

    The project is a path, or the name of a folder in the projects folder. Without a spec in the request, the
    project's own is taken; what the spec wishes of the team holds where the request says nothing.
    `Proposal.warnings` tells of the project and the spec, `Proposal.team.warnings` of the team. The spec has been
    read offline.

    Raises:
        NotFoundError: there is no such project, spec or driver; `candidates` are near ones.
        UsageError: there is no spec, it has no goal, or a role, plan or team type is unknown; or a file that changes
            the catalogue is wrong.
        RefusedError: the project cannot be worked on as it is, or the team is larger than its plan carries.

    """
    project = await inspect_project(find_project(request.project, settings))
    _refuse_agents_worktree(project, settings, paths)
    spec = await asyncio.to_thread(find_spec, request.spec, Path(project.path))
    catalogue = await asyncio.to_thread(catalogue_of, Path(project.path), paths)
    name, driver = _driver(request.driver or spec.wishes.agent or settings.team.driver, drivers)
    detection = await detect_project(Path(project.path), catalogue)
    team = first_team(request, spec, detection, settings, catalogue)
    bare = Proposal(
        request=request,
        project=project,
        spec=spec,
        team=team,
        driver=name,
        warnings=(*_driver_warnings(name, driver), *_project_warnings(project), *_spec_warnings(spec)),
        analysis=read_offline(spec, team, catalogue),
        made_at=now,
    )
    return complete(bare, driver, settings, paths, catalogue)


async def detect_project(project: Path, catalogue: Catalogue | None = None) -> Detection:
    """Return the type of the project in the git repository `project`, from the files that git does not ignore.

    Falls back to what lies in the folder when git does not answer in time.
    """
    templates = catalogue.templates if catalogue else None
    try:
        options = ("--cached", "--others", "--exclude-standard")
        listing = await git(project, "ls-files", "-z", *options, timeout=LISTING_TIMEOUT_S)
    except (GitCommandError, TimedOutError):
        return await asyncio.to_thread(detect, project, templates)
    return await asyncio.to_thread(detect_names, [name for name in listing.split("\0") if name], templates)


def find_project(given: str, settings: Settings) -> Path:
    """Return the folder that `given` names: a path, or a name in the projects folder; empty is where we are.

    A bare name is looked for here and in the projects folder; of two, the one that is a repository itself wins.

    Raises:
        NotFoundError: there is no such folder; `candidates` are projects with a similar name.

    """
    text = given.strip() or "."
    here, projects = expanded(text), settings.projects.path()
    places = [here] if _is_path(text) else [here, projects / text]
    found = [place for place in places if place.is_dir()] or [place for place in places if place.exists()]
    if not found:
        raise _no_project(text, places, projects)
    return next((place for place in found if (place / ".git").exists()), found[0])


def _is_path(text: str) -> bool:
    return "/" in text or text.startswith("~") or text in (".", "..")


def _no_project(text: str, places: list[Path], projects: Path) -> NotFoundError:
    names = _projects_in(projects)
    near = difflib.get_close_matches(Path(text).name, names, n=3, cutoff=0.5)
    offered = near or names[:_SHOWN_PROJECTS]
    known = f"; {projects} has {', '.join(offered)}" if offered else ""
    return NotFoundError(
        f"there is no project {text!r}",
        cause=f"looked for {' and '.join(map(str, places))}{known}",
        remedy="name the project's folder, or a folder in the one that the setting projects.folder names",
        code="no-project",
        candidates=tuple(offered),
    )


def _projects_in(folder: Path) -> list[str]:
    try:
        return sorted(each.name for each in folder.iterdir() if (each / ".git").exists())
    except OSError:  # no such folder, or not ours to read: it has no projects for us
        return []


def _refuse_agents_worktree(project: ProjectState, settings: Settings, paths: Paths) -> None:
    folder = settings.worktrees.path(paths).resolve()
    if not Path(project.path).is_relative_to(folder):
        return
    raise RefusedError(
        f"{project.path} is an agent's worktree",
        cause=f"it lies in {folder}, where the agents of other teams work",
        remedy="name the project itself",
        code="agents-worktree",
    )


def find_spec(given: str, project: Path) -> Spec:
    """Return the spec that `given` names, seen from where we are or else from the project; empty: the project's own.

    Raises:
        NotFoundError: there is no such file.
        UsageError: none is named and the project has none, or it cannot be used.

    """
    if not given.strip():
        return read_spec(_own_spec(project))
    here = expanded(given)
    there = project / given
    return read_spec(there if not here.exists() and there.exists() else here)


def _own_spec(project: Path) -> Path:
    found = next((project / name for name in SPEC_NAMES if (project / name).is_file()), None)
    if found is None:
        raise UsageError(
            "no spec is named, and the project has none",
            cause=f"{project} has none of {', '.join(SPEC_NAMES)}",
            remedy=f"name one with --spec FILE, or write {SPEC_NAMES[0]} into the project, such as:\n\n{EXAMPLE}",
            code="no-spec",
        )
    return found


def _driver(name: str, drivers: Mapping[str, Driver]) -> tuple[str, Driver]:
    if name in drivers:
        return name, drivers[name]
    near = difflib.get_close_matches(name, drivers, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise NotFoundError(
        f"there is no agent driver {name!r}",
        cause=f"the drivers are: {', '.join(drivers)}",
        remedy=f"{hint}name one of them with --agent, or describe yours in the settings, in [drivers.{name}]",
        code="no-driver",
        candidates=tuple(near) or tuple(drivers),
    )


def require_program(name: str, driver: Driver) -> None:
    """Make sure that agents of a kind can be started here.

    Raises:
        MissingProgramError: their program is not there.

    """
    program = driver.needs_program()
    if program is None or shutil.which(program):
        return
    raise MissingProgramError(
        f"{driver.title} is missing",
        cause=f"the driver {name} runs {program!r}, which is not on PATH",
        remedy="install it, or set its command in the settings; tmorch start --agent demo works without it",
        code="missing-program",
    )


def _driver_warnings(name: str, driver: Driver) -> tuple[str, ...]:
    """Say what a start would be refused for: a proposal can be looked at anyway."""
    try:
        require_program(name, driver)
    except MissingProgramError as error:
        return (f"{error.title}, and the team cannot be started without it: {error.cause}",)
    return ()


def _project_warnings(project: ProjectState) -> tuple[str, ...]:
    warnings = []
    if project.dirty:
        warnings.append(_uncommitted(project))
    if project.branch.startswith(BRANCH_PREFIX):
        warnings.append(f"the starting branch {project.branch} is an agent's: is that the one you mean?")
    if _PROTECTED.match(project.branch):
        warnings.append(
            f"you start from {project.branch}: agents branch from it, and nothing is merged into it unless you "
            "approve that later"
        )
    return tuple(warnings)


def _spec_warnings(spec: Spec) -> tuple[str, ...]:
    name = Path(spec.path).name
    remarks = [
        f"{name} line {each.line}: {each.text}" if each.line else f"{name}: {each.text}" for each in spec.remarks
    ]
    return (*remarks, *_unsaid(spec))


def _unsaid(spec: Spec) -> tuple[str, ...]:
    if not spec.deliverables and not spec.success_criteria:
        return ("the spec names neither deliverables nor success criteria: agents will decide what is done",)
    if not spec.deliverables:
        return ("the spec names no deliverables: agents will decide what to make",)
    if not spec.success_criteria:
        return ("the spec names no success criteria: agents will decide what is done",)
    return ()


def _uncommitted(project: ProjectState) -> str:
    count = max(project.dirty_count, len(project.dirty))
    stay = "1 uncommitted file stays" if count == 1 else f"{count} uncommitted files stay"
    return f"{stay} yours; agents start from the last commit"
