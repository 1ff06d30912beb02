"""What is said of a spec's sections, and the phases in them."""

from __future__ import annotations

import pytest

from orchestrator_core.models.spec import Phase, Remark
from orchestrator_core.team.remarks import MAX_REMARKS
from orchestrator_core.team.spec import other_text, parse_spec

AB = (Phase(name="Setup", tasks=("a", "b"), hours=4), Phase(name="Build", tasks=("c",)))


@pytest.mark.parametrize(
    "text",
    [
        "PHASES:\nPhase 1: Setup (4 h)\n- a\n- b\nPhase 2: Build\n- c\n",
        "PHASES:\n\nPhase 1 - Setup (~4 hours)\n\n1. a\n2. b\n\nPhase 2 - Build:\n* c\n",
        "PHASES:\nSetup (4 h):\n- a\n- b\n\nBuild:\n- c\n",
        "PHASES:\n1. Setup (4 h)\n   - a\n   - b\n2. Build\n   - c\n",
        "PHASES:\n- **Phase 1: Setup** (3-5 h)\n  - a\n  - b\n- **Phase 2: Build**\n  - c\n",
        "PHASE 1: Setup (4 h)\n- a\n- b\n\nPHASE 2: Build\n- c\n",
        "## Phases\n### Phase 1: Setup (4h)\n- a\n- b\n### Phase 2: Build\n- c\n## Notes\nn\n",
        "## Phases\n\n### Setup, 4 h\n- a\n- b\n\n### Build\n- c\n",
        "## Phase I: Setup [4 hrs]\n- a\n- b\n## Phase II: Build\n- c\n",
        "## Milestones\n**Setup (240 min)**\n- a\n- b\n\n**Build**\n- c\n",
        "**Phases:**\n\n**Phase 1: Setup (4 h)**\n- a\n- b\n\n**Phase 2: Build**\n- c\n",
        "Phases\n======\nPhase 1: Setup (4 h)\n-----\n- a\n- b\n\nPhase 2: Build\n-----\n- c\n",
    ],
)
def test_phases_in_every_form_say_the_same(text: str) -> None:
    goal = "**Goal:** g\n\n" if text.startswith("**") else "## Goal\ng\n\n" if "#" in text else "GOAL: g\n\n"
    spec = parse_spec(goal + text)
    assert (spec.goal, spec.phases, spec.remarks) == ("g", AB, ())


def test_phases_below_the_title_of_the_text() -> None:
    spec = parse_spec("# Project: Shop\n\n## Phase 1: Setup\n#### Tasks\n- a\n## Goal\ng\n## Phase 2\n- c\n")
    assert spec.phases == (Phase(name="Setup", tasks=("Tasks: a",)), Phase(name="Phase 2", tasks=("c",)))
    assert spec.goal == "g"


def test_phases_within_other_sections_structure_these() -> None:
    spec = parse_spec("## Goal\ng\n## Deliverables\n### Phase 1: basics\n- a\n## Later\n### Phase 2: more\n- b\n")
    assert spec.deliverables == ("Phase 1: basics: a",)
    assert spec.phases == ()
    assert "### Phase 2: more\n- b" in other_text(spec)


@pytest.mark.parametrize(
    ("title", "phase"),
    [
        ("Setup (2 days)", Phase(name="Setup (2 days)")),
        ("Phase 3", Phase(name="Phase 3")),
        ("Phase 1.5 - Setup", Phase(name="5 - Setup")),
        ("Setup (about 90 minutes)", Phase(name="Setup", hours=1.5)),
        ("Serve 24 h a day", Phase(name="Serve 24 h a day")),
        ("Add h", Phase(name="Add h")),
        ("(4 h)", Phase(name="(4 h)", hours=4)),
    ],
)
def test_titles_of_phases(title: str, phase: Phase) -> None:
    assert parse_spec(f"## Goal\ng\n## Phases\n### {title}\n").phases == (phase,)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("GOAL: g\nDELIVERABELS:\n- a", 2, "DELIVERABELS heads no section: did you mean DELIVERABLES?"),
        ("GOAL: g\n\nDeliverabels:\n- a", 3, "DELIVERABELS heads no section: did you mean DELIVERABLES?"),
        ("## Goal\ng\n## Sucess criteria\n- a", 3, "SUCESS CRITERIA heads no section: did you mean SUCCESS CRITERIA?"),
        ("## Goal\ng\n## Key Deliverables\n- a", 3, "KEY DELIVERABLES heads no section: did you mean DELIVERABLES?"),
        ("**Goal:** g\n\n**Contraints:**\n- a", 3, "CONTRAINTS heads no section: did you mean CONSTRAINTS?"),
        ("Goal\n====\ng\n\nDeliverable's\n----\n- a", 5, "DELIVERABLE'S heads no section: did you mean DELIVERABLES?"),
        ("GOAL: g\n\nDeliverables\n- a", 3, "Deliverables heads no section as it is written: make it DELIVERABLES:"),
        ("GOAL: g\nCONSTRAINTS:\n\nDELIVERABLES:\n- a", 2, "CONSTRAINTS is empty"),
        ("GOAL: g\nCONSTRAINTS:\n<!-- which? -->\nDELIVERABLES:\n- a", 2, "CONSTRAINTS is empty"),
        ("GOAL: g\n\nGOAL: h\n", 3, "GOAL is given again (first in line 1): both are read"),
        ("PROJECT: p\nGOAL: g\nPROJECT: q", 3, "PROJECT is given again (first in line 1): the first one counts"),
        ("GOAL: g\nPHASES:\nThis.\n\nPhase 1: Setup\n- a", 3, "what stands above the first phase is not read as one"),
        ("GOAL: g\nPHASES:\n| name | h |\n|---|---|\n", 3, "phases in a table are not read: write them as a list"),
    ],
)  # fmt: skip
def test_what_its_author_should_know(text: str, line: int, said: str) -> None:
    assert parse_spec(text).remarks == (Remark(line=line, text=said),)


@pytest.mark.parametrize(
    "text",
    [
        "GOAL: g\nCONSTRAINTS: none\n",
        "GOAL: g\n\nBACKGROUND:\nold\n\nNote: the coal is gone\nTime: 10:30",
        "## Goal\ng\n## Non-goals\n- a\n## Out of scope\n- b\n## Future constraints\n- c",
        "GOAL: g\n```\nDELIVERABELS:\n```\n<!--\nCONTRAINTS:\n-->",
        "GOAL: g\nDELIVERABLES:\n- Goals: are shown\n- Project: is named\n",
        "GOAL: all of it is what we call our\ngoal\n",
    ],
)
def test_nothing_is_said_of_what_is_understood(text: str) -> None:
    assert parse_spec(text).remarks == ()


def test_remarks_stay_readable() -> None:
    remarks = parse_spec("GOAL: g\n" + "CONSTRAINTS:\n" * 1000).remarks
    assert len(remarks) == MAX_REMARKS
    assert "more remarks" in remarks[-1].text
