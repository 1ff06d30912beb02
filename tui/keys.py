"""Every key of the app as data: `bindings("main")` makes a screen's BINDINGS, `keymap(keys)` what a person changed.

    class MainScreen(Screen[None]):
        BINDINGS = [*bindings("main")]

    app.set_keymap(keymap(settings.tui.keys))   # raises SettingsError

Groups, each within the next: `fleet` (the tree), `needs`, `pane` (PaneView), `composer`, `filter` in `main` (the main
screen) in `app` (the App); `answer`, `why`, `form` in `dialog` (every modal screen) in `app`; `search` in `records`
(messages, the log) in `app`; `path`, `choice`, `saved` in `new` (a new team) in `app`; `schedule`, `launch` in `app`.
The owner of a group implements `action_<action>`.

No key here needs ctrl+shift, ctrl+enter, shift+enter or alt+enter: terminals and tmux do not pass these on (alt+enter
arrives as enter). ctrl+b is tmux's; ctrl+h, ctrl+i, ctrl+m are backspace, tab, enter.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import combinations

from msgspec import Struct
from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, format_key

from orchestrator_core.errors import SettingsError


class Key(Struct, frozen=True):
    """One action and its default keys, separated by commas."""

    id: str
    """`<group>.<name>`: what a person's settings name."""
    keys: str
    action: str
    description: str
    tooltip: str
    show: bool = False
    """Whether the footer shows it."""

    @property
    def group(self) -> str:
        """The group it belongs to."""
        return self.id.partition(".")[0]


GROUPS: dict[str, str] = {
    "app": "",
    "main": "app",
    "fleet": "main",
    "needs": "main",
    "pane": "main",
    "composer": "main",
    "filter": "main",
    "dialog": "app",
    "answer": "dialog",
    "why": "dialog",
    "records": "app",
    "search": "records",
    "schedule": "app",
    "form": "dialog",
    "new": "app",
    "path": "new",
    "choice": "new",
    "saved": "new",
    "approval": "app",
    "interval": "approval",
    "briefing": "dialog",
    "launch": "app",
}
"""Each group and the one it is within: a key means what the innermost group says."""

WRITING = ("composer", "filter", "search", "form", "path", "interval")
"""Groups in which characters are text."""

KEYS: tuple[Key, ...] = (
    Key("app.help", "question_mark,f1", "help", "help", "What can be done here, and with which keys", True),
    Key("app.palette", "ctrl+p", "command_palette", "palette", "Find any command by its name", True),
    Key("needs.approve", "y", "approve", "approve", "Approve what the selected need asks for", True),
    Key("needs.deny", "d", "deny", "deny", "Deny what the selected need asks for", True),
    Key("needs.dismiss", "x", "dismiss", "dismiss", "Strike the selected need off the list", True),
    Key("main.answer", "a", "answer", "answer", "Answer the selected need, or the oldest", True),
    Key("main.next-need", "n", "next_need", "next need", "Go to the next thing that needs you"),
    Key("main.filter", "slash", "filter", "filter", "Narrow the fleet to what matches", True),
    Key("main.message", "m", "message", "message", "Write to the selected agent", True),
    Key("main.zoom", "z", "zoom", "zoom", "Give the pane the whole screen, and back", True),
    Key("main.attach", "enter", "attach", "attach", "Go to the selected pane in tmux, and come back", True),
    Key("main.why", "w", "why", "why?", "Why the selected agent has its status"),
    Key("main.schedule", "s", "schedule", "schedule", "What is due when, and what came of what was due", True),
    Key("main.messages", "M", "messages", "messages", "Messages to and from the selected agent, or all"),
    Key("main.log", "L", "log", "log", "What happened: in the selected team, or everywhere"),
    Key("main.new-team", "N", "new_team", "new team", "Propose a new team, for a project and a spec"),
    Key("main.focus-next", "tab", "app.focus_next", "next", "Go to the next part of the screen"),
    Key("main.focus-previous", "shift+tab", "app.focus_previous", "previous", "Go to the previous part"),
    Key("main.back", "escape", "back", "back", "Leave what was opened last"),
    Key("main.start-supervisor", "S", "start_supervisor", "start supervisor", "Start the supervisor when it is down"),
    Key("app.quit", "q", "quit", "quit", "Leave tmorch-tui; every agent goes on", True),
    Key("fleet.up", "up,k", "move(-1)", "up", "Select the row above"),
    Key("fleet.down", "down,j", "move(1)", "down", "Select the row below"),
    Key("fleet.page-up", "pageup", "move_page(-1)", "page up", "Select a row one page up"),
    Key("fleet.page-down", "pagedown", "move_page(1)", "page down", "Select a row one page down"),
    Key("fleet.first", "home", "move_to(0)", "first", "Select the first row"),
    Key("fleet.last", "end", "move_to(-1)", "last", "Select the last row"),
    Key("fleet.fold", "left,h", "fold", "collapse", "Close the row, or go to the one it is in"),
    Key("fleet.unfold", "right,l", "unfold", "expand", "Open the row, or go to the first one in it"),
    Key("fleet.toggle", "space", "toggle", "expand or collapse", "Open or close the row"),
    Key("fleet.open", "enter", "open", "attach", "Go to the selected pane in tmux, and come back"),
    Key("needs.up", "up,k", "move(-1)", "up", "Select the need above"),
    Key("needs.down", "down,j", "move(1)", "down", "Select the need below"),
    Key("needs.first", "home", "move_to(0)", "first", "Select the oldest need"),
    Key("needs.last", "end", "move_to(-1)", "last", "Select the newest need"),
    Key("pane.up", "up,k", "scroll_lines(1)", "up", "Scroll back a line"),
    Key("pane.down", "down,j", "scroll_lines(-1)", "down", "Scroll forward a line"),
    Key("pane.page-up", "pageup,ctrl+u", "scroll_pages(1)", "page up", "Scroll back a page"),
    Key("pane.page-down", "pagedown,ctrl+d", "scroll_pages(-1)", "page down", "Scroll forward a page"),
    Key("pane.oldest", "home", "oldest", "oldest", "Go to the oldest line there is"),
    Key("pane.live", "end,escape", "live", "live", "Return to the live picture"),
    Key("pane.left", "left,h", "pan(-1)", "pan left", "Show what is cut off at the left"),
    Key("pane.right", "right,l", "pan(1)", "pan right", "Show what is cut off at the right"),
    Key("composer.send", "enter", "send", "send", "Send the message", True),
    Key("composer.newline", "ctrl+j", "newline", "new line", "Begin a new line in the message", True),
    Key("composer.mode", "ctrl+t", "toggle_mode", "when", "Deliver when the agent is idle, or now", True),
    Key("composer.leave", "escape", "leave", "back", "Keep the draft and go back", True),
    Key("filter.keep", "enter,down", "keep_filter", "keep", "Keep the filter and go to the fleet", True),
    Key("filter.clear", "escape", "clear_filter", "clear", "Show everything again", True),
    Key("answer.approve", "y", "approve", "approve", "Approve what it asks for", True),
    Key("answer.deny", "d", "deny", "deny", "Deny what it asks for", True),
    Key("answer.take", "enter", "take", "take the marked", "Answer with the marked choice", True),
    Key("answer.up", "up,k", "move(-1)", "up", "Mark the choice above"),
    Key("answer.down", "down,j", "move(1)", "down", "Mark the choice below"),
    Key("answer.page-up", "pageup,ctrl+u", "scroll_text(-1)", "page up", "Scroll the text back"),
    Key("answer.page-down", "pagedown,ctrl+d", "scroll_text(1)", "page down", "Scroll the text on"),
    Key("answer.dismiss", "x", "strike", "dismiss", "Strike it off the list", True),
    Key("answer.write", "m", "write", "message", "Write to the agent", True),
    Key("answer.go", "g", "go", "go there", "Go to the agent's pane in tmux", True),
    Key("why.wrong", "x", "wrong", "it is wrong", "Say which status it should be, for a test", True),
    Key("why.take", "enter", "take", "take the marked", "Say that the marked status is the right one", True),
    Key("why.up", "up,k", "move(-1)", "up", "Mark the status above"),
    Key("why.down", "down,j", "move(1)", "down", "Mark the status below"),
    Key("search.keep", "enter", "keep_search", "keep", "Keep the search and go to what it found", True),
    Key("search.clear", "escape", "clear_search", "clear", "Show everything again", True),
    Key("records.search", "slash", "search", "search", "Show only what holds some words", True),
    Key("records.back", "escape", "back", "back", "Take back the last choice, then leave", True),
    Key("records.whose", "t", "whose", "team, agent", "Choose a team or an agent", True),
    Key("records.conversation", "c", "conversation", "conversation", "Only what passed between these two", True),
    Key("records.everything", "e", "everything", "everything", "Show those of everybody", True),
    Key("records.follow", "f", "follow", "follow", "Stay at the newest, or stop doing so", True),
    Key("records.resend", "r", "resend", "write anew", "Put its text into the composer, to send it anew", True),
    Key("records.go", "enter", "go", "go to agent", "Go to the agent on the main screen", True),
    Key("records.up", "up,k", "move(-1)", "up", "Select the one before"),
    Key("records.down", "down,j", "move(1)", "down", "Select the one after"),
    Key("records.page-up", "pageup,ctrl+u", "move_page(-1)", "page up", "Go one page back"),
    Key("records.page-down", "pagedown,ctrl+d", "move_page(1)", "page down", "Go one page on"),
    Key("records.first", "home", "move_to(0)", "first", "Go to the oldest that is loaded; older ones follow"),
    Key("records.last", "end,G", "move_to(-1)", "last", "Go to the newest, and stay there"),
    Key("records.text-up", "K", "scroll_text(-1)", "text up", "Scroll the text of the selected one back"),
    Key("records.text-down", "J", "scroll_text(1)", "text down", "Scroll the text of the selected one on"),
    Key("schedule.add", "a", "add", "add", "Set a check-in for the agent of this lane", True),
    Key("schedule.edit", "e", "edit", "edit note", "Change the note of the selected check-in", True),
    Key("schedule.later", "full_stop", "shift(1)", "later", "Have it fire 1 minute later", True),
    Key("schedule.earlier", "comma", "shift(-1)", "earlier", "Have it fire 1 minute earlier", True),
    Key("schedule.much-later", "greater_than_sign", "shift(5)", "5 min later", "Have it fire 5 minutes later"),
    Key("schedule.much-earlier", "less_than_sign", "shift(-5)", "5 min earlier", "Have it fire 5 minutes earlier"),
    Key("schedule.cancel", "x", "cancel", "cancel", "Have the selected check-in never fire again", True),
    Key("schedule.fire", "f", "fire", "fire now", "Have the selected check-in fire now", True),
    Key("schedule.pause", "p", "pause", "pause team", "Let nothing fire for this team, or let it fire again", True),
    Key("schedule.zoom-in", "plus,equals_sign", "zoom(-1)", "zoom in", "Show less time, but more exactly", True),
    Key("schedule.zoom-out", "minus", "zoom(1)", "zoom out", "Show more time at once", True),
    Key("schedule.team", "o", "team", "team", "Show only the lanes of this team, or those of all", True),
    Key("schedule.go", "enter", "go", "go to agent", "Go to the agent on the main screen", True),
    Key("schedule.write", "m", "write", "message", "Write to the agent of this lane"),
    Key("schedule.messages", "M", "messages", "its message", "The messages of this check-in's author to its agent"),
    Key("schedule.back", "escape,s", "back", "back", "Go back to the main screen", True),
    Key("schedule.up", "up,k", "move(-1)", "up", "Select the lane above"),
    Key("schedule.down", "down,j", "move(1)", "down", "Select the lane below"),
    Key("schedule.page-up", "pageup,ctrl+u", "move_page(-1)", "page up", "Select a lane one page up"),
    Key("schedule.page-down", "pagedown,ctrl+d", "move_page(1)", "page down", "Select a lane one page down"),
    Key("schedule.previous", "left,h", "step(-1)", "previous", "Select the moment before in this lane"),
    Key("schedule.next", "right,l", "step(1)", "next", "Select the next moment in this lane"),
    Key("schedule.pan-back", "left_square_bracket,shift+left", "pan(-1)", "back in time", "Show earlier times"),
    Key("schedule.pan-on", "right_square_bracket,shift+right", "pan(1)", "on in time", "Show later times"),
    Key("schedule.now", "0,home", "now", "now", "Go back to now, and stay there"),
    Key("schedule.text-up", "K", "scroll_text(-1)", "text up", "Scroll the text of the selected one back"),
    Key("schedule.text-down", "J", "scroll_text(1)", "text down", "Scroll the text of the selected one on"),
    Key("form.take", "enter", "take", "set it", "Do what the form says", True),
    Key("form.rhythm", "ctrl+t", "rhythm", "how often", "Choose how often: once, again and again, or by cron", True),
    Key("form.next", "down", "app.focus_next", "next field", "Go to the next field"),
    Key("form.previous", "up", "app.focus_previous", "previous field", "Go to the field before"),
    Key("path.take", "enter", "take", "propose", "Take the marked path, or propose a team for what is written", True),
    Key("path.accept", "tab", "accept", "complete", "Complete the path, or go to the next field when it is", True),
    Key("path.right", "right", "go_right", "complete", "Complete the path, at its end; else move on in it"),
    Key("path.up", "up", "move(-1)", "up", "Mark the path above, or go to the field before"),
    Key("path.down", "down", "move(1)", "down", "Mark the path below, or go to the next field"),
    Key("choice.next", "right,l,space", "step(1)", "choose", "Choose the next one", True),
    Key("choice.previous", "left,h", "step(-1)", "the one before", "Choose the one before"),
    Key("choice.down", "down,j", "app.focus_next", "next field", "Go to the next field"),
    Key("choice.up", "up,k", "app.focus_previous", "previous field", "Go to the field before"),
    Key("saved.open", "enter", "open", "open", "Look at the saved proposal, and start it from there", True),
    Key("saved.discard", "x", "discard", "discard", "Let the saved proposal go", True),
    Key("saved.up", "up,k", "move(-1)", "up", "Select the one above"),
    Key("saved.down", "down,j", "move(1)", "down", "Select the one below"),
    Key("saved.first", "home", "move_to(0)", "first", "Select the newest"),
    Key("saved.last", "end", "move_to(-1)", "last", "Select the oldest"),
    Key("new.propose", "enter", "propose", "propose", "Propose a team for this project; nothing is made yet", True),
    Key("new.next", "tab", "app.focus_next", "next", "Go to the next field"),
    Key("new.previous", "shift+tab", "app.focus_previous", "previous", "Go to the field before"),
    Key("new.text-up", "pageup,ctrl+u", "scroll_text(-1)", "text up", "Scroll what is said below the fields back"),
    Key("new.text-down", "pagedown,ctrl+d", "scroll_text(1)", "text down", "Scroll what is said below the fields on"),
    Key("new.close", "escape", "close", "close", "Leave this; nothing has been made", True),
    Key("approval.approve", "y", "approve", "approve", "Start this team", True),
    Key("approval.toggle", "space", "take", "in or out", "Take the selected role in or out; accept the advice", True),
    Key("approval.open", "enter", "open", "briefing", "What the agent is told first; accepts advice", True),
    Key("approval.accept-all", "A", "accept_all", "accept all", "Accept all advice that can be followed", True),
    Key("approval.leave", "escape", "leave", "leave", "Leave; nothing has been made", True),
    Key("approval.interval", "i", "interval", "check-in", "Set how often tmorch checks in with the agent", True),
    Key("approval.mode", "p", "mode(1)", "permissions", "Choose what the agent may do without asking", True),
    Key("approval.model", "o", "model", "model", "Choose the next model for the agent", True),
    Key("approval.read", "r", "read", "ask Claude", "Have Claude read the spec, or end the reading", True),
    Key("approval.save", "s", "save", "save", "Keep the proposal for later", True),
    Key("approval.plan", "c", "plan", "plan", "Choose the next subscription plan", True),
    Key("approval.mode-back", "P", "mode(-1)", "permissions back", "Go back to the permission mode before"),
    Key("approval.type", "t", "type", "type", "Choose the next type of project"),
    Key("approval.reset", "u", "reset", "reset", "Take back every change"),
    Key("approval.panel", "tab,shift+tab", "panel", "spec, team", "Go to the spec, and back to the team", True),
    Key("approval.up", "up,k", "move(-1)", "up", "Select the row above"),
    Key("approval.down", "down,j", "move(1)", "down", "Select the row below"),
    Key("approval.page-up", "pageup,ctrl+u", "move_page(-1)", "page up", "Go one page back"),
    Key("approval.page-down", "pagedown,ctrl+d", "move_page(1)", "page down", "Go one page on"),
    Key("approval.first", "home", "move_to(0)", "first", "Go to the first row"),
    Key("approval.last", "end,G", "move_to(-1)", "last", "Go to the last row"),
    Key("approval.text-up", "K", "scroll_text(-1)", "text up", "Scroll what is said below the team back"),
    Key("approval.text-down", "J", "scroll_text(1)", "text down", "Scroll what is said below the team on"),
    Key("interval.take", "enter", "take", "set it", "Set the interval", True),
    Key("interval.leave", "escape", "leave", "leave", "Leave the interval as it is", True),
    Key("briefing.up", "up,k", "scroll_text(-1)", "up", "Scroll a line back"),
    Key("briefing.down", "down,j", "scroll_text(1)", "down", "Scroll a line on"),
    Key("briefing.page-up", "pageup,ctrl+u", "scroll_page(-1)", "page up", "Scroll a page back"),
    Key("briefing.page-down", "pagedown,ctrl+d,space", "scroll_page(1)", "page down", "Scroll a page on"),
    Key("briefing.first", "home", "jump(0)", "first", "Go to the beginning"),
    Key("briefing.last", "end,G", "jump(1)", "last", "Go to the end"),
    Key("launch.retry", "r", "retry", "retry", "Do the step that failed once more", True),
    Key("launch.go-on", "g", "go_on", "go on", "Go on without what failed", True),
    Key("launch.roll-back", "x", "roll_back", "undo all", "Undo everything that this start has made", True),
    Key("launch.leave", "enter", "leave", "leave", "Go to the team; where there is none, close this", True),
    Key("launch.cancel", "escape", "cancel", "call off", "Call the start off, and undo what it has made", True),
    Key("launch.up", "up,k", "move(-1)", "up", "Select the row above"),
    Key("launch.down", "down,j", "move(1)", "down", "Select the row below"),
    Key("launch.page-up", "pageup,ctrl+u", "move_page(-1)", "page up", "Go one page back"),
    Key("launch.page-down", "pagedown,ctrl+d", "move_page(1)", "page down", "Go one page on"),
    Key("launch.first", "home", "move_to(0)", "first", "Go to the first row"),
    Key("launch.last", "end,G", "move_to(-1)", "last", "Go to the last row, and follow what happens"),
    Key("launch.text-up", "K", "scroll_text(-1)", "text up", "Scroll what is said below the steps back"),
    Key("launch.text-down", "J", "scroll_text(1)", "text down", "Scroll what is said below the steps on"),
    Key("dialog.close", "escape", "close", "close", "Close this without doing anything", True),
)

_BY_ID = {key.id: key for key in KEYS}
_NEVER_SENT = {"ctrl-at", "return"}
_NAMED_KEYS = {key.value for key in Keys if key.value.isalnum()} - _NEVER_SENT
_MODIFIERS = {"ctrl", "alt", "shift", "super", "hyper", "meta"}
_SAME_AS = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+left_square_bracket": "escape"}


def bindings(group: str) -> list[Binding]:
    """Return the bindings of `group`, in the order of the footer."""
    return [
        Binding(key.keys, key.action, key.description, show=key.show, tooltip=key.tooltip, id=key.id)
        for key in KEYS
        if key.group == group
    ]


def keymap(keys: Mapping[str, str]) -> dict[str, str]:
    """Return `[tui.keys]` of the settings, checked, for `App.set_keymap`.

    Raises:
        SettingsError: an id or a key that does not exist, a key that cannot do there, or two actions on one key.

    """
    chosen = {binding: ",".join(_checked(binding, keys[binding])) for binding in keys}
    for one, other, key in _clashes(chosen):
        raise SettingsError(
            f"[tui.keys] would put two actions on the key “{format_key(key)}”",
            cause=f"{one.id} ({one.description}) and {other.id} ({other.description}) can be meant at the same time",
            remedy=f'give one of them another key: "{other.id}" = "…"',
            code="key-clash",
        )
    return chosen


def _checked(binding: str, keys: str) -> Iterator[str]:
    if binding not in _BY_ID:
        near = get_close_matches(binding, _BY_ID, 1, 0.5)
        raise SettingsError(
            f"[tui.keys] names “{binding}”, which is no action",
            cause="every entry is the id of an action and its keys",
            remedy=f"did you mean “{near[0]}”?" if near else f"the ids are: {', '.join(_BY_ID)}",
        )
    for part in keys.split(","):
        key = _named(part if part == " " else part.strip())
        if problem := _unusable(key, _BY_ID[binding]):
            raise SettingsError(f"[tui.keys] {binding} = “{keys}” cannot be", cause=problem[0], remedy=problem[1])
        yield key


def _unusable(key: str, action: Key) -> tuple[str, str] | None:
    """Return why `key` cannot be for `action`, and what to do."""
    *modifiers, base = key.split("+")
    if not set(modifiers) <= _MODIFIERS or base not in _BASE_KEYS:
        near = [*(get_close_matches(m, _MODIFIERS, 1) for m in modifiers), get_close_matches(base, _BASE_KEYS, 1)]
        hint = f"did you mean “{'+'.join(n[0] for n in near)}”?" if all(near) else _HOW_TO_WRITE
        return f"there is no key “{key}”", hint
    if key in _SAME_AS:
        return f"terminals cannot tell {key} from {_SAME_AS[key]}", f"write “{_SAME_AS[key]}”, or choose another"
    if action.group in WRITING and not modifiers and base in _CHARACTER_KEYS:
        return f"“{base}” is text while you write", "choose a key that writes nothing, such as “ctrl+x” or “f5”"
    return None


def _clashes(chosen: Mapping[str, str]) -> Iterator[tuple[Key, Key, str]]:
    """Yield actions that share a key, one of them within the other's group; not those that do so by default."""
    for one, other in combinations(KEYS, 2) if chosen else ():
        if not (_is_within(one.group, other.group) or _is_within(other.group, one.group)):
            continue
        before = _set(one.keys) & _set(other.keys)
        after = _set(chosen.get(one.id, one.keys)) & _set(chosen.get(other.id, other.keys))
        for key in sorted(after - before):
            yield one, other, key


def _is_within(group: str, other: str) -> bool:
    while group and group != other:
        group = GROUPS[group]
    return bool(group)


def _set(keys: str) -> set[str]:
    return set(keys.split(","))


def _named(key: str) -> str:
    """Return Textual's name of a key that may be written as its character, such as `ctrl+/`."""
    modifiers, plus, base = key[:-1].rpartition("+")
    base += key[-1:]
    if len(base) == 1 and not base.isalnum():
        base = _name_of(base)
    modifiers = modifiers.lower()
    if len(base) > 1 or "ctrl" in modifiers:
        base = base.lower()  # a capital is a key of its own, but not with ctrl
    return modifiers + plus + base


def _name_of(character: str) -> str:
    name = unicodedata.name(character, character).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


_CHARACTER_KEYS = {*string.ascii_letters, *string.digits, *map(_name_of, string.punctuation), "space"}
_BASE_KEYS = _NAMED_KEYS | _CHARACTER_KEYS
_HOW_TO_WRITE = "write a key as in “x”, “f5”, “ctrl+x” or “alt+up”"
