"""Which catalogue holds for a project: the package's own, changed by the person's files and the project's."""

from __future__ import annotations

from pathlib import Path

from orchestrator_core.config.paths import Paths
from orchestrator_core.models.launch import Proposal
from orchestrator_core.team.catalogue import Catalogue
from orchestrator_core.team.overrides import overridden

PROJECT_FOLDER = ".tmorch"
"""Below a project: its own roles, types, routes and briefings."""


def catalogue_of(project: Path | None, paths: Paths) -> Catalogue:
    """Return the catalogue for a project, or for none: the package's, then the person's files, then the project's.

    Raises:
        UsageError: a file that changes it is wrong; names the file and the line.

    """
    person = paths.config_file.parent
    return overridden(person, project / PROJECT_FOLDER if project else None)


def catalogue_for(proposal: Proposal, paths: Paths) -> Catalogue:
    """Return the catalogue for the project of a proposal; raises as `catalogue_of`."""
    return catalogue_of(Path(proposal.project.path), paths)
