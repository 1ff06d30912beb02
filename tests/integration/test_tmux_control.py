"""A control client of ours against real servers that come, go, hang, and move it about."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestrator_core.errors import (
    MissingProgramError,
    RefusedError,
    TimedOutError,
    TmuxCommandError,
    TmuxGoneError,
)
from orchestrator_core.models.fleet import TmuxState
from orchestrator_core.models.ids import SessionId
from orchestrator_core.tmux import control
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.control import ControlClient
from orchestrator_core.tmux.inbox import DISCONNECTED, RECONNECTED
from orchestrator_core.tmux.process import ProcessTransport
from orchestrator_core.tmux.transport import Transport
from tests.conftest import TmuxServer
from tests.integration.tmux_stage import Person, address_of
from tests.polling import aeventually, eventually

SOME_TEXT = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]) | st.sampled_from("\"'\\$;#{}~-%\n\t\r\x1b é漢"),
    min_size=1,
    max_size=40,
)


@pytest.fixture
async def client(tmux_server: TmuxServer) -> AsyncIterator[ControlClient]:
    """A client of a server with two sessions, attached to the first, `$0`."""
    tmux_server.run("new-session", "-d", "-s", "one", "cat", ";", "new-session", "-d", "-s", "two", "cat")
    async with ControlClient(address_of(tmux_server)) as client:
        yield client


def clients_of(server: TmuxServer) -> list[list[str]]:
    """Return session and flags of each of the server's clients."""
    rows = server.run("list-clients", "-F", "#{session_id} #{client_flags}").splitlines()
    return [row.split() for row in rows]


async def heard(client: ControlClient, name: str) -> bool:
    """Read notifications until one is called `name`."""
    async with asyncio.timeout(15):
        async for notification in client.notifications:
            if notification.name == name:
                return True
    return False


def skip_unless_output_is_heard(client: ControlClient) -> None:
    if not client.hears_output:
        pytest.skip("this tmux is not listened to")


async def test_it_attaches_unseen(client: ControlClient, tmux_server: TmuxServer) -> None:
    assert (client.state, client.session, client.detail) == (TmuxState.CONNECTED, "$0", "")
    assert client.server_pid == tmux_server.pid
    ((session, flags),) = clients_of(tmux_server)
    assert session == "$0"
    assert {"control-mode", "ignore-size", "no-output", "UTF-8"} <= set(flags.split(","))


async def test_tmorchs_own_session_is_preferred(tmux_server: TmuxServer) -> None:
    tmux_server.run("new-session", "-d", "cat", ";", "new-session", "-d", "cat")
    tmux_server.run("set-option", "-t", "$1", "@tmorch_orchestration", "shop-3f2a")
    async with ControlClient(address_of(tmux_server), read_only=True, output=True) as client:
        assert client.session == "$1"
        output = "pause-after=1" if client.hears_output else "no-output"
        assert {"read-only", output} <= set(clients_of(tmux_server)[0][1].split(","))


async def test_replies_belong_to_their_commands(client: ControlClient) -> None:
    said = ["display-message", "-p"]
    branch = ["if-shell", "-F", "1", "display-message -p inner"]
    untaken = ["if-shell", "-F", "0", "display-message -p inner"]
    broken = ["if-shell", "-F", "1", "capture-pane -t %99"]
    replies = await client.pipeline(
        [[*said, "a"], ["no-such"], branch, [*said, "%%end 1 1 1"], untaken, broken, [*said, ""], [*said, "z"]]
    )
    assert [reply.ok for reply in replies] == [True, False, True, True, True, False, True, True]
    assert [reply.lines[:1] for reply in replies][0::2] == [("a",), ("inner",), (), ("",)]
    assert replies[3].lines == ("%end 1 1 1",)
    assert replies[-1].lines == ("z",)
    assert await client.pipeline([]) == []
    with pytest.raises(TmuxCommandError, match="no-such failed") as caught:
        await client.command("no-such")
    assert "unknown command" in caught.value.stderr


async def test_commands_at_once_from_many_tasks(client: ControlClient) -> None:
    answers = await asyncio.gather(*(client.command("display-message", "-p", str(n)) for n in range(200)))
    assert [answer[0] for answer in answers] == [str(n) for n in range(200)]


async def test_a_command_that_was_given_up_does_not_shift_the_others(client: ControlClient) -> None:
    tasks = [asyncio.create_task(client.command("display-message", "-p", str(n))) for n in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [answer for answer in done if isinstance(answer, list)] == [[str(n)] for n in range(1, 20, 2)]


class Teller:
    """Says something to tmux, and finds out byte by byte what it heard."""

    def __init__(self, transport: Transport, file: Path, runner: asyncio.Runner) -> None:
        self._transport = transport
        self._file = file
        self._runner = runner

    def tell(self, text: str) -> bytes:
        self._runner.run(self._transport.command("set-buffer", "-b", "said", "--", text))
        self._runner.run(self._transport.command("save-buffer", "-b", "said", str(self._file)))
        return self._file.read_bytes()


@pytest.fixture(params=["control", "process"])
def teller(request: pytest.FixtureRequest, tmux_server: TmuxServer, tmp_path: Path) -> Iterator[Teller]:
    """A teller over each kind of transport."""
    tmux_server.run("new-session", "-d", "cat")
    with asyncio.Runner() as runner:
        if request.param == "process":
            yield Teller(ProcessTransport(address_of(tmux_server)), tmp_path / "said", runner)
            return

        async def start() -> ControlClient:
            client = ControlClient(address_of(tmux_server))
            await client.start()
            return client

        client = runner.run(start())
        yield Teller(client, tmp_path / "said", runner)
        runner.run(client.close())


@given(text=SOME_TEXT)
@example(text="~")
@example(text="~root/x")
@example(text="\\;")
@example(text=";")
@example(text="a;")
@example(text="-x")
@example(text="--")
@example(text="%if 1")
@example(text="a\n  # no comment\n  b")
@example(text="#{pane_id}#(date)")
@example(text="$HOME ${HOME} \\$HOME \\u00e9")
@example(text='it\'s "quoted"')
@example(text="'~")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
def test_arguments_reach_tmux_to_the_character(teller: Teller, text: str) -> None:
    assert teller.tell(text) == text.encode()


def test_bytes_that_are_no_text_reach_tmux_too(teller: Teller) -> None:
    name = b"caf\xe9 \xff'"
    assert teller.tell(os.fsdecode(name)) == name


async def test_an_empty_argument_and_a_user_option(client: ControlClient) -> None:
    for value in ("", "-v #{x} 'y' \"z\" $A ~ \\ ; é;"):
        await client.command("set-option", "-t", "$0", "@tmorch_test", value)
        assert await client.command("show-options", "-v", "-t", "$0", "@tmorch_test") == [value]


async def test_notifications_tell_of_windows(client: ControlClient, tmux_server: TmuxServer) -> None:
    tmux_server.run("new-window", "-d", "-t", "$0:", "cat")
    assert await heard(client, "window-add")


async def test_output_is_heard_where_it_is_wanted(tmux_server: TmuxServer) -> None:
    tmux_server.run("new-session", "-d", "cat", ";", "new-session", "-d", "cat")
    async with ControlClient(address_of(tmux_server), output=True) as client:
        skip_unless_output_is_heard(client)
        await client.switch(SessionId("$1"))
        assert client.session == "$1"
        tmux_server.run("send-keys", "-t", "%1", "hello", "Enter")
        async for notification in client.notifications:
            if notification.name == "extended-output":
                assert (notification.pane, notification.data) == ("%1", b"")
                break
        tmux_server.run("kill-session", "-t", "$0")
        assert await client.command("display-message", "-p", "still here") == ["still here"]
        with pytest.raises(TmuxCommandError):
            await client.switch(SessionId("$0"))
        assert client.session == "$1"


async def test_no_window_changes_its_size(tmux_server: TmuxServer) -> None:
    def size() -> str:
        return tmux_server.run("display-message", "-p", "-t", "%0", "#{window_width}x#{window_height}")

    tmux_server.run("new-session", "-d", "-s", "one", "-x", "120", "-y", "40", "cat")
    before = size()
    async with ControlClient(address_of(tmux_server), output=True) as client:
        await client.command("display-message", "-p", "x")
        assert size() == before
        with Person(tmux_server, "one", columns=70, rows=20) as person:
            await aeventually(lambda: size() == "70x19")
            person.resize(90, 25)
            await aeventually(lambda: size() == "90x24")
        await client.command("display-message", "-p", "x")
        assert size() == "90x24"


@pytest.mark.parametrize("detach_on_destroy", ["on", "off"])
async def test_its_session_is_killed(client: ControlClient, tmux_server: TmuxServer, detach_on_destroy: str) -> None:
    tmux_server.run("set-option", "-g", "detach-on-destroy", detach_on_destroy)
    tmux_server.run("kill-session", "-t", "$0")
    assert await client.command("list-sessions", "-F", "#{session_id}") == ["$1"]
    await aeventually(lambda: client.session == "$1")
    assert client.state is TmuxState.CONNECTED
    assert await heard(client, DISCONNECTED)
    assert await heard(client, RECONNECTED)


async def test_a_person_detaches_everybody_else(client: ControlClient, tmux_server: TmuxServer) -> None:
    for _ in range(3):
        tmux_server.run("detach-client", "-s", "$0")
        assert await heard(client, RECONNECTED)
        assert await client.command("display-message", "-p", "here") == ["here"]


async def test_the_server_dies_and_another_takes_its_place(client: ControlClient, tmux_server: TmuxServer) -> None:
    first = client.server_pid
    tmux_server.kill()
    await aeventually(lambda: client.state is TmuxState.NO_SERVER)
    with pytest.raises(TmuxGoneError) as caught:
        await client.command("list-sessions")
    assert caught.value.remedy
    assert "nothing listens" in client.detail
    tmux_server.run("new-session", "-d", "-s", "again", "cat")
    assert await client.command("list-sessions", "-F", "#{session_name}") == ["again"]
    assert await heard(client, RECONNECTED)
    assert client.server_pid == tmux_server.pid != first


async def test_a_server_that_comes_later(tmux_server: TmuxServer) -> None:
    async with ControlClient(address_of(tmux_server)) as client:
        assert client.state is TmuxState.NO_SERVER
        with pytest.raises(TmuxGoneError):
            await client.command("list-sessions")
        assert not client.address.is_listening(), "it must not start one"
        tmux_server.run("new-session", "-d", "cat")
        await aeventually(lambda: client.state is TmuxState.CONNECTED)
        assert await heard(client, RECONNECTED)


async def test_a_wedged_server_is_told_from_a_dead_one(tmux_server: TmuxServer) -> None:
    tmux_server.run("new-session", "-d", "cat")
    server = tmux_server.pid
    async with ControlClient(address_of(tmux_server), timeout_s=0.4) as client:
        os.kill(server, signal.SIGSTOP)
        try:
            for _ in range(2):
                with pytest.raises(TimedOutError) as caught:
                    await client.command("set-option", "-g", "@tmorch_test", "1")
                assert caught.value.code == "tmux-wedged"
            await aeventually(lambda: client.state is TmuxState.CONNECTING)
        finally:
            os.kill(server, signal.SIGCONT)
        await aeventually(lambda: client.state is TmuxState.CONNECTED)
        assert await client.command("display-message", "-p", "back") == ["back"]


async def test_a_session_that_ends_with_its_last_client_is_left_alone(
    tmux_server: TmuxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "LOOK_AGAIN_S", 0.1)
    tmux_server.run("new-session", "-d", "-s", "frail", "cat")
    with Person(tmux_server, "frail"):
        await aeventually(lambda: clients_of(tmux_server))
        tmux_server.run("set-option", "-t", "frail", "destroy-unattached", "on")
        async with ControlClient(address_of(tmux_server)) as client:
            assert (client.state, client.session) == (TmuxState.CONNECTED, None)
            assert "one process a command" in client.detail
            assert await client.command("list-sessions", "-F", "#{session_name}") == ["frail"]
            assert len(clients_of(tmux_server)) == 1
            tmux_server.run("new-session", "-d", "-s", "sturdy", "cat")
            await aeventually(lambda: client.session == "$1")
            assert await heard(client, RECONNECTED)
            with pytest.raises(RefusedError) as caught:
                await client.switch(SessionId("$0"))
            assert caught.value.code == "destroy-unattached"
            assert client.session == "$1"
        assert tmux_server.run("list-sessions", "-F", "#{session_name}").split() == ["frail", "sturdy"]


async def test_tmux_moves_it_to_such_a_session(tmux_server: TmuxServer) -> None:
    tmux_server.run("set-option", "-g", "detach-on-destroy", "off", ";", "new-session", "-d", "-s", "frail", "cat")
    tmux_server.run("new-session", "-d", "-s", "home", "cat")
    tmux_server.run("set-option", "-t", "home", "@tmorch_orchestration", "shop-3f2a")
    with Person(tmux_server, "frail"):
        await aeventually(lambda: clients_of(tmux_server))
        async with ControlClient(address_of(tmux_server)) as client:
            assert client.session == "$1"
            tmux_server.run("set-option", "-t", "frail", "destroy-unattached", "on")
            tmux_server.run("kill-session", "-t", "home")
            await aeventually(lambda: "one process a command" in client.detail)
            await aeventually(lambda: len(clients_of(tmux_server)) == 1)


async def test_no_tmux_at_all(tmux_server: TmuxServer) -> None:
    address = ServerAddress(bin="no-such-tmux", socket_path=tmux_server.socket_path)
    async with ControlClient(address) as client:
        assert client.state is TmuxState.MISSING
        for _ in range(2):
            with pytest.raises(MissingProgramError):
                await client.command("list-sessions")


CONTROL_MODES = {
    "never answers": "exec sleep 1000",
    "ends at once": "printf '%%begin 1 1 0\\n%%end 1 1 0\\n'; exit 0",
    "is refused": "printf '%%begin 1 1 0\\nno\\n%%error 1 1 0\\n%%exit\\n'; exit 1",
    "fails": "echo 'protocol version mismatch' >&2; exit 1",
}


@pytest.mark.parametrize("script", CONTROL_MODES.values(), ids=CONTROL_MODES.keys())
async def test_where_control_mode_does_not_work_commands_go_by_process(
    tmux_server: TmuxServer, tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "ATTACH_TIMEOUT_S", 0.5)
    program = tmp_path / "tmux"
    program.write_text(f'#!/bin/sh\ncase " $* " in *\' -C \'*) {script};; *) exec tmux "$@";; esac\n')
    program.chmod(0o755)
    tmux_server.run("new-session", "-d", "cat")
    address = ServerAddress(bin=str(program), socket_path=address_of(tmux_server).socket_path)
    async with ControlClient(address) as client:
        for n in range(20):
            assert await client.command("display-message", "-p", str(n)) == [str(n)]
        await aeventually(lambda: "one process a command" in client.detail)
        assert client.state is TmuxState.CONNECTED
        assert client.session is None


def children() -> list[str]:
    """Our own tmux clients; other tests of this process may have left other programs."""
    return [
        child.name() for child in psutil.Process().children() if "tmux" in child.name() and child.status() != "zombie"
    ]


async def test_nothing_is_left_after_close(client: ControlClient, tmux_server: TmuxServer) -> None:
    assert children()
    await client.close()
    assert not children()
    await aeventually(lambda: not clients_of(tmux_server))
    with pytest.raises(TmuxGoneError):
        await client.command("list-sessions")
    assert not [n async for n in client.notifications if n.name in (DISCONNECTED, RECONNECTED)]
    await client.close()
    await client.start()
    assert not children()


def test_nothing_is_left_when_the_loop_ends_without_close(tmux_server: TmuxServer) -> None:
    tmux_server.run("new-session", "-d", "cat")

    async def forget() -> None:
        client = ControlClient(address_of(tmux_server))
        await client.start()
        assert children()

    asyncio.run(forget())
    eventually(lambda: not children())
    eventually(lambda: not clients_of(tmux_server))


HOLDER = """
import asyncio, sys, time
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.control import ControlClient

async def hold():
    await ControlClient(ServerAddress(socket_path=sys.argv[1])).start()
    time.sleep(600)

asyncio.run(hold())
"""
"""A program that attaches, and then reads nothing any more."""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with the one that started it")
def test_it_ends_with_its_owner_whatever_the_server_has_left_to_say(tmux_server: TmuxServer) -> None:
    """A server that cannot say its last word to a control client neither lets it go nor ends itself (tmux 3.3a)."""
    tmux_server.run("new-session", "-d", "cat")
    owner = subprocess.Popen((sys.executable, "-c", HOLDER, address_of(tmux_server).socket_path))
    eventually(lambda: clients_of(tmux_server))
    for number in range(40):
        names = (("rename-window", f"{number}-{more}" * 100, ";") for more in range(20))
        tmux_server.run(*itertools.chain.from_iterable(names))
    owner.kill()
    owner.wait()
    eventually(lambda: not clients_of(tmux_server))


async def test_starting_can_be_cancelled(tmux_server: TmuxServer) -> None:
    tmux_server.run("new-session", "-d", "cat")
    client = ControlClient(address_of(tmux_server))
    starting = asyncio.create_task(client.start())
    await asyncio.sleep(0)
    starting.cancel()
    await client.close()
    await aeventually(lambda: not children())


async def test_a_flood_does_not_keep_commands_waiting(tmux_server: TmuxServer) -> None:
    tmux_server.run("new-session", "-d", "yes")
    async with ControlClient(address_of(tmux_server), output=True) as client:
        skip_unless_output_is_heard(client)
        assert await heard(client, "extended-output")
        answers = [await client.command("display-message", "-p", str(n)) for n in range(50)]
        assert answers == [[str(n)] for n in range(50)]


async def test_one_process_for_many_commands(tmux_server: TmuxServer) -> None:
    tmux_server.run("new-session", "-d", "cat")
    transport = ProcessTransport(address_of(tmux_server))
    said = ["display-message", "-p"]
    replies = await transport.pipeline(
        [
            [*said, "a"],
            ["capture-pane", "-p", "-t", "%99"],
            [*said, ""],
            ["if-shell", "-F", "1", "display-message -p inner"],
            ["if-shell", "-F", "1", "capture-pane -p -t %99"],
            ["set-option", "-t", "$0", "@x", "y;"],
            [*said, "#{@x}"],
        ]
    )
    assert [reply.ok for reply in replies] == [True, False, True, True, False, True, True]
    assert [reply.lines for reply in replies if reply.ok] == [("a",), ("",), ("inner",), (), ("y;",)]
    assert {reply.lines for reply in replies if not reply.ok} == {("can't find pane: %99",)}


async def test_a_process_starts_no_server(tmux_server: TmuxServer) -> None:
    transport = ProcessTransport(address_of(tmux_server))
    with pytest.raises(TmuxGoneError):
        await transport.command("list-sessions")
    with pytest.raises(TmuxGoneError):
        await transport.command("new-session", "-d")
    with pytest.raises(MissingProgramError):
        await ProcessTransport(ServerAddress(bin="no-such-tmux", socket_path="/s")).command("list-sessions")
