"""Typing that cannot be cut in two, and a key that is pressed only on what is seen, over both kinds of transport."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator_core.errors import RefusedError
from orchestrator_core.models.ids import AgentId
from orchestrator_core.tmux.gateway import TmuxGateway
from tests.conftest import TmuxServer
from tests.integration.test_tmux_gateway import FIRST, gateway, shows, taken
from tests.polling import aeventually

__all__ = ["gateway", "taken"]


async def test_several_texts_are_pasted_in_their_order(gateway: TmuxGateway, taken: Path) -> None:
    await gateway.paste(FIRST, "a short sentence: ", "a long text\n" * 500)
    begin, end = b"\x1b[200~", b"\x1b[201~"
    wanted = begin + b"a short sentence: " + end + begin + b"a long text\n" * 500 + end
    await aeventually(lambda: taken.read_bytes() == wanted)


async def test_of_several_texts_none_is_pasted_into_a_stranger(
    gateway: TmuxGateway, taken: Path, tmux_server: TmuxServer
) -> None:
    tmux_server.run("set-option", "-p", "-t", FIRST, "@tmorch_agent", "shop-1:tester")
    with pytest.raises(RefusedError) as caught:
        await gateway.paste(FIRST, "one", "two", agent=AgentId("shop-1:developer"))
    assert caught.value.code == "not-this-agent"
    with pytest.raises(ValueError, match="nothing to paste"):
        await gateway.paste(FIRST, "one", "\x07")
    assert tmux_server.run("list-buffers") == ""
    assert taken.read_bytes() == b""


async def test_a_key_is_pressed_only_while_its_reason_is_seen(
    gateway: TmuxGateway, taken: Path, tmux_server: TmuxServer
) -> None:
    with pytest.raises(RefusedError) as caught:
        await gateway.press(FIRST, "Enter", seeing="tmorch 7 ")
    assert caught.value.code == "not-seen"
    await gateway.press(FIRST, "Tab", seeing="ready")
    await aeventually(lambda: taken.read_bytes() == b"\t")


@pytest.mark.parametrize("sought", ["tmorch 7 ", "/compact", "a,b}#{c}*[d]"])
async def test_what_is_sought_is_taken_as_it_is(gateway: TmuxGateway, tmux_server: TmuxServer, sought: str) -> None:
    shows(tmux_server, "nothing of the kind")
    with pytest.raises(RefusedError):
        await gateway.press(FIRST, "Tab", seeing=sought)
    shows(tmux_server, f"❯ [{sought}] from".replace("%", "%%"))
    await aeventually(lambda: sought in tmux_server.screen(FIRST))
    await gateway.press(FIRST, "Tab", seeing=sought)
    tmux_server.run("copy-mode", "-t", FIRST)
    await gateway.press(FIRST, "Tab", seeing=sought)
