"""Choosing the session that a control client of ours attaches to."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from orchestrator_core.models.ids import SessionId
from orchestrator_core.tmux import faults
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.formats import number, parse_rows, row_format
from orchestrator_core.tmux.process import run_tmux
from orchestrator_core.tmux.quoting import process_arguments
from orchestrator_core.tmux.version import TmuxVersion, parse_version

SURVIVES = ("0", "off")
"""Values of `#{destroy-unattached}` under which a session outlives its last client."""
_FIELDS = ("session_id", "destroy-unattached", "@tmorch_orchestration", "pid", "version")


class Candidate(Struct, frozen=True, kw_only=True):
    """A session of the server."""

    session_id: SessionId
    survives: bool
    """It stays when its last client leaves, so we may come and go."""
    is_ours: bool
    server_pid: int
    server_version: TmuxVersion | None = None


async def list_candidates(address: ServerAddress, timeout_s: float) -> list[Candidate]:
    """Return the server's sessions, by one process.

    Raises:
        TmuxGoneError: no server runs.
        TimedOutError: the server does not answer.
        TmuxCommandError: tmux answered with an error.

    """
    argv = ("list-sessions", "-F", row_format(_FIELDS))
    done = await run_tmux(address, process_arguments([argv]), timeout_s)
    if done.returncode:
        raise faults.command_failed(argv, done.stderr)
    return [_candidate(row) for row in parse_rows(done.stdout.split("\n"))]


def _candidate(row: Sequence[str]) -> Candidate:
    session, destroy_unattached, orchestration, server_pid, server_version = row
    return Candidate(
        session_id=SessionId(session),
        survives=destroy_unattached in SURVIVES,
        is_ours=bool(orchestration),
        server_pid=number(server_pid),
        server_version=parse_version(server_version),
    )


def choose(candidates: Sequence[Candidate], preferred: SessionId | None = None) -> Candidate | None:
    """Return the session to attach to: the preferred one, else one of tmorch's, else any; None when none will do."""
    fit = [candidate for candidate in candidates if candidate.survives]
    return min(fit, key=lambda c: (c.session_id != preferred, not c.is_ours), default=None)
