"""An agent sets a check-in from inside its pane, and a person sees it come."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeProject
from tests.e2e.terminal import Terminal
from tests.polling import eventually
from tests.rig import Rig

TUI = f"{Path(sys.executable).with_name('tmorch-tui')}"


@pytest.fixture
def team(rig: Rig, make_project: MakeProject) -> dict[str, Any]:
    made = rig.start(make_project(), roles="orchestrator,developer")
    for role in ("orchestrator", "developer"):
        rig.agent(made, role).wait_status("idle")
    return made


@pytest.fixture
def person(rig: Rig, team: dict[str, Any]) -> Iterator[Terminal]:
    """A terminal that shows the schedule."""
    terminal = Terminal(Path(os.environ["TMUX_TMPDIR"]) / "person", TUI, cwd=rig.folder)
    terminal.sees("2 agents", "developer")
    terminal.press("s")
    terminal.sees("Schedule")
    yield terminal
    terminal.close()


def test_a_check_in_from_inside_a_pane_is_seen_comes_and_has_its_receipt(
    rig: Rig, team: dict[str, Any], person: Terminal
) -> None:
    developer = rig.agent(team)
    inside = {"TMUX": f"{rig.tmux.socket_path},{rig.tmux.pid},0", "TMUX_PANE": str(developer.row.pane)}
    done = rig.tmorch("schedule", "10", "look at the tests", env=inside)
    check_in = rig.store.check_ins.active(developer.id)[0]
    assert f"for {developer.id} at {time.strftime('%H:%M:%S', time.localtime(check_in.due_at))}" in done.out
    assert "(in 10 min): look at the tests" in done.out

    person.sees(f"◉{time.strftime('%H:%M', time.localtime(check_in.due_at))}")
    person.press("j")
    person.sees("▌developer")
    assert developer.texts() == []

    done = rig.tmorch("schedule", "move", str(check_in.id), "0.05", env=inside)
    assert "(in 3 s)" in done.out
    eventually(lambda: developer.texts() == ["look at the tests"], what=f"it has {developer.texts()}")
    assert developer.prompts()[-1].endswith(" check-in] look at the tests")
    person.press("0", "h")  # what comes next, and what was before it
    person.sees("fired, delivered", f"check-in {check_in.id}", "look at the tests", "receipt  » delivered")
