"""Live pictures of real panes: what is seen, and that looking changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator_core.errors import NotFoundError, TmuxGoneError
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import PaneFrame
from orchestrator_core.tmux import control
from orchestrator_core.tmux.preview import PanePreview
from tests.conftest import TmuxServer
from tests.integration.tmux_stage import Person, address_of, taker, until
from tests.polling import aeventually, eventually

FIRST, SECOND, OTHER = PaneId("%0"), PaneId("%1"), PaneId("%2")
WAIT_S = 15.0


class Watcher:
    """Reads a preview's frames, one when asked."""

    def __init__(self, preview: PanePreview) -> None:
        self._frames = preview.frames()

    async def next(self) -> PaneFrame:
        async with asyncio.timeout(WAIT_S):
            return await anext(self._frames)

    async def sees(self, text: str) -> PaneFrame:
        """Read frames until one shows `text`."""
        while text not in "\n".join((frame := await self.next()).lines):
            continue
        return frame

    async def sees_nothing(self) -> None:
        """Make sure that no frame waits. Nothing can be read afterwards: waiting was broken off."""
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.15):
                await anext(self._frames)


@pytest.fixture
async def preview(tmux_server: TmuxServer) -> AsyncIterator[PanePreview]:
    """A preview of a server with `%0` and `%1` in session `$0` and `%2` in `$1`; each pane shows what is typed."""
    tmux_server.run(
        "new-session", "-d", "-s", "one", "-x", "60", "-y", "10", "exec cat", ";", "new-window", "-d", "exec cat"
    )
    tmux_server.run("new-session", "-d", "-s", "two", "-x", "60", "-y", "10", "exec cat")
    preview = PanePreview(address_of(tmux_server))
    yield preview
    await preview.close()


@pytest.fixture
def watcher(preview: PanePreview) -> Watcher:
    return Watcher(preview)


def put(server: TmuxServer, pane: str, text: str) -> None:
    """Write `text` to the terminal of `pane`, as its program would."""
    Path(server.run("display-message", "-p", "-t", pane, "#{pane_tty}")).write_text(text)


async def test_what_a_pane_puts_out_is_seen(preview: PanePreview, watcher: Watcher, tmux_server: TmuxServer) -> None:
    await preview.follow(FIRST)
    assert (await watcher.next()).pane == FIRST
    for n in range(10):
        put(tmux_server, FIRST, f"\r\n\033[31mnumber {n}")
        frame = await watcher.sees(f"number {n}")
        assert (frame.cursor.x, frame.cursor.visible) == (8, True)


async def test_it_follows_from_pane_to_pane_and_session_to_session(
    preview: PanePreview, watcher: Watcher, tmux_server: TmuxServer
) -> None:
    for turn, pane in enumerate((FIRST, OTHER, SECOND, OTHER, FIRST)):
        put(tmux_server, pane, f"\r\nbefore {turn}")
        await preview.follow(pane)
        assert (await watcher.sees(f"before {turn}")).pane == pane
        put(tmux_server, pane, f"\r\nafter {turn}")
        assert (await watcher.sees(f"after {turn}")).pane == pane


async def test_no_frame_without_a_change(preview: PanePreview, watcher: Watcher, tmux_server: TmuxServer) -> None:
    await preview.follow(FIRST)
    await watcher.sees("")
    put(tmux_server, SECOND, "somebody else's")
    put(tmux_server, FIRST, "")
    await watcher.sees_nothing()


async def test_none_shows_nothing(preview: PanePreview, watcher: Watcher, tmux_server: TmuxServer) -> None:
    await preview.follow(FIRST)
    await watcher.next()
    await preview.follow(None)
    put(tmux_server, FIRST, "unseen")
    await watcher.sees_nothing()
    again = Watcher(preview)
    await preview.follow(FIRST)
    assert "unseen" in (await again.next()).lines[0]


async def test_a_slow_reader_gets_the_newest_picture(
    preview: PanePreview, watcher: Watcher, tmux_server: TmuxServer
) -> None:
    await preview.follow(FIRST)
    await watcher.next()
    for n in range(50):
        put(tmux_server, FIRST, f"\r\nnumber {n}")
    eventually(lambda: "number 49" in tmux_server.screen(FIRST))
    assert "number 49" in "\n".join((await watcher.next()).lines)


async def test_what_no_output_tells_is_seen_too(
    preview: PanePreview, watcher: Watcher, tmux_server: TmuxServer
) -> None:
    await preview.follow(FIRST)
    await watcher.next()
    tmux_server.run("copy-mode", "-t", FIRST)
    assert (await watcher.next()).in_mode
    tmux_server.run("resize-window", "-t", FIRST, "-x", "44", "-y", "7")
    while (frame := await watcher.next()).width != 44:
        continue
    assert (frame.height, len(frame.lines)) == (7, 7)


async def test_looking_changes_nothing(tmux_server: TmuxServer, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    tmux_server.run("new-session", "-d", "-s", "one", "-x", "120", "-y", "40", "--", *taker(taken))
    eventually(lambda: "ready" in tmux_server.screen(FIRST))

    def state() -> str:
        return tmux_server.run("display-message", "-p", "-t", FIRST, "#{window_layout} #{history_size} #{pane_in_mode}")

    before, preview = state(), PanePreview(address_of(tmux_server))
    watcher = Watcher(preview)
    await preview.follow(FIRST)
    await watcher.sees("ready")
    await preview.history(FIRST, 100)
    await preview.close()
    assert state() == before
    assert taken.read_bytes() == b""
    assert tmux_server.run("list-clients") == ""


async def test_history(preview: PanePreview, tmux_server: TmuxServer) -> None:
    put(tmux_server, OTHER, "".join(f"line {n}\r\n" for n in range(40)))
    eventually(lambda: "line 39" in tmux_server.screen(OTHER))
    frame = await preview.history(OTHER, 12)
    assert (frame.history, len(frame.lines)) == (12, 12 + frame.height)
    with pytest.raises(NotFoundError):
        await preview.history(PaneId("%99"), 5)


async def test_a_flood_is_seen_in_samples(preview: PanePreview, watcher: Watcher, tmux_server: TmuxServer) -> None:
    tmux_server.run("respawn-pane", "-k", "-t", FIRST, "seq 1 100000000")
    await preview.follow(FIRST)
    tops = [(await watcher.next()).lines[0] for _ in range(40)]
    assert len(set(tops)) > 30
    assert int(tops[-1].split()[0]) > int(tops[10].split()[0])
    await preview.follow(OTHER)
    put(tmux_server, OTHER, "calm")
    await watcher.sees("calm")


async def test_a_noisy_neighbour_is_hushed(preview: PanePreview, watcher: Watcher, tmux_server: TmuxServer) -> None:
    tmux_server.run("respawn-pane", "-k", "-t", SECOND, "yes")
    await preview.follow(FIRST)
    await watcher.next()
    if not preview._client.hears_output:
        pytest.skip("this tmux is not listened to")
    await aeventually(lambda: preview._hushed[SECOND])

    async def is_quiet() -> bool:
        heard = preview._hushed[SECOND]
        for _ in range(20):
            await preview.history(FIRST, 0)
        return preview._hushed[SECOND] == heard

    await until(is_quiet)
    await preview.follow(SECOND)
    first, second = await watcher.next(), await watcher.next()
    assert first.pane == second.pane == SECOND


async def test_a_program_that_ends_leaves_a_dead_picture(
    preview: PanePreview, watcher: Watcher, tmux_server: TmuxServer
) -> None:
    tmux_server.run("set-option", "-g", "remain-on-exit", "on")
    await preview.follow(FIRST)
    await watcher.next()
    tmux_server.run("respawn-pane", "-k", "-t", FIRST, "echo last words; sleep 0.1; exit 3")
    while not (frame := await watcher.next()).dead:
        continue
    assert "last words" in "\n".join((await preview.history(FIRST, 5)).lines)
    assert frame.pane == FIRST


async def test_a_pane_that_goes_away_gives_one_last_frame(
    preview: PanePreview, watcher: Watcher, tmux_server: TmuxServer
) -> None:
    put(tmux_server, OTHER, "the last of it")
    await preview.follow(OTHER)
    await watcher.sees("the last of it")
    tmux_server.run("kill-session", "-t", "two")
    frame = await watcher.next()
    assert (frame.dead, frame.cursor.visible) == (True, False)
    assert "the last of it" in frame.lines[0]
    await watcher.sees_nothing()
    watcher = Watcher(preview)
    await preview.follow(PaneId("%99"))
    assert await watcher.next() == PaneFrame(
        pane=PaneId("%99"), lines=(), width=0, height=0, cursor=frame.cursor, dead=True
    )


async def test_the_same_id_on_another_server_is_another_pane(
    preview: PanePreview, watcher: Watcher, tmux_server: TmuxServer
) -> None:
    await preview.follow(FIRST)
    await watcher.next()
    tmux_server.kill()
    eventually(lambda: not address_of(tmux_server).is_listening())
    tmux_server.run("new-session", "-d", "printf stranger; exec cat")
    frame = await watcher.next()
    assert frame.dead
    assert "stranger" not in "".join(frame.lines)
    await preview.follow(FIRST)
    await watcher.sees("stranger")


async def test_it_waits_for_a_server(tmux_server: TmuxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "LOOK_EVERY_S", 0.05)
    preview = PanePreview(address_of(tmux_server))
    watcher = Watcher(preview)
    await preview.follow(FIRST)
    await watcher.sees_nothing()
    watcher = Watcher(preview)
    tmux_server.run("new-session", "-d", "printf hello; exec cat")
    await watcher.sees("hello")
    await preview.close()


async def test_a_session_that_must_not_be_attached_to_is_polled(
    preview: PanePreview, watcher: Watcher, tmux_server: TmuxServer
) -> None:
    with Person(tmux_server, "two"):
        eventually(lambda: tmux_server.run("list-clients"))
        tmux_server.run("set-option", "-t", "two", "destroy-unattached", "on")
        await preview.follow(OTHER)
        put(tmux_server, OTHER, "\r\nsome text")
        await watcher.sees("some text")
        put(tmux_server, OTHER, "\r\nmore text")
        await watcher.sees("more text")
        assert tmux_server.run("list-clients", "-t", "two", "-F", "#{client_control_mode}") == "0"


async def test_a_killed_session_does_not_stop_the_pictures(
    preview: PanePreview, watcher: Watcher, tmux_server: TmuxServer
) -> None:
    tmux_server.run("link-window", "-d", "-s", "two:", "-t", "one:")
    await preview.follow(OTHER)
    await watcher.next()
    tmux_server.run("kill-session", "-t", "two")
    put(tmux_server, OTHER, "still here")
    await watcher.sees("still here")


async def test_frames_end_with_close(preview: PanePreview) -> None:
    await preview.follow(FIRST)
    frames = preview.frames()
    assert (await anext(frames)).pane == FIRST
    waiting = asyncio.ensure_future(anext(frames, None))
    await asyncio.sleep(0)
    await preview.close()
    assert await waiting is None
    await preview.follow(SECOND)
    with pytest.raises(TmuxGoneError):
        await preview.history(SECOND, 0)
