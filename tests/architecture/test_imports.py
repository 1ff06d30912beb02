"""What may be loaded where; the layers themselves are held by import-linter."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("asyncio", "peewee", "libtmux", "subprocess", "psutil", "jinja2", "textual", "rich", "tomllib", "tomli_w")


def loaded_by(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has after running `code`."""
    report = f"import json, sys\n{code}\nsys.stderr.write(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_the_core_loads_no_screen() -> None:
    loaded = loaded_by(
        "import orchestrator_core.bootstrap, orchestrator_core.cli.main, orchestrator_core.supervisor.loop"
    )
    assert not loaded & {"textual", "rich", "tui"}


@pytest.mark.parametrize("command", [["whoami"], ["send", "developer", "hello"]])
def test_the_quick_commands_load_nothing_heavy(command: list[str]) -> None:
    loaded = loaded_by(
        "from orchestrator_core.cli.main import main\n"
        f"sys.argv = ['tmorch', *{command!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
    )
    assert not loaded & set(HEAVY)


def test_a_team_can_be_started_where_the_screen_has_taken_stdout() -> None:
    loaded = loaded_by(
        "class Screen:\n    def write(self, text): pass\n    def flush(self): pass\n"
        "sys.stdout = Screen()\n"
        "import orchestrator_core.services.launch\n"
    )
    assert "libtmux" in loaded
