"""The colours of the demo agent's screen, as SGR codes."""

from __future__ import annotations

RESET = "\x1b[0m"
BOLD = "\x1b[1m"
DIM = "\x1b[0;2m"
REVERSE = "\x1b[7m"
GREY = "\x1b[38;5;246m"
RULE = "\x1b[38;5;244m"
DASHES = "\x1b[38;5;239m"
WHITE = "\x1b[38;5;231m"
GREEN = "\x1b[38;5;114m"
RED = "\x1b[38;5;211m"
BANG = "\x1b[38;5;211m"
AMBER = "\x1b[38;5;220m"
BLUE = "\x1b[38;5;153m"
ACCENT = "\x1b[38;5;79m"
PROMPT_GROUND = "\x1b[48;5;237m"
