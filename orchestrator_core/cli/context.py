"""What a command may use: its surroundings, opened when first asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Never, TextIO, cast

from orchestrator_core.cli.diagnostics import Diagnostics
from orchestrator_core.cli.output import Output
from orchestrator_core.cli.parsing import asks_for_json

if TYPE_CHECKING:
    from orchestrator_core.config.paths import Paths
    from orchestrator_core.config.settings import Settings
    from orchestrator_core.models.agent import Agent
    from orchestrator_core.models.pane import Pane
    from orchestrator_core.orchestrator import Orchestrator
    from orchestrator_core.services.doctor import Check
    from orchestrator_core.services.setup import SetupReport
    from orchestrator_core.store.quick import QuickStore


class Context:
    """The process a command runs in, and the parts of tmorch it may call.

    Nothing is imported or opened before it is asked for: `send` and `whoami` must start quickly.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        environ: Mapping[str, str],
        stdin: TextIO,
        stdout: TextIO,
        stderr: TextIO,
    ) -> None:
        self.environ = dict(environ)
        self.stdin = stdin
        self.interactive = stdin.isatty() and stdout.isatty()
        """Whether a person is there to answer."""
        self.out = Output(stdout, as_json=asks_for_json(arguments), environ=self.environ)
        self.note = Diagnostics(stderr, self.environ)

    @classmethod
    def of_process(cls, arguments: Sequence[str]) -> Context:
        """Return the context of this very process; a stream that was closed is replaced by nothing."""
        for stream in (sys.stdout, sys.stderr):
            # A name from the file system or another program must never end a command by its bytes.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        return cls(
            arguments,
            environ=os.environ,
            stdin=sys.stdin or _nothing("r"),
            stdout=sys.stdout or _nothing("w"),
            stderr=sys.stderr or _nothing("w"),
        )

    @cached_property
    def paths(self) -> Paths:
        """Where settings and state live."""
        from orchestrator_core.config.paths import Paths

        return Paths.from_env(self.environ)

    @cached_property
    def settings(self) -> Settings:
        """The person's settings.

        Raises:
            SettingsError: the file or a variable has something that is no setting.

        """
        from orchestrator_core.config.settings import load_settings

        return load_settings(self.paths, self.environ)

    @property
    def pane(self) -> str:
        """The tmux pane this process runs in; empty outside tmux."""
        return self.environ.get("TMUX_PANE", "")

    @property
    def server(self) -> str:
        """The socket path of the tmux server this process runs in; empty outside tmux."""
        return self.environ.get("TMUX", "").rsplit(",", 2)[0]

    def has_store(self) -> bool:
        """Whether anything was ever stored."""
        return self.paths.database.exists()

    def quick_store(self) -> QuickStore:
        """Open the outbox and the list of agents; the caller closes it.

        Raises:
            StoreError: there is no database yet, or it is not of this version.

        """
        from orchestrator_core.store.quick import QuickStore

        return QuickStore(self.paths.database)

    def orchestrator(self) -> Orchestrator:
        """Return a new facade; the caller closes it."""
        from orchestrator_core.bootstrap import build

        return build(self.environ)

    def onlooker(self) -> Orchestrator:
        """Return a new facade that writes nothing into the state folder; the caller closes it."""
        from orchestrator_core.bootstrap import onlooker

        return onlooker(self.environ)

    def adopt(self, target: str) -> Agent:
        """Make an agent of one that the person started by hand in the pane that `target` names.

        Raises as `Orchestrator.adopt`.
        """
        from orchestrator_core.cli.facade import with_orchestrator

        return with_orchestrator(self, lambda orchestrator: orchestrator.adopt(target))

    def ensure_supervisor(self) -> None:
        """Start the supervisor unless it runs."""
        from orchestrator_core.supervisor.spawn import ensure_running

        ensure_running(self.paths)

    def is_listening(self, server: str) -> bool:
        """Whether a tmux server answers on the socket `server`."""
        from orchestrator_core.tmux.address import ServerAddress

        return ServerAddress(socket_path=server).is_listening()

    def panes(self, server: str) -> tuple[Pane, ...]:
        """Return the panes of the tmux server on the socket `server`.

        Raises:
            MissingProgramError: there is no tmux, or no server on that socket.
            TimedOutError: the server does not answer.

        """
        import asyncio

        from orchestrator_core.tmux.address import ServerAddress
        from orchestrator_core.tmux.gateway import TmuxGateway
        from orchestrator_core.tmux.process import ProcessTransport

        address = ServerAddress(bin=self.settings.tmux.bin, socket_path=server)
        return asyncio.run(TmuxGateway(ProcessTransport(address)).list_panes())

    def make_scratch_project(self, folder: Path, seed: int) -> Path:
        """Make a small new repository below `folder`, for a demo, and return its path."""
        import asyncio

        from orchestrator_core.services.demo import make_scratch_project

        return asyncio.run(make_scratch_project(folder, seed))

    def set_up(self) -> SetupReport:
        """Make what is missing of settings, folders and database, and look for the programs."""
        import asyncio

        from orchestrator_core.services.setup import setup

        return asyncio.run(setup(self.paths, self.settings, self.environ))

    def examine(self) -> tuple[Check, ...]:
        """Look at everything tmorch needs; raises nothing."""
        import asyncio

        from orchestrator_core.services.doctor import examine
        from orchestrator_core.supervisor import control

        return asyncio.run(examine(self.paths, lambda store: control.health(self.paths, store), environ=self.environ))

    def become(self, argv: Sequence[str]) -> Never:
        """Replace this process by another program."""
        self.out.flush()
        os.execve(argv[0], list(argv), self.environ)


def _nothing(mode: str) -> TextIO:
    return cast(TextIO, Path(os.devnull).open(mode))  # lives as long as the process
