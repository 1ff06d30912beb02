"""Undoing a start from its journal, newest first. What holds work is kept and named."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from orchestrator_core.errors import GitCommandError, RefusedError, TmorchError
from orchestrator_core.git.worktrees import delete_branch, remove_worktree
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.services.stop import end_session
from orchestrator_core.store import Store
from orchestrator_core.tmux.address import ServerAddress


async def roll_back(
    store: Store, address: ServerAddress, orchestration: OrchestrationId, failure: str, at: float
) -> str:
    """Undo what the start of `orchestration` made and mark it failed; return what was kept, or an empty text."""
    kept: list[str] = []
    project = Path(store.orchestrations.get(orchestration).project)
    for entry in store.journal.open(orchestration):
        try:
            await _undo(address, orchestration, project, entry.kind, entry.payload)
        except TmorchError as error:
            kept.append(f"{entry.payload.get('path', entry.kind)} ({error.cause or error.title})")
            continue
        store.journal.close(entry.id)
    with store.transaction():
        store.orchestrations.update(orchestration, state=OrchestrationState.FAILED, failure=failure)
        store.proposals.not_started(orchestration)
        for agent in store.agents.of(orchestration):
            store.messages.refuse_queued(agent.id, "its team did not start")
            store.check_ins.cancel_all([agent.id], "its team did not start", at)
        store.events.add("orchestration.failed", failure, at=at, orchestration=orchestration)
    if not kept:
        return ""
    return f"kept, since it may hold work: {'; '.join(kept)}. `tmorch cleanup {orchestration}` removes it."


async def _undo(
    address: ServerAddress, orchestration: OrchestrationId, project: Path, kind: str, payload: dict[str, str]
) -> None:
    if kind == "session":
        await asyncio.to_thread(end_session, address, orchestration)
    elif kind == "folder":
        shutil.rmtree(payload["path"], ignore_errors=True)
    elif kind == "worktree":
        await _undo_worktree(project, payload)


async def _undo_worktree(project: Path, payload: dict[str, str]) -> None:
    """Remove a worktree that still is as it was made, and its branch."""
    path = Path(payload["path"])
    await remove_worktree(project, path, if_at=payload["base"])
    try:
        await delete_branch(project, payload["branch"], if_at=payload["base"])
    except (GitCommandError, RefusedError) as error:
        raise RefusedError(error.title, cause=f"branch {payload['branch']} is kept: {error.cause}") from error
    if path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()
