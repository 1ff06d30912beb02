"""Bringing the person to a pane, and telling them how to come back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

from msgspec import Struct

from orchestrator_core.errors import CommandError
from orchestrator_core.models.ids import PaneId
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.gateway import TmuxGateway

KEY_NAMES = {"C-": "ctrl+", "M-": "alt+"}


class Attachment(Struct, frozen=True, kw_only=True):
    """How the person gets to a pane."""

    argv: tuple[str, ...] = ()
    """To run in the foreground while the app is suspended; empty when the tmux client was switched already."""
    way_back: str
    """What the person presses to come back, for display."""

    def run(self) -> None:
        """Run it in the foreground until the person detaches. Blocks; the terminal must be free.

        Raises:
            CommandError: tmux could not attach.

        """
        if not self.argv:
            return
        done = subprocess.run(self.argv, check=False, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise CommandError(self.argv, done.returncode, done.stderr or "")


async def attach(gateway: TmuxGateway, address: ServerAddress, pane: PaneId, environ: Mapping[str, str]) -> Attachment:
    """Switch the tmux client that shows us to `pane`, or say how to attach from outside.

    The client is switched only when we run inside that very server.
    """
    prefix = await _prefix(gateway)
    own_pane = environ.get("TMUX_PANE", "")
    is_inside = os.path.realpath(environ.get("TMUX", "").rsplit(",", 2)[0]) == address.socket_path and bool(own_pane)
    client = await gateway.client_of(PaneId(own_pane)) if is_inside else None
    if client is None:
        return Attachment(
            argv=("env", "-u", "TMUX", "-u", "TMUX_PANE", *address.argv, "attach-session", "-t", pane),
            way_back=f"{prefix} d",
        )
    panes = {row.pane_id: row.session_id for row in await gateway.list_panes()}
    same_session = panes.get(PaneId(own_pane)) == panes.get(pane)
    way_back = f"{prefix} l" if same_session else f"{prefix} L"
    await gateway.switch_client(client, pane)
    await gateway.display_message(client, f"tmorch: {way_back} brings you back")
    return Attachment(way_back=way_back)


async def _prefix(gateway: TmuxGateway) -> str:
    """Return the person's prefix key as they would say it, such as `ctrl+b`."""
    key = await gateway.prefix_key()
    for tmux_name, name in KEY_NAMES.items():
        key = key.replace(tmux_name, name)
    return key
