"""The project that `tmorch demo` works on: small, real, and made anew each time."""

from __future__ import annotations

from pathlib import Path
from random import Random

from orchestrator_core.agents.demo.show.scenario import Scenario, scenario
from orchestrator_core.git.run import git

SPEC_FILE = "SPEC.md"
BRANCH = "main"
IDENTITY = {
    "user.name": "tmorch demo",
    "user.email": "demo@tmorch.invalid",
    "commit.gpgsign": "false",
    "tag.gpgsign": "false",
}
"""Of the project alone: the person's own identity, keys and hooks stay out of the demo."""
BEGUN = 1_750_000_000
"""When the first demo commit was made, so that the same seed gives the same commits; seconds since the epoch."""
APART_S = 7200


async def make_scratch_project(folder: Path, seed: int) -> Path:
    """Make a new repository below `folder` and return its path.

    It has a spec (`SPEC.md`), a package with tests, and several commits on one branch. The same `seed` gives the
    same contents and commits; the folder's name is always one that was not there before.

    Raises:
        MissingProgramError: there is no git, or it is too old.
        GitCommandError: git said no.

    """
    story = scenario()
    random = Random(seed)
    name = random.choice(story.names)
    tasks = random.sample([task.deliverable for task in story.tasks], len(story.tasks))
    project = _new_folder(folder, name)
    await git(project, "init", "-q", "-b", BRANCH)
    for key, value in {**IDENTITY, "core.hooksPath": str(project / ".git/hooks")}.items():
        await git(project, "config", "--local", key, value)
    for number, commit in enumerate(story.history):
        files = {path: text.replace("{name}", name) for path, text in commit.files.items()}
        await _commit(project, files, commit.message, number)
    await _commit(project, {SPEC_FILE: _spec(name, story, tasks)}, "Say what the till is to become", len(story.history))
    return project


def _new_folder(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        project = folder / (name if number == 1 else f"{name}-{number}")
        try:
            project.mkdir()
        except FileExistsError:
            number += 1
        else:
            return project


async def _commit(project: Path, files: dict[str, str], message: str, number: int) -> None:
    for path, text in files.items():
        file = project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    moment = f"{BEGUN + number * APART_S} +0000"
    await git(project, "add", "--", *files)
    await git(project, "commit", "-q", "-m", message, env={"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment})


def _spec(name: str, story: Scenario, tasks: list[str]) -> str:
    return "\n".join(
        (
            f"PROJECT: {name}",
            "",
            f"GOAL: {story.goal}",
            "",
            "CONSTRAINTS:",
            *(f"- {constraint}" for constraint in story.constraints),
            "",
            "DELIVERABLES:",
            *(f"{number}. {task}" for number, task in enumerate(tasks, 1)),
            "",
            "SUCCESS CRITERIA:",
            *(f"- {criterion}" for criterion in story.success_criteria),
            "",
        )
    )
