"""What is to be said of a spec's sections: misspelt ones, empty ones, and those given twice. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from orchestrator_core.models.spec import Remark
from orchestrator_core.team.sections import HEADING, KNOWN, PHASES, Section, label_of

MAX_REMARKS = 40
_MAX_LABELS = 1000
"""How many different labels are compared with known ones."""
_LONGEST = max(map(len, KNOWN)) + 4
_NEAR = 0.82
_NOT_OURS = frozenset(("non", "not", "no", "out", "future", "open", "previous", "old"))
"""Words with which a heading speaks of something else, such as `Non-goals`."""


def section_remarks(sections: Sequence[Section]) -> tuple[Remark, ...]:
    """Return what the author of these sections should know, in no order."""
    return (*_empty(sections), *_twice(sections), *_misspelt(sections), *_without_colon(sections))


def bounded(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """Return remarks in the order of their lines, not more than a person would read."""
    ordered = sorted(dict.fromkeys(remarks), key=lambda remark: remark.line)
    if len(ordered) <= MAX_REMARKS:
        return tuple(ordered)
    kept, rest = ordered[: MAX_REMARKS - 1], ordered[MAX_REMARKS - 1 :]
    return (*kept, Remark(line=rest[0].line, text=f"from here on there are {len(rest)} more remarks"))


def _empty(sections: Sequence[Section]) -> Iterator[Remark]:
    has_phases = any(section.name == PHASES and _has_text(section) for section in sections)
    for section in sections:
        if section.name and not _has_text(section) and not (has_phases and section.name == PHASES):
            yield Remark(line=section.line, text=f"{_shown(section.name)} is empty")


def _has_text(section: Section) -> bool:
    return any(line.strip() for line in section.lines)


def _twice(sections: Iterable[Section]) -> Iterator[Remark]:
    first: dict[str, int] = {}
    for section in sections:
        if section.name in first and section.name != PHASES:  # each phase may head a section of its own
            kept = "the first one counts" if section.name == "project" else "both are read"
            said = f"{_shown(section.name)} is given again (first in line {first[section.name]}): {kept}"
            yield Remark(line=section.line, text=said)
        if section.name:
            first.setdefault(section.name, section.line)


def _misspelt(sections: Sequence[Section]) -> Iterator[Remark]:
    has = {section.name for section in sections}
    labels: dict[str, tuple[int, bool]] = {}
    for section in sections:
        for at in range(1 if section.name else 0, len(section.lines)):
            if len(labels) < _MAX_LABELS and not section.code[at] and (label := label_of(section.lines, at)):
                labels.setdefault(label, (section.numbers[at], bool(HEADING.match(section.lines[at]))))
    for label, (line, is_heading) in labels.items():
        name = "" if label in KNOWN else _near(label) or (_within(label, has) if is_heading else "")
        if name:
            yield Remark(line=line, text=f"{label[:_LONGEST].upper()} heads no section: did you mean {_shown(name)}?")


def _without_colon(sections: Iterable[Section]) -> Iterator[Remark]:
    """Remark lines such as `Deliverables`, which would head a section if they were written as a heading."""
    for section in sections:
        for at in range(1 if section.name else 0, len(section.lines)):
            line = section.lines[at].strip()
            stands_apart = at == 0 or not section.lines[at - 1].strip()
            if stands_apart and not section.code[at] and (name := KNOWN.get(line.casefold(), "")):
                said = f"{line} heads no section as it is written: make it {_shown(name)}:"
                yield Remark(line=section.numbers[at], text=said)


def _near(label: str) -> str:
    """Return the section that a label means if it was misspelt."""
    if len(label) > _LONGEST:
        return ""
    found = difflib.get_close_matches(label, KNOWN, n=1, cutoff=_NEAR)
    swapped = [known for known in KNOWN if sorted(known) == sorted(label)]
    return next((KNOWN[known] for known in (*found, *swapped)), "")


def _within(label: str, has: set[str]) -> str:
    """Return the section that a heading such as `Key deliverables` means, if the spec lacks it."""
    words = label.split()
    if not _NOT_OURS.isdisjoint(words) or len(words) > 4:
        return ""
    return next((KNOWN[word] for word in words if word in KNOWN and KNOWN[word] not in (has | {"project"})), "")


def _shown(name: str) -> str:
    return name.replace("_", " ").upper()
