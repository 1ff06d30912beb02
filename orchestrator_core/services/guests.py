"""Listing the panes of the person's tmux server, and saying how tmux is, without starting a process a look."""

from __future__ import annotations

from msgspec import Struct

from orchestrator_core.errors import MissingProgramError, TmorchError, TmuxGoneError
from orchestrator_core.models.fleet import TmuxState
from orchestrator_core.models.pane import Pane
from orchestrator_core.tmux.address import ServerAddress, version
from orchestrator_core.tmux.control import ControlClient
from orchestrator_core.tmux.gateway import TmuxGateway


class TmuxPicture(Struct, frozen=True, kw_only=True):
    """What tmux is and shows right now."""

    state: TmuxState
    detail: str = ""
    panes: tuple[Pane, ...] = ()


class TmuxSight:
    """Looks at one server over one kept, read-only control client."""

    def __init__(self, address: ServerAddress) -> None:
        self._address = address
        self._client: ControlClient | None = None
        self._gateway: TmuxGateway | None = None
        self._problem = ""
        self._is_checked = False

    async def look(self) -> TmuxPicture:
        """Return the server's panes, or what is wrong. Never raises for a tmux that is missing or gone."""
        if not self._is_checked:
            self._problem = self._find_problem()
            self._is_checked = True
        if self._problem:
            return TmuxPicture(state=TmuxState.MISSING, detail=self._problem)
        if not self._address.is_listening():
            return TmuxPicture(state=TmuxState.NO_SERVER)
        try:
            return TmuxPicture(state=TmuxState.CONNECTED, panes=await (await self.gateway()).list_panes())
        except TmuxGoneError:
            return TmuxPicture(state=TmuxState.NO_SERVER)
        except TmorchError as error:
            return TmuxPicture(state=TmuxState.CONNECTING, detail=f"{error.title}. {error.cause}")

    def _find_problem(self) -> str:
        try:
            version(self._address.bin)
        except MissingProgramError as error:
            return f"{error.title}. {error.remedy}"
        return ""

    async def gateway(self) -> TmuxGateway:
        """Return the gateway over the kept client, which is started on first use."""
        if self._gateway is None:
            self._client = ControlClient(self._address, read_only=True)
            self._gateway = TmuxGateway(self._client)
            await self._client.start()
        return self._gateway

    async def close(self) -> None:
        """End the client."""
        if self._client is not None:
            await self._client.close()
            self._client, self._gateway = None, None
