"""A spec read by rules alone: quick, and nobody is asked. Pure."""

from __future__ import annotations

import re
from itertools import pairwise
from textwrap import shorten

from orchestrator_core.models.analysis import Analysis, Size
from orchestrator_core.models.spec import Phase, Spec
from orchestrator_core.models.team import TeamProposal
from orchestrator_core.team.catalogue import Catalogue
from orchestrator_core.team.suggest import heuristic

_MOST_PHASES = 6
"""How many phases deliverables come to at most; more of them share one."""
_TITLE_WIDTH = 70
_GOAL_WIDTH = 120
_SMALL_HOURS, _MEDIUM_HOURS = 8, 40
_SMALL_PARTS, _MEDIUM_PARTS = 3, 10
_MEDIUM_FILES, _LARGE_FILES = 200, 1000
"""From how many source files on a spec is at least medium, or large: there is more to be read and to be broken."""
_GROUP = re.compile(r"(?P<group>[^\W\d][^:\n]{1,39}): (?P<text>\S.*)", re.DOTALL)


def read_offline(spec: Spec, team: TeamProposal, catalogue: Catalogue) -> Analysis:
    """Return what a spec comes to by its own words: phases, size, and which roles it speaks for besides the team.

    Deliverables and success criteria are not made up. Hours are the spec's own, or none are said.
    """
    size, basis = _size(spec, team.detection.source_files)
    return Analysis(
        summary=_summary(spec),
        phases=spec.phases or _phases(spec),
        size=size,
        size_basis=basis,
        hours=_hours(spec),
        suggestions=heuristic(spec, team, catalogue),
    )


# --- phases ----------------------------------------------------------------------------------------------------------


def _phases(spec: Spec) -> tuple[Phase, ...]:
    return (_first(spec), *(_building(spec) or (Phase(name="Build", tasks=(_goal(spec),)),)), _last(spec))


def _first(spec: Spec) -> Phase:
    tasks = ["Read the spec and what it touches", "Ask about what is unclear before anything is built"]
    if spec.constraints:
        tasks.append(f"See how {_count(len(spec.constraints), 'constraint')} will be kept")
    if not spec.deliverables:
        tasks.append("Write down what is to be delivered: the spec does not say")
    return Phase(name="Understand and plan", tasks=tuple(tasks))


def _last(spec: Spec) -> Phase:
    checks = tuple(map(_title, spec.success_criteria)) or ("See that the goal is reached",)
    return Phase(name="Bring together and check", tasks=("Bring the branches together", *checks))


def _building(spec: Spec) -> tuple[Phase, ...]:
    """Return a phase for each deliverable, or for each group of them."""
    groups = _grouped(spec.deliverables)
    if len(groups) <= _MOST_PHASES:
        return tuple(_phase(name, items) for name, items in groups)
    number, phases = 0, []
    for share in _shares(spec.deliverables):
        first, number = number + 1, number + len(share)
        name = f"Deliverable {first}" if first == number else f"Deliverables {first} to {number}"
        phases.append(Phase(name=name, tasks=tuple(map(_title, share))))
    return tuple(phases)


def _grouped(deliverables: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """Put those together that follow each other below the same subheading; the others stand alone, without a name."""
    groups: list[tuple[str, list[str]]] = []
    for item in deliverables:
        match = _GROUP.match(item)
        name = match["group"] if match else ""
        if match and groups and groups[-1][0] == name:
            groups[-1][1].append(match["text"])
        else:
            groups.append((name, [match["text"] if match else item]))
    return groups


def _phase(name: str, items: list[str]) -> Phase:
    if len(items) > 1:
        return Phase(name=name, tasks=tuple(map(_title, items)))
    title, *below = items[0].split("\n")
    tasks = (line.strip().removeprefix("- ").strip() for line in below)
    whole = f"{name}: {title}" if name else title
    return Phase(name=_title(whole), tasks=tuple(task for task in tasks if any(map(str.isalnum, task))))


def _shares(items: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the items in order in as many parts as there may be phases, as even as can be."""
    cuts = [round(len(items) * part / _MOST_PHASES) for part in range(_MOST_PHASES + 1)]
    return [items[start:end] for start, end in pairwise(cuts)]


# --- size ------------------------------------------------------------------------------------------------------------


def _size(spec: Spec, source_files: int) -> tuple[Size | None, str]:
    hours = _hours(spec)
    if hours is not None:
        size = Size.SMALL if hours <= _SMALL_HOURS else Size.MEDIUM if hours <= _MEDIUM_HOURS else Size.LARGE
        return size, f"the spec gives {hours:g} h for {_count(len(spec.phases), 'phase')}"
    parts = sum(1 + item.count("\n- ") for item in spec.deliverables) or sum(len(each.tasks) for each in spec.phases)
    if not parts:
        return None, "the spec names no deliverables"
    is_small = parts <= _SMALL_PARTS and source_files < _MEDIUM_FILES
    is_large = parts > _MEDIUM_PARTS or source_files >= _LARGE_FILES
    size = Size.SMALL if is_small else Size.LARGE if is_large else Size.MEDIUM
    return size, f"{_parts_basis(spec, parts)}, {_count(source_files, 'source file')}"


def _parts_basis(spec: Spec, parts: int) -> str:
    if not spec.deliverables:
        return _count(parts, "task")
    count = len(spec.deliverables)
    within = f" with {_count(parts - count, 'point')}" if parts > count else ""
    return _count(count, "deliverable") + within


def _hours(spec: Spec) -> float | None:
    """Return the sum of the spec's own hours; None unless each of its phases has them."""
    said = [phase.hours for phase in spec.phases if phase.hours is not None]
    return sum(said) if said and len(said) == len(spec.phases) else None


# --- words -----------------------------------------------------------------------------------------------------------


def _summary(spec: Spec) -> str:
    counts = [
        _count(len(items), one, many)
        for items, one, many in (
            (spec.deliverables, "deliverable", ""),
            (spec.constraints, "constraint", ""),
            (spec.success_criteria, "success criterion", "success criteria"),
        )
        if items
    ]
    return f"{_goal(spec)}: {', '.join(counts)}" if counts else _goal(spec)


def _goal(spec: Spec) -> str:
    """Return the first sentence of the goal."""
    lines = (line.strip().lstrip("-*# ") for line in spec.goal.split("\n"))
    line = next((line for line in lines if any(map(str.isalnum, line))), spec.goal.strip())
    sentence = re.split(r"(?<=[.!?])\s", line, maxsplit=1)[0].rstrip(".:")
    return shorten(sentence, _GOAL_WIDTH, placeholder=" …")


def _title(text: str) -> str:
    return shorten(text.split("\n")[0], _TITLE_WIDTH, placeholder=" …")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
