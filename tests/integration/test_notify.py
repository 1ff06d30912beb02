"""Telling the person: each new need once, not too often, and whatever fails is said and holds nothing up."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestrator_core.config.settings import NotifySettings, Settings
from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.models.need import Need, NeedKind
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.services.connections import Connections
from orchestrator_core.services.notify import Notifier
from orchestrator_core.store import Store, open_store
from tests.conftest import MakeProject, TmuxServer
from tests.fakes.cli import make_orchestration
from tests.integration.tmux_stage import Person
from tests.polling import aeventually, eventually
from tests.rig import Rig

WRITE = """\
import os, sys
with open(sys.argv[1], "a") as file:
    file.write(os.environ["TMORCH_NEED_TITLE"] + "\\t" + sys.stdin.read() + "\\n")
"""


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path, tmux_server: TmuxServer) -> Iterator[Store]:
    made = open_store(tmp_path / "store.db")
    server = os.path.realpath(tmux_server.socket_path)
    made.orchestrations.claim(make_orchestration(state=OrchestrationState.STARTING, server=server))
    yield made
    made.close()


class Stage:
    """A notifier, its clock, and what it reported."""

    def __init__(self, store: Store, settings: NotifySettings) -> None:
        self.store = store
        self.time = Time()
        self.faults: list[str] = []
        self.connections = Connections(Settings())
        self.notifier = Notifier(store, settings, self.connections, self.time, self.faults.append)

    def need(self, role: str, detail: str = "make\x1b[31m; 日本") -> None:
        """Let an agent need the person."""
        agent = AgentId(f"shop-1a2b:{role}")
        need = Need(
            key=f"{agent}:1",
            kind=NeedKind.PERMISSION,
            orchestration=OrchestrationId("shop-1a2b"),
            agent=agent,
            detail=detail,
            since=self.time.now,
        )
        self.store.needs.add(need)

    def round(self, after: float = 0.0) -> None:
        self.time.now += after
        self.notifier.round()


@asynccontextmanager
async def staged(store: Store, **settings: Any) -> AsyncIterator[Stage]:
    made = Stage(store, NotifySettings(**{"tmux": False, **settings}))
    try:
        yield made
    finally:
        await made.notifier.close()
        await made.connections.close()


def writer(tmp_path: Path) -> tuple[tuple[str, ...], Path]:
    """A command that writes down what it is given, and where."""
    program = tmp_path / "write.py"
    program.write_text(WRITE)
    return (sys.executable, "-S", str(program), str(tmp_path / "told")), tmp_path / "told"


def told(path: Path) -> list[tuple[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [(title, json.loads(document)) for title, _, document in (line.partition("\t") for line in lines)]


async def test_a_command_is_given_the_need(store: Store, tmp_path: Path) -> None:
    command, path = writer(tmp_path)
    async with staged(store, command=command) as stage:
        stage.need("developer")
        stage.round()
        await aeventually(lambda: told(path))
        ((title, document),) = told(path)
        assert title == "needs you: shop-1a2b:developer: permission: make [31m; 日本"
        assert document["count"] == 1
        assert document["needs"][0]["detail"] == "make\x1b[31m; 日本"
        assert stage.faults == []


async def test_what_comes_within_the_interval_is_told_at_once_later(store: Store, tmp_path: Path) -> None:
    command, path = writer(tmp_path)
    async with staged(store, command=command, min_interval_s=10) as stage:
        stage.need("developer")
        stage.round()
        for role in ("tester", "lead", "writer"):
            stage.need(role)
            stage.round(after=3)
        await aeventually(lambda: told(path))
        assert len(stage.store.needs.unnotified()) == 3
        stage.round(after=1)
        await aeventually(lambda: len(told(path)) == 2)
        title, document = told(path)[1]
        assert title == "3 need you: shop-1a2b:tester, shop-1a2b:lead, shop-1a2b:writer"
        assert document["count"] == len(document["needs"]) == 3
        stage.round(after=60)
        assert stage.store.needs.unnotified() == ()


async def test_a_restart_tells_nothing_twice(store: Store, tmp_path: Path) -> None:
    command, path = writer(tmp_path)
    async with staged(store, command=command) as stage:
        stage.need("developer")
        stage.round()
        await aeventually(lambda: told(path))
    async with staged(store, command=command) as stage:
        stage.round(after=100)
        stage.need("tester")
        stage.round(after=100)
        await aeventually(lambda: len(told(path)) == 2)
        assert [document["needs"][0]["agent"] for _, document in told(path)] == [
            "shop-1a2b:developer",
            "shop-1a2b:tester",
        ]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("/nowhere/at/all",), "No such file"),
        ((sys.executable, "-S", "-c", "import sys; sys.exit('no bus')"), "exit code 1: no bus"),
        ((sys.executable, "-S", "-c", "import time; time.sleep(60)"), "did not end within 0.5 seconds"),
    ],
)
async def test_a_command_that_fails_is_reported(store: Store, command: tuple[str, ...], said: str) -> None:
    async with staged(store, command=command, timeout_s=0.5) as stage:
        stage.need("developer")
        stage.round()
        await aeventually(lambda: stage.faults)
        assert said in stage.faults[0]
        assert "by the command" in stage.faults[0]


class Hook(HTTPServer):
    """A webhook on loopback that answers with `status`, and keeps what it is sent."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.got: list[Any] = []
        super().__init__(("127.0.0.1", 0), Answering)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/needs"


class Answering(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        self.server.got.append((self.path, self.headers["Content-Type"], json.loads(self.rfile.read(size))))
        self.send_response(self.server.status)
        self.send_header("Location", f"{self.server.url}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(("status", "fault"), [(204, ""), (500, "500"), (302, "302")])
async def test_a_webhook_gets_the_need_and_is_followed_nowhere(
    store: Store, monkeypatch: pytest.MonkeyPatch, status: int, fault: str
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # loopback is asked directly
    hook = Hook(status)
    try:
        async with staged(store, webhook=hook.url) as stage:
            stage.need("developer")
            stage.round()
            await aeventually(lambda: hook.got)
            if fault:
                await aeventually(lambda: stage.faults)
            assert [fault in text for text in stage.faults] == ([True] if fault else [])
            ((path, kind, document),) = hook.got
            assert (path, kind, document["needs"][0]["agent"]) == ("/needs", "application/json", "shop-1a2b:developer")
    finally:
        hook.shutdown()
        hook.server_close()


async def test_nobody_listens_at_the_webhook(store: Store) -> None:
    hook = Hook(204)
    hook.shutdown()
    hook.server_close()
    async with staged(store, webhook=hook.url) as stage:
        stage.need("developer")
        stage.round()
        await aeventually(lambda: stage.faults)
        assert "by the webhook" in stage.faults[0]


async def test_it_is_shown_in_the_attached_tmux_clients(store: Store, tmux_server: TmuxServer) -> None:
    tmux_server.run("new-session", "-d", "-s", "work", "-x", "80", "-y", "24", "cat")
    with Person(tmux_server, "work") as person:
        eventually(lambda: tmux_server.run("list-clients"))
        async with staged(store, tmux=True) as stage:
            stage.need("developer", detail="make #{pid} %H")
            stage.round()
            await aeventually(lambda: person.sees("needs you: shop-1a2b:developer"))
            await aeventually(lambda: person.sees("make #{pid} %H"))
            assert stage.faults == []


async def test_where_no_tmux_server_runs_there_is_nobody_to_show_it_to(store: Store) -> None:
    async with staged(store, tmux=True) as stage:
        stage.need("developer")
        stage.round()
        await aeventually(lambda: not stage.notifier._under_way)
        assert stage.faults == []


async def test_with_everything_off_nobody_is_told(store: Store) -> None:
    async with staged(store) as stage:
        stage.need("developer")
        stage.round()
        assert stage.store.needs.unnotified() == ()
        assert stage.faults == []


def test_a_permission_prompt_runs_the_command_of_the_settings(
    rig: Rig, make_project: MakeProject, tmp_path: Path
) -> None:
    """The whole way: an agent asks, the supervisor lists it and runs the command; a fault of it is shown."""
    command, path = writer(tmp_path)
    rig.configure(f"[notify]\ncommand = {json.dumps(command)}\nwebhook = 'http://127.0.0.1:9/closed'\n")
    agent = rig.agent(rig.start(make_project()))
    agent.wait_status("idle")
    agent.do("permission", command="make install")
    ((title, _),) = eventually(lambda: told(path))
    assert title == f"needs you: {agent.id}: permission: make install"
    eventually(lambda: "by the webhook" in rig.store.health.read().last_error, what="the fault is not shown")
