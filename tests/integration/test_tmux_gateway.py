"""What the gateway reads and types, over both kinds of transport."""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator_core.errors import NotFoundError, RefusedError
from orchestrator_core.models.ids import AgentId, PaneId
from orchestrator_core.tmux.control import ControlClient
from orchestrator_core.tmux.gateway import TmuxGateway
from orchestrator_core.tmux.process import ProcessTransport
from orchestrator_core.tmux.version import TmuxVersion
from tests.conftest import TmuxServer
from tests.integration.tmux_stage import Person, address_of, taker, until
from tests.polling import aeventually, eventually

SGR = re.compile(r"\x1b\[[0-9;]*m")
FIRST, GONE = PaneId("%0"), PaneId("%99")


@pytest.fixture(params=["control", "process"])
async def gateway(
    request: pytest.FixtureRequest, tmux_server: TmuxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TmuxGateway]:
    """A gateway to a server whose first pane, `%0`, is 60 columns by 10 rows and runs a shell."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    tmux_server.run("new-session", "-d", "-s", "stage", "-x", "60", "-y", "10", "exec sh")
    tmux_server.run("resize-window", "-t", "@0", "-x", "60", "-y", "10")
    if request.param == "process":
        yield TmuxGateway(ProcessTransport(address_of(tmux_server)))
        return
    async with ControlClient(address_of(tmux_server)) as client:
        yield TmuxGateway(client)


def shows(server: TmuxServer, text: str, pane: str = FIRST) -> None:
    """Have `text`, with escapes as of printf, stand alone on the screen of `pane` until the test ends."""
    server.run(
        "respawn-pane", "-k", "-t", pane, "sh", "-c", 'printf "$1"; printf "\\033[6 q"; exec sleep 100', "sh", text
    )
    eventually(lambda: server.run("display-message", "-p", "-t", pane, "#{pane_current_command}") == "sleep")


async def test_server_facts(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    facts = await gateway.server_facts()
    assert (facts.pid, facts.socket_path) == (tmux_server.pid, address_of(tmux_server).socket_path)
    assert facts.version is not None
    assert facts.started_at > 0


async def test_odd_names_come_back(gateway: TmuxGateway, tmux_server: TmuxServer, tmp_path: Path) -> None:
    folder = tmp_path / "a|b;c\\d #{e} $f"
    folder.mkdir()
    tmux_server.run("new-session", "-d", "-s", "two words é", "-c", str(folder).replace("#", "##"), "exec sleep 100")
    eventually(lambda: tmux_server.run("display-message", "-p", "-t", "%1", "#{pane_current_command}") == "sleep")
    tmux_server.run("rename-window", "-t", "@1", "w|;='\"x  ")
    tmux_server.run("select-pane", "-t", "%1", "-T", "título | ; 漢")
    pane = next(pane for pane in await gateway.list_panes() if pane.pane_id == "%1")
    assert (pane.session, pane.window, pane.title) == ("two words é", "w|;='\"x  ", "título | ; 漢")
    assert (pane.path, pane.command, pane.active, pane.dead) == (str(folder), "sleep", True, False)
    assert (pane.agent_tag, pane.orchestration_tag) == ("", "")


async def test_a_folder_with_a_line_break_spoils_no_row(
    gateway: TmuxGateway, tmux_server: TmuxServer, tmp_path: Path
) -> None:
    folder = tmp_path / "a\n|;b"
    folder.mkdir()
    tmux_server.run("new-window", "-d", "-c", str(folder), "exec sleep 100")
    panes = await gateway.list_panes()
    assert [pane.pane_id for pane in panes] == ["%0", "%1"]
    assert panes[1].path in ("", str(folder))  # tmux 3.7 does not tell such a folder


async def test_tags_and_linked_windows(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    tmux_server.run(
        "new-session", "-d", "-s", "zz", "exec sleep 100", ";", "split-window", "-d", "-t", "zz:", "exec sleep 100"
    )
    tmux_server.run("set-option", "-t", "zz", "@tmorch_orchestration", "shop-3f2a")
    tmux_server.run("set-option", "-p", "-t", "%1", "@tmorch_agent", "shop-3f2a:developer")
    tmux_server.run("link-window", "-d", "-s", "@1", "-t", "stage:")
    panes = {pane.pane_id: pane for pane in await gateway.list_panes()}
    assert sorted(panes) == ["%0", "%1", "%2"]
    assert (panes[PaneId("%1")].session, panes[PaneId("%1")].agent_tag) == ("zz", "shop-3f2a:developer")
    assert (panes[PaneId("%2")].orchestration_tag, panes[PaneId("%2")].agent_tag) == ("shop-3f2a", "")
    assert (panes[PaneId("%1")].active, panes[PaneId("%2")].active) == (True, False)


async def test_how_panes_ended(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    tmux_server.run("set-option", "-g", "remain-on-exit", "on")
    tmux_server.run("new-window", "-d", "exit 3", ";", "new-window", "-d", "kill -9 $$")

    async def both_ended() -> bool:
        await gateway.reap()
        panes = await gateway.list_panes()
        return [(pane.dead, pane.exit_status) for pane in panes] == [(False, None), (True, 3), (True, None)]

    await until(both_ended)


async def test_a_picture(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    shows(tmux_server, r"plain\n\033[31mred\n漢é\033[0m\n\033[44mbar    \033[0m\nat")
    frame = await gateway.capture(FIRST)
    assert (frame.pane, frame.width, frame.height, len(frame.lines)) == (FIRST, 60, 10, 10)
    assert [SGR.sub("", line).rstrip() for line in frame.lines[:3]] == ["plain", "red", "漢é"]
    assert "\x1b[31mred" in frame.lines[1]
    assert "bar    " in frame.lines[3], "painted spaces are part of the picture"
    assert (frame.cursor.x, frame.cursor.y, frame.cursor.visible) == (2, 4, True)
    assert (frame.history, frame.alternate, frame.in_mode, frame.dead) == (0, False, False, False)
    assert (frame.command, frame.pid) == (
        "sleep",
        int(tmux_server.run("display-message", "-p", "-t", FIRST, "#{pane_pid}")),
    )


async def test_a_style_that_began_above_the_screen_is_not_lost(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    shows(tmux_server, r"\033[31m" + "".join(f"line {n}\\n" for n in range(30)) + "end")
    for history in (0, 3):
        assert "\x1b[31m" in (await gateway.capture(FIRST, history=history)).lines[0]


async def test_scrollback(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    shows(tmux_server, "".join(f"line {n}\\n" for n in range(30)) + "end")
    frame = await gateway.capture(FIRST, history=5)
    assert (frame.history, frame.history_size, len(frame.lines)) == (5, 21, 15)
    assert frame.lines[0].rstrip() == "line 16"
    everything = await gateway.capture(FIRST, history=10_000)
    assert (everything.history, everything.lines[0].rstrip(), everything.lines[-1].rstrip()) == (21, "line 0", "end")


async def test_alternate_screen_hidden_cursor_and_copy_mode(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    shows(tmux_server, r"\033[?1049h\033[?25lfull screen")
    tmux_server.run("copy-mode", "-t", FIRST)
    frame = await gateway.capture(FIRST)
    assert (frame.alternate, frame.cursor.visible, frame.in_mode) == (True, False, True)
    assert frame.lines[0].rstrip() == "full screen"


async def test_a_dead_pane_keeps_its_picture(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    tmux_server.run("set-option", "-w", "-t", "@0", "remain-on-exit", "on")
    tmux_server.run("respawn-pane", "-k", "-t", FIRST, "printf 'last words'; sleep 0.1; exit 1")

    async def is_dead() -> bool:
        return (await gateway.capture(FIRST)).dead

    await until(is_dead)
    frame = await gateway.capture(FIRST, history=50)
    assert "last words" in "\n".join(frame.lines)


async def test_twelve_pictures_at_once_and_the_vanished_left_out(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    for n in range(1, 12):
        tmux_server.run("new-window", "-d", f"printf 'pane {n}'; exec sleep 100")
    panes = [PaneId(f"%{n}") for n in range(1, 12)]

    async def all_there() -> bool:
        frames = await gateway.captures([GONE, *panes, PaneId("%98")])
        return [frames[pane].lines[0].rstrip() for pane in panes] == [f"pane {n}" for n in range(1, 12)]

    await until(all_there)
    assert list(await gateway.captures([GONE, *panes, PaneId("%98")])) == panes
    many = await gateway.captures([*panes * 4])
    assert sorted(many) == sorted(panes)
    assert await gateway.captures([]) == {}


async def test_what_is_gone_is_said_to_be(gateway: TmuxGateway) -> None:
    for asked in (
        gateway.capture(GONE),
        gateway.paste(GONE, "x"),
        gateway.press(GONE, "Enter"),
        gateway.leave_mode(GONE),
        gateway.client_of(GONE),
        gateway.switch_client("/dev/pts/nowhere", FIRST),
    ):
        with pytest.raises(NotFoundError):
            await asked
    await gateway.display_message("/dev/pts/nowhere", "nobody sees it")


async def test_modes_are_left(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    for mode in (("copy-mode",), ("clock-mode",), ("choose-tree",), ("copy-mode",)):
        tmux_server.run(*mode, "-t", FIRST)
    await gateway.leave_mode(FIRST)
    assert not (await gateway.capture(FIRST)).in_mode
    await gateway.leave_mode(FIRST)


@pytest.fixture
def taken(gateway: TmuxGateway, tmux_server: TmuxServer, tmp_path: Path) -> Path:
    """A file with what the program in `%0` was given; it asks for bracketed pastes."""
    return start_taker(tmux_server, tmp_path / "taken")


def start_taker(server: TmuxServer, path: Path, *, brackets: bool = True) -> Path:
    server.run("respawn-pane", "-k", "-t", FIRST, "--", *taker(path, brackets=brackets))
    eventually(lambda: "ready" in server.screen(FIRST))
    return path


NASTY = {
    "semicolon": "fix;",
    "escaped semicolon": "fix\\;",
    "option": "-x",
    "key name": "Enter",
    "shell": "$(date) `id` #{pane_id} #(id) ~ $HOME 'q' \"q\" \\ ",
    "lines": "one\ntwo\n\nthree\n",
    "crlf": "one\r\ntwo\rthree",
    "paste end": "before \x1b[201~\x1b[200~ after",
    "controls": "a\tb\x00\x07\x7fc\x9b31m",
    "unicode": "漢字 🏳️‍🌈 e\u0301 \u202e rtl \ufeff",
    "10 kB": "0123456789 é漢\n" * 600,
}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
async def test_a_paste_arrives_to_the_byte(
    gateway: TmuxGateway, taken: Path, tmux_server: TmuxServer, text: str
) -> None:
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    for control in "\x00\x07\x1b\x7f\x9b":
        expected = expected.replace(control, "")
    await gateway.paste(FIRST, text)
    whole = b"\x1b[200~" + expected.encode() + b"\x1b[201~"
    await aeventually(lambda: taken.read_bytes() == whole)
    assert_nothing_left(tmux_server)


def assert_nothing_left(server: TmuxServer) -> None:
    assert server.run("list-buffers") == ""
    assert list(Path(tempfile.gettempdir()).iterdir()) == []


async def test_a_megabyte(gateway: TmuxGateway, taken: Path, tmux_server: TmuxServer) -> None:
    text = "".join(f"{n:07} é\n" for n in range(100_000))
    await gateway.paste(FIRST, text)
    whole = len(text.encode()) + 12
    await aeventually(lambda: taken.stat().st_size == whole)
    assert taken.read_bytes()[6:-6] == text.encode()
    assert_nothing_left(tmux_server)


async def test_no_brackets_for_a_program_that_did_not_ask(
    gateway: TmuxGateway, tmux_server: TmuxServer, tmp_path: Path
) -> None:
    taken = start_taker(tmux_server, tmp_path / "plain", brackets=False)
    await gateway.paste(FIRST, "one\ntwo")
    await aeventually(lambda: taken.read_bytes() == b"one\ntwo")


async def test_pastes_and_keys_keep_their_order(gateway: TmuxGateway, taken: Path) -> None:
    await gateway.paste(FIRST, "one")
    await gateway.press(FIRST, "Enter")
    for key in ("Escape", "Up", "7", "y", "C-s"):
        await gateway.press(FIRST, key)
    await aeventually(lambda: taken.read_bytes() == b"\x1b[200~one\x1b[201~\r\x1b\x1b[A7y\x13")


async def test_only_known_keys_are_pressed(gateway: TmuxGateway, taken: Path) -> None:
    for key in ("C-c", "C-S-a", "enter", "a", ""):
        with pytest.raises(ValueError, match="not a key"):
            await gateway.press(FIRST, key)
    with pytest.raises(ValueError, match="nothing to paste"):
        await gateway.paste(FIRST, "\x1b\x00")
    assert taken.read_bytes() == b""


async def test_a_paste_into_nowhere_leaves_nothing(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    with pytest.raises(NotFoundError):
        await gateway.paste(GONE, "secret")
    assert_nothing_left(tmux_server)


async def test_a_dead_pane_is_refused_and_the_server_lives(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    tmux_server.run("set-option", "-w", "-t", "@0", "remain-on-exit", "on")
    tmux_server.run("respawn-pane", "-k", "-t", FIRST, "exit 0")
    await aeventually(lambda: tmux_server.run("display-message", "-p", "-t", FIRST, "#{pane_dead}") == "1")
    for typed in (gateway.paste(FIRST, "x"), gateway.press(FIRST, "Enter")):
        with pytest.raises(RefusedError) as caught:
            await typed
        assert caught.value.code == "pane-dead"
    assert_nothing_left(tmux_server)


async def test_a_pane_that_takes_no_input_is_refused(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    tmux_server.run("select-pane", "-d", "-t", FIRST)
    with pytest.raises(RefusedError) as caught:
        await gateway.paste(FIRST, "x")
    assert caught.value.code == "pane-locked"


async def test_only_the_agent_meant_gets_it(gateway: TmuxGateway, taken: Path, tmux_server: TmuxServer) -> None:
    mine, other = AgentId("shop-3f2a:developer"), AgentId("shop-3f2a:tester")
    for tag in ("", mine):
        with pytest.raises(RefusedError) as caught:
            await gateway.paste(FIRST, "not for you", agent=other)
        assert caught.value.code == "not-this-agent"
        tmux_server.run("set-option", "-p", "-t", FIRST, "@tmorch_agent", tag or mine)
    await gateway.paste(FIRST, "for you", agent=mine)
    await gateway.press(FIRST, "Enter", agent=mine)
    await aeventually(lambda: taken.read_bytes() == b"\x1b[200~for you\x1b[201~\r")
    assert_nothing_left(tmux_server)


async def test_a_persons_client_is_found_switched_and_told(gateway: TmuxGateway, tmux_server: TmuxServer) -> None:
    tmux_server.run(
        "new-session", "-d", "-s", "other", "exec cat", ";", "split-window", "-d", "-t", "other:", "exec cat"
    )
    second = PaneId("%2")
    assert await gateway.client_of(FIRST) is None
    with Person(tmux_server, "stage") as person:
        await aeventually(lambda: person.sees("stage"))
        assert await gateway.client_of(FIRST) == person.name
        assert await gateway.client_of(second) is None
        await gateway.switch_client(person.name, second)
        assert await gateway.client_of(second) == person.name
        assert await gateway.client_of(FIRST) is None
        assert tmux_server.run("display-message", "-p", "-t", "other:", "#{pane_id}") == second
        await gateway.display_message(person.name, "100%S #{pane_id} #(id) ctrl+b L")
        version = (await gateway.server_facts()).version
        assert version is not None
        if version.at_least(TmuxVersion(text="3.3", major=3, minor=3)):
            await aeventually(lambda: person.sees("100%S #{pane_id} #(id) ctrl+b L"))


async def test_a_dead_pane_shows_its_programs_last_screen(tmux_server: TmuxServer) -> None:
    """tmux writes below it how the program ended, and thereby pushes its first row out of sight."""
    tmux_server.run("new-session", "-d", "cat", ";", "resize-window", "-x", "60", "-y", "5")
    tmux_server.run("set-option", "-w", "remain-on-exit", "on")
    tmux_server.run("respawn-pane", "-k", "sh -c 'echo one; echo two; sleep 0.1'")
    await aeventually(lambda: "two" in tmux_server.run("capture-pane", "-p", "-S", "-9"))
    await aeventually(lambda: "Pane is dead" in tmux_server.run("run-shell", "-b", "true", ";", "capture-pane", "-p"))
    async with ControlClient(address_of(tmux_server)) as client:
        frame = await TmuxGateway(client).capture(PaneId("%0"))
    assert frame.dead
    assert [line.rstrip() for line in frame.lines] == ["one", "two", "", "", ""]
    assert frame.history == 0
