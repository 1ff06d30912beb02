"""libtmux, so that it can be imported at any time: it asks stdout for its encoding, and that of a screen has none."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout

with redirect_stdout(sys.__stdout__):
    import libtmux as libtmux
    from libtmux.common import tmux_cmd as tmux_cmd
