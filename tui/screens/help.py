"""`HelpScreen`: what the focused part of the screen is for, and every key that works there."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui.keys import KEYS, bindings
from tui.widgets.key_bar import KeyBar
from tui.widgets.line import TitleRule, part
from tui.wording import QUIET

KEY_CELLS = 14

TITLES = {
    "fleet": "the fleet",
    "needs": "what needs you",
    "pane": "the screen of a pane",
    "composer": "messages",
    "filter": "the filter",
    "form": "a check-in",
    "path": "a path",
    "choice": "a choice",
    "saved": "saved proposals",
}
"""What the groups of keys are called."""


class HelpKey(Struct, frozen=True, kw_only=True):
    """A binding as help shows it."""

    id: str
    """What `[tui.keys]` of the settings calls it."""
    keys: str
    does: str
    is_local: bool
    """It belongs to the focused part, not to the whole app."""


class HelpPage(Struct, frozen=True, kw_only=True):
    """What the help shows, taken from the screen that it was asked on."""

    title: str
    text: str
    keys: tuple[HelpKey, ...]


def page_of(screen: Screen[object]) -> HelpPage:
    """Return the help of what has the focus on `screen`."""
    focused = screen.focused
    text = focused.HELP if focused is not None and focused.HELP else screen.HELP or ""
    keys: dict[str, HelpKey] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.id is None or not active.enabled:
            continue
        known = keys.get(binding.id)
        keys[binding.id] = HelpKey(
            id=binding.id,
            keys=" ".join([*([known.keys] if known else []), screen.app.get_key_display(binding)]),
            does=binding.tooltip or binding.description,
            is_local=active.node is focused,
        )
    ordered = [keys[key.id] for key in KEYS if key.id in keys]
    groups = [key.id.partition(".")[0] for key in ordered if key.is_local]
    title = TITLES.get(groups[0], "") if groups else ""
    return HelpPage(title=title or "tmorch", text=text.strip(), keys=tuple(ordered))


class HelpScreen(ModalScreen[None]):
    """The help as a modal over the screen it explains."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("dialog")]

    def __init__(self, page: HelpPage, *, keys_of: Callable[[str], tuple[str, ...]]) -> None:
        super().__init__()
        self._page = page
        self._keys_of = keys_of

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield TitleRule(id="help-title")
            with VerticalScroll(id="help-body"):
                yield Static(help_content(self._page), markup=False)
            yield KeyBar(keys_of=self._keys_of)

    def on_mount(self) -> None:
        title = part(f"Help: {self._page.title}", "bold", cost=None)
        self.query_one("#help-title", TitleRule).set_parts([title])
        self.query_one("#help-body").focus()

    def action_close(self) -> None:
        self.dismiss()


def help_content(page: HelpPage) -> Content:
    """Return the text of the help: what it is, its own keys, the keys that work everywhere."""
    parts = [Content(page.text)] if page.text else []
    for title, keys in (
        ("Keys here", [key for key in page.keys if key.is_local]),
        ("Keys everywhere", [key for key in page.keys if not key.is_local]),
    ):
        if keys:
            parts += [Content(), Content.assemble((title, "bold $primary")), *map(_key_line, keys)]
    note = "Every key can be changed: [tui.keys] in the settings takes the name in brackets."
    return Content("\n").join([*parts, Content(), Content.assemble((note, QUIET))])


def _key_line(key: HelpKey) -> Content:
    return Content.assemble((f"  {key.keys:<{KEY_CELLS}} ", "bold $accent"), key.does, (f"  [{key.id}]", QUIET))
