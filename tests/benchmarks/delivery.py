"""P5: from the `tmorch send` command line to the prompt accepted, with the demo agent as the one that accepts."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from tests.benchmarks.stage import Stage, spread, stage, tmorch
from tests.fakes.claude_stand_in import write_stand_in


def measure(samples: int) -> None:
    """Print how long messages to an idle agent take."""
    with stage() as here:
        record = _start_agent(here)
        times = []
        for number in range(samples):
            began = time.time()
            subprocess.run(
                [tmorch(), "send", "developer", f"message {number}", "--wait", "20"],
                check=True, env=here.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            times.append(json.loads(record.read_text().splitlines()[-1])["at"] - began)
            here.wait_idle("developer")
    print(f"P5  send to prompt  {spread(times)}   budget p95 ≤ 400 ms beyond the agent's own need")


def _start_agent(here: Stage) -> Path:
    project, record = here.folder / "shop", here.folder / "record.jsonl"
    program = write_stand_in(here.folder / "bin", "--record", str(record), "--think", "0")
    with here.paths.config_file.open("a") as settings:
        settings.write(f'[drivers.stand-in]\ncommand = ["{program}"]\nprocess_names = ["claude"]\nscreen = "claude"\n')
    project.mkdir()
    (here.folder / "SPEC.md").write_text("GOAL: Sell things\n")
    for command in (
        ("git", "init", "-q", "-b", "main"),
        ("git", "-c", "user.name=b", "-c", "user.email=b@b", "commit", "-q", "--allow-empty", "-m", "Begin"),
        (tmorch(), "start", ".", "--spec", "../SPEC.md", "--roles", "developer", "--agent", "stand-in", "--yes"),
    ):
        subprocess.run(command, check=True, env=here.environ, cwd=project, capture_output=True)
    here.wait_idle("developer")
    return record
