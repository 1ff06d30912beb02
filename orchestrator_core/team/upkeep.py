"""What an agent is told whose context is nearly full. The words are data in `data/upkeep.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


def checkpoint_note(used: float) -> str:
    """Return how an agent is told to write its checkpoint, whose context is full to `used` per cent."""
    return _words().format(used=f"{used:.0f}")


@cache
def _words() -> str:
    text = files("orchestrator_core.team").joinpath("data/upkeep.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["checkpoint"]).strip()
