"""Telling the person that something needs them: in tmux's status line, by a command of theirs, by a webhook.

Whatever fails here is reported and holds nothing up. A need is marked as told before anybody is told of it, so that a
restart tells nothing twice. The terminal's bell is rung by the screen alone: tmux has no way to ring one for us.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Awaitable, Callable, Coroutine
from urllib.parse import urlsplit

import msgspec

from orchestrator_core.config.settings import LOOPBACK, NotifySettings
from orchestrator_core.errors import TmorchError, TmuxGoneError
from orchestrator_core.models.need import Need
from orchestrator_core.services.connections import Connections
from orchestrator_core.services.needs import summary_of
from orchestrator_core.store import Store

SHOWN_S = 6.0
"""How long tmux shows a message."""
MOST = 4000
"""Characters of a value in a command's environment."""
SAID = 200
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Notifier:
    """Tells of new needs, no more often than the settings say. `round` is cheap, and to be called often."""

    def __init__(
        self,
        store: Store,
        settings: NotifySettings,
        connections: Connections,
        clock: Callable[[], float],
        report: Callable[[str], None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._connections = connections
        self._clock = clock
        self._report = report
        self._revision = (-1, -1)
        self._is_due = False
        self._told_at = float("-inf")
        self._under_way: set[asyncio.Task[None]] = set()

    def round(self) -> None:
        """Begin to tell of the needs that nobody was told of; several at once are one notification."""
        revision, now = self._store.revision(), self._clock()
        if revision == self._revision and not self._is_due:
            return
        self._revision = revision
        needs = self._store.needs.unnotified()
        self._is_due = bool(needs) and 0 <= now - self._told_at < self._settings.min_interval_s
        if not needs or self._is_due:
            return
        self._told_at = now
        self._store.needs.notified([need.key for need in needs], now)
        self._tell(needs)

    async def close(self) -> None:
        """Let go of what is still being told."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _tell(self, needs: tuple[Need, ...]) -> None:
        title, document = title_of(needs), document_of(needs)
        if self._settings.tmux:
            self._start("tmux", self._show(needs, title))
        if self._settings.command:
            self._start("the command", run_command(self._settings, needs, title, document))
        if self._settings.webhook:
            self._start("the webhook", asyncio.to_thread(post, self._settings, document))

    def _start(self, way: str, telling: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(self._reported(way, telling))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _reported(self, way: str, telling: Awaitable[None]) -> None:
        try:
            await telling
        except (TmorchError, OSError, ValueError) as fault:
            self._report(f"you were not notified by {way}: {fault}")

    async def _show(self, needs: tuple[Need, ...], title: str) -> None:
        """Show the title in every client of the servers that the needs are of."""
        runs = {need.orchestration for need in needs}
        for server in {self._store.orchestrations.get(run).server for run in runs}:
            with contextlib.suppress(TmuxGoneError):  # nobody is attached to a server that is gone
                gateway = await self._connections.gateway(server)
                for client in await gateway.clients():
                    await gateway.display_message(client, title, seconds=SHOWN_S)


def title_of(needs: tuple[Need, ...]) -> str:
    """Return one line: the need, or how many there are and whose."""
    if len(needs) == 1:
        return f"needs you: {summary_of(needs[0])}"
    whose = ", ".join(dict.fromkeys(need.agent for need in needs))
    return f"{len(needs)} need you: {whose}"


def document_of(needs: tuple[Need, ...]) -> bytes:
    """Return what commands and webhooks are given, as JSON."""
    return msgspec.json.encode({"title": title_of(needs), "count": len(needs), "needs": needs})


async def run_command(settings: NotifySettings, needs: tuple[Need, ...], title: str, document: bytes) -> None:
    """Run the person's command with the needs on its stdin, and the oldest of them in its environment.

    Raises:
        OSError: it cannot be started.
        ValueError: it failed, or did not end in time and was ended.

    """
    process = await asyncio.create_subprocess_exec(
        *settings.command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **_environment(needs, title)},
        start_new_session=True,
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(document), settings.timeout_s)
    except TimeoutError:
        raise ValueError(f"{settings.command[0]} did not end within {settings.timeout_s:g} seconds") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            await process.wait()
    if process.returncode:
        words = " ".join(said.decode(errors="replace").split())[-SAID:]
        why = f"exit code {process.returncode}: {words or 'it said nothing'}"
        raise ValueError(f"{settings.command[0]} ended with {why}")


def post(settings: NotifySettings, document: bytes) -> None:
    """Post the needs to the webhook. Redirections are not followed: they might lead where nobody meant to.

    Raises:
        OSError: it cannot be reached, or answered with an error.

    """
    import urllib.request
    from http.client import HTTPException

    class NoRedirection(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: object, **kwargs: object) -> None:
            """Follow none: urllib raises the answer as an error."""

    request = urllib.request.Request(
        settings.webhook, data=document, headers={"Content-Type": "application/json", "User-Agent": "tmorch"}
    )
    direct = [urllib.request.ProxyHandler({})] if urlsplit(settings.webhook).hostname in LOOPBACK else []
    opener = urllib.request.build_opener(NoRedirection, *direct)
    try:
        opener.open(request, timeout=settings.timeout_s).close()
    except HTTPException as fault:
        raise OSError(f"it does not speak HTTP: {fault}") from fault


def _environment(needs: tuple[Need, ...], title: str) -> dict[str, str]:
    oldest = needs[0]
    values = {
        "TITLE": title,
        "COUNT": str(len(needs)),
        "KEY": oldest.key,
        "KIND": oldest.kind,
        "AGENT": oldest.agent,
        "ORCHESTRATION": oldest.orchestration,
        "DETAIL": oldest.detail,
    }
    return {f"TMORCH_NEED_{name}": _CONTROLS.sub(" ", value)[:MOST] for name, value in values.items()}
