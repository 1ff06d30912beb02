"""One kept control client per tmux server that is in use."""

from __future__ import annotations

from orchestrator_core.config.settings import Settings
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.control import ControlClient
from orchestrator_core.tmux.gateway import TmuxGateway


class Connections:
    """Gateways by socket path, connected on first use and kept."""

    def __init__(self, settings: Settings) -> None:
        self._bin = settings.tmux.bin
        self._clients: dict[str, ControlClient] = {}

    async def gateway(self, server: str) -> TmuxGateway:
        """Return the gateway to the server at `server`, a socket path. Commands raise when it is not there."""
        client = self._clients.get(server)
        if client is None:
            client = ControlClient(ServerAddress(bin=self._bin, socket_path=server))
            self._clients[server] = client
            await client.start()
        return TmuxGateway(client)

    async def keep(self, servers: frozenset[str]) -> None:
        """Close what is connected to other servers than these."""
        for server in self._clients.keys() - servers:
            await self._clients.pop(server).close()

    async def close(self) -> None:
        """Close all of them."""
        await self.keep(frozenset())
