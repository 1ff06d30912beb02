"""Keys that come faster than the app deals with them: pasted, sent by a script, or typed while it is busy."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.keys import _character_to_key
from textual.widgets import Input

from tests.polling import aeventually
from tests.tui.stage import running, staged


def keys_of(text: str) -> list[events.Key]:
    return [events.Key(_character_to_key(letter), letter) for letter in text]


async def test_a_key_that_opens_the_composer_and_the_text_behind_it(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        for key in [*keys_of("jm"), *keys_of("short screen"), events.Key("enter", "\r")]:
            stage.app.post_message(key)
        await aeventually(lambda: bool(stage.facade.sent))
        assert [text for _, text, *_ in stage.facade.sent] == ["short screen"]


async def test_a_filter_typed_in_one_go(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        for key in keys_of("/tester"):
            stage.app.post_message(key)
        await aeventually(lambda: stage.main.panel.query_one(Input).value == "tester")


async def test_a_widget_that_goes_away_with_a_key_does_not_hold_up_the_next(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        escape = events.Key("escape", None)
        for key in [*keys_of("?"), escape, *keys_of("M"), events.Key("escape", None), *keys_of("m")]:
            stage.app.post_message(key)
        await aeventually(lambda: stage.main.composer.input is not None and stage.main.composer.input.has_focus)
