"""One kept control client per tmux server that is in use."""

from __future__ import annotations

from pathlib import Path

from orchestrator_core.config.settings import Settings
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.control import ControlClient
from orchestrator_core.tmux.gateway import TmuxGateway


class Connections:
    """Gateways by socket path, connected on first use and kept."""

    def __init__(self, settings: Settings, scratch: Path | None = None) -> None:
        """Connect by `settings`; what is pasted lies in the folder `scratch` until tmux has read it."""
        self._scratch = scratch
        self._bin = settings.tmux.bin
        self._clients: dict[str, ControlClient] = {}
        self._gateways: dict[str, TmuxGateway] = {}

    async def gateway(self, server: str) -> TmuxGateway:
        """Return the gateway to the server at `server`, a socket path. Commands raise when it is not there."""
        gateway = self._gateways.get(server)
        if gateway is None:
            client = ControlClient(ServerAddress(bin=self._bin, socket_path=server))
            gateway = TmuxGateway(client, self._scratch)
            self._clients[server], self._gateways[server] = client, gateway
            await client.start()
        return gateway

    async def keep(self, servers: frozenset[str]) -> None:
        """Close what is connected to other servers than these."""
        for server in self._clients.keys() - servers:
            del self._gateways[server]
            await self._clients.pop(server).close()

    async def close(self) -> None:
        """Close all of them."""
        await self.keep(frozenset())
