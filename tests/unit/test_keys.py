"""The keys are data: consistent by themselves, and checked when a person changes them."""

from __future__ import annotations

from itertools import combinations
from typing import ClassVar, NamedTuple

import pytest
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from orchestrator_core.errors import SettingsError
from tui.keys import GROUPS, KEYS, Key, bindings, keymap

NEVER_BY_DEFAULT = {
    "ctrl+b": "the prefix of tmux",
    "ctrl+h": "backspace",
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+enter": "not passed on",
    "shift+enter": "not passed on",
    "alt+enter": "arrives as enter",
    "ctrl+q": "Textual's own quit",
    "ctrl+c": "copies the selected text",
}
KEPT_FREE = set("tgcv")
"""Of the main screen: for schedule, team, git, credits and mosaic."""
ELSEWHERE = (
    "composer",
    "filter",
    "search",
    "records",
    "dialog",
    "answer",
    "why",
    "approval",
    "interval",
    "briefing",
    "launch",
)
"""Groups of other screens, and those in which characters are text."""


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.id)
def test_every_action_says_what_it_is(key: Key) -> None:
    assert key.id.startswith(f"{key.group}.")
    assert key.group in GROUPS
    assert key.description
    assert key.tooltip
    assert not key.tooltip.endswith(".")


def test_ids_are_unique() -> None:
    assert len({key.id for key in KEYS}) == len(KEYS)


def test_no_key_means_two_things_in_one_group() -> None:
    for one, other in combinations(KEYS, 2):
        if one.group == other.group:
            assert not set(one.keys.split(",")) & set(other.keys.split(",")), (one.id, other.id)


def test_no_default_needs_a_key_that_may_not_arrive() -> None:
    for key in (key for entry in KEYS for key in entry.keys.split(",")):
        assert key not in NEVER_BY_DEFAULT
        assert "ctrl+shift" not in key


def test_keys_of_later_screens_are_free() -> None:
    for entry in KEYS:
        if entry.group not in ELSEWHERE:
            assert not KEPT_FREE & set(entry.keys.split(","))


def test_defaults_pass_their_own_check() -> None:
    assert keymap({key.id: key.keys for key in KEYS}) == {key.id: key.keys for key in KEYS}


def test_bindings_are_those_of_the_group_in_order() -> None:
    assert [binding.id for binding in bindings("filter")] == ["filter.keep", "filter.clear"]
    (first, _) = bindings("filter")
    assert (first.key, first.action, first.show) == ("enter,down", "keep_filter", True)


class Accepted(NamedTuple):
    written: str
    key: str


@pytest.mark.parametrize(
    "case",
    [
        Accepted("i", "i"),
        Accepted("X", "X"),
        Accepted("?", "question_mark"),
        Accepted("+", "plus"),
        Accepted("ctrl+/", "ctrl+slash"),
        Accepted("ctrl++", "ctrl+plus"),
        Accepted("Ctrl+G", "ctrl+g"),
        Accepted("F5", "f5"),
        Accepted("alt+up, ctrl+x", "alt+up,ctrl+x"),
        Accepted("ctrl+shift+p", "ctrl+shift+p"),
    ],
    ids=lambda case: case.written,
)
def test_keys_may_be_written_as_people_do(case: Accepted) -> None:
    if case.written == "?":
        assert keymap({"app.help": "?"}) == {"app.help": case.key}
    else:
        assert keymap({"main.zoom": case.written}) == {"main.zoom": case.key}


class Refused(NamedTuple):
    id: str
    keys: dict[str, str]
    says: tuple[str, ...]


REFUSED = [
    Refused("unknown id", {"main.mesage": "x"}, ("main.mesage", "did you mean “main.message”?")),
    Refused("id like no other", {"frobnicate": "x"}, ("frobnicate", "app.help, app.palette")),
    Refused("unknown key", {"main.zoom": "ctrl+entr"}, ("no key “ctrl+entr”", "“ctrl+enter”")),
    Refused("unknown modifier", {"main.zoom": "cntrl+x"}, ("no key “cntrl+x”", "“ctrl+x”")),
    Refused("no key", {"main.zoom": ""}, ("no key “”", "write a key as in")),
    Refused("one key missing", {"main.zoom": "x,"}, ("no key “”", "write a key as in")),
    Refused("same as tab", {"main.zoom": "ctrl+i"}, ("cannot tell ctrl+i from tab", "write “tab”")),
    Refused("same as escape", {"main.zoom": "ctrl+["}, ("from escape", "write “escape”")),
    Refused("text while writing", {"composer.send": "x"}, ("“x” is text while you write", "ctrl+x")),
    Refused("two actions of a group", {"main.message": "z"}, ("the key “z”", "main.message", "main.zoom")),
    Refused("within another group", {"fleet.up": "m"}, ("the key “m”", "main.message", "fleet.up")),
    Refused("both are the person's", {"main.zoom": "f9", "app.help": "f9"}, ("the key “f9”", "app.help", "main.zoom")),
    Refused("by its name", {"main.message": "slash"}, ("the key “/”", "main.filter")),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_what_cannot_be_is_explained(case: Refused) -> None:
    with pytest.raises(SettingsError) as caught:
        keymap(case.keys)
    error = caught.value
    said = f"{error.title} {error.cause} {error.remedy}"
    assert "[tui.keys]" in error.title
    assert all(word in said for word in case.says), said


def test_actions_may_swap_their_keys() -> None:
    swapped = {"main.message": "z", "main.zoom": "m"}
    assert keymap(swapped) == swapped


def test_groups_that_are_never_meant_together_may_share_a_key() -> None:
    assert keymap({"fleet.up": "i", "pane.up": "i"}) == {"fleet.up": "i", "pane.up": "i"}


class Zooming(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("main")]

    def action_zoom(self) -> None:
        self.app.exit("zoom")

    def action_message(self) -> None:
        self.app.exit("message")


class Zoomed(App[str]):
    def get_default_screen(self) -> Screen[None]:
        return Zooming()


async def test_a_changed_key_works_in_the_app() -> None:
    app = Zoomed()
    async with app.run_test() as pilot:
        app.set_keymap(keymap({"main.zoom": "m", "main.message": "f6"}))
        await pilot.press("m")
    assert app.return_value == "zoom"


def test_bindings_can_be_in_a_class() -> None:
    assert all(isinstance(binding, Binding) for binding in Zooming.BINDINGS)
