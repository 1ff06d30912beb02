"""Claude reads a spec: asked once, in the project, without the right to change anything. The team stays as it is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from orchestrator_core.agents.catalogue import drivers
from orchestrator_core.agents.claude.answers import MOST_PHASES, MOST_TASKS, SCHEMA, Reading, read_answer, step
from orchestrator_core.agents.claude.asking import Asked, Question, ask
from orchestrator_core.agents.limits import UsageWindow
from orchestrator_core.config.paths import PRIVATE, Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.git.run import displayable
from orchestrator_core.models.analysis import Analysis, AnalysisProgress, AnalysisSource
from orchestrator_core.models.launch import Proposal
from orchestrator_core.services.catalogues import catalogue_for
from orchestrator_core.team.catalogue import Catalogue
from orchestrator_core.team.suggest import validated
from orchestrator_core.team.templating import rendered

Progress = Callable[[AnalysisProgress], None]
PROMPTS = Path(__file__).parents[1] / "team" / "prompts"
PRIME = Path(".claude/commands/context-prime.md")
"""The project's own words for whoever begins work in it."""
DEMO = "the demo asks nobody"
KEPT = 50
"""How many answers are kept."""
TICK_S = 1.0
_MOST_SPEC, _MOST_PRIME = 150_000, 20_000
_MOST_HEAD, _MOST_TAIL = 200_000, 400_000
_NAME = re.compile(r"\d{8}-\d{6}-.*\.json")


class RawAnswer(Struct, frozen=True, kw_only=True):
    """An answer as it came, kept for whoever wants to know why it was taken so."""

    asked_at: float
    seconds: float
    project: str
    spec: str
    argv: tuple[str, ...]
    returncode: int | None
    trouble: str
    stdout: str
    stderr: str


async def analyse(
    proposal: Proposal,
    settings: Settings,
    paths: Paths,
    *,
    environ: Mapping[str, str],
    progress: Progress | None,
    now: Callable[[], float],
    told: Callable[[Mapping[str, UsageWindow]], object] = lambda windows: None,
) -> Proposal:
    """Return the proposal with Claude's reading of its spec. Its team is the same; the suggestions are validated.

    When Claude cannot be asked or gives no plan, the reading that the proposal has stays, and says why in `because`.
    What came is kept in `paths.analyses`; `told` hears what was said of the account's windows. `progress` is called
    in the event loop, and must not raise. When cancelled, the asking and all it has started have ended.

    Raises:
        UsageError: a file that changes the catalogue is wrong.

    """
    driver = drivers(settings).get(proposal.driver)
    if driver is not None and driver.is_demo:
        return replace(proposal, analysis=replace(proposal.analysis, because=DEMO))
    catalogue = await asyncio.to_thread(catalogue_for, proposal, paths)
    begun = now()
    question = await asyncio.to_thread(_question, proposal, catalogue, settings, environ)
    asked = await _asked(question, progress, lambda: max(0.0, now() - begun))
    seconds = max(0.0, now() - begun)
    reading = _reading(asked, settings.analysis.budget_usd)
    told(reading.windows)
    kept = await asyncio.to_thread(_keep, paths.analyses, _raw(asked, proposal, begun, seconds), proposal.project.name)
    analysis = reading.analysis
    if analysis is None:
        return replace(proposal, analysis=_unread(proposal.analysis, reading, seconds, kept))
    return replace(
        proposal,
        analysis=replace(
            analysis,
            deliverables=() if proposal.spec.deliverables else analysis.deliverables,
            suggestions=validated(analysis.suggestions, proposal.team, catalogue),
            model=reading.model,
            cost_usd=reading.cost_usd,
            seconds=seconds,
            raw=kept,
        ),
    )


def _reading(asked: Asked, budget_usd: float) -> Reading:
    """Return what came of it; a plan counts even if the program would not end after it."""
    reading = read_answer(asked.stdout, asked.stderr, asked.returncode, budget_usd=budget_usd)
    return replace(reading, because=asked.trouble) if asked.trouble and reading.analysis is None else reading


def _unread(before: Analysis, reading: Reading, seconds: float, kept: str) -> Analysis:
    """Return the reading that there was; an earlier one by Claude keeps what is said of its making."""
    if before.source is AnalysisSource.CLAUDE:
        return replace(before, because=reading.because)
    return replace(before, because=reading.because, cost_usd=reading.cost_usd, seconds=seconds, raw=kept)


async def _asked(question: Question, progress: Progress | None, passed: Callable[[], float]) -> Asked:
    """Ask, and tell what Claude does: at once when that changes, and every second."""
    doing = "starts"

    def tell() -> None:
        if progress:
            progress(AnalysisProgress(text=doing, seconds=passed(), limit_s=question.timeout_s))

    def hear(line: str) -> None:
        nonlocal doing
        if said := step(line, str(question.project)):
            doing = said
            tell()

    async def tick() -> None:
        while True:
            tell()
            await asyncio.sleep(TICK_S)

    ticking = asyncio.create_task(tick())
    try:
        return await ask(question, hear)
    finally:
        ticking.cancel()


# --- the question ----------------------------------------------------------------------------------------------------


def _question(proposal: Proposal, catalogue: Catalogue, settings: Settings, environ: Mapping[str, str]) -> Question:
    return Question(
        command=settings.claude.command,
        prompt=prompt(proposal, catalogue),
        schema=SCHEMA,
        project=Path(proposal.project.path),
        environ=environ,
        budget_usd=settings.analysis.budget_usd,
        timeout_s=settings.analysis.timeout_s,
        model=settings.analysis.model,
    )


def prompt(proposal: Proposal, catalogue: Catalogue) -> str:
    """Return what Claude is asked. It begins with `/context-prime` where the project defines that command."""
    project, spec, team = Path(proposal.project.path), proposal.spec, proposal.team
    values = {
        "primed": (project / PRIME).is_file(),
        "prime": _prime(project),
        "spec": spec.text[:_MOST_SPEC],
        "is_cut": len(spec.text) > _MOST_SPEC,
        "spec_path": spec.path,
        "has_phases": bool(spec.phases),
        "has_deliverables": bool(spec.deliverables),
        "project": proposal.project.name,
        "type": catalogue.templates.types[team.type].title,
        "is_chosen": team.type != team.detection.type,
        "detection": team.detection,
        "team": team,
        "roles": tuple(catalogue.roles.values()),
        "most_phases": MOST_PHASES,
        "most_tasks": MOST_TASKS,
    }
    return rendered((PROMPTS,), "analysis.md.j2", values)


def _prime(project: Path) -> str:
    """Return the text of the project's command, which Claude Code does not load from a project nobody has approved.

    A link that leads out of the project is not followed: it might lead to what is the person's alone.
    """
    try:
        file = (project / PRIME).resolve()
        if not file.is_file() or not file.is_relative_to(project.resolve()):
            return ""
        with file.open(encoding="utf-8", errors="replace") as content:
            return content.read(_MOST_PRIME).strip()
    except OSError:  # not ours to read
        return ""


# --- what came -------------------------------------------------------------------------------------------------------


def _raw(asked: Asked, proposal: Proposal, begun: float, seconds: float) -> RawAnswer:
    return RawAnswer(
        asked_at=begun,
        seconds=seconds,
        project=displayable(proposal.project.path),
        spec=displayable(proposal.spec.path),
        argv=tuple(map(displayable, asked.argv)),
        returncode=asked.returncode,
        trouble=asked.trouble,
        stdout=_shortened(asked.stdout),
        stderr=asked.stderr,
    )


def _shortened(text: str) -> str:
    """Return the two ends of a text that is too long to be kept: the answer is at its end."""
    left_out = len(text) - _MOST_HEAD - _MOST_TAIL
    if left_out <= 0:
        return text
    return f"{text[:_MOST_HEAD]}\n[{left_out} characters are left out]\n{text[-_MOST_TAIL:]}"


def _keep(folder: Path, raw: RawAnswer, name: str) -> str:
    """Write it down for the person only, and return where; empty when that cannot be done. Old ones go."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(raw.asked_at))
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "project"
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        path = _written(folder, f"{stamp}-{slug}", msgspec.json.format(msgspec.json.encode(raw), indent=1))
    except OSError:  # a full disk does not make the answer worse
        return ""
    for old in sorted(file for file in folder.iterdir() if _NAME.fullmatch(file.name))[:-KEPT]:
        with contextlib.suppress(OSError):
            old.unlink()
    return str(path)


def _written(folder: Path, stem: str, content: bytes) -> Path:
    for number in range(1, 1000):
        path = folder / (f"{stem}.json" if number == 1 else f"{stem}-{number}.json")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return path
    raise FileExistsError(stem)
