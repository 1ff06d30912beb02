"""The line at the bottom: the keys that matter here, the general ones at the right. A click does what the key does."""

from __future__ import annotations

from collections.abc import Callable

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.style import Style

from tui.keys import KEYS
from tui.widgets.line import Line, Part

GENERAL = ("app.help", "app.palette", "app.quit")
"""Bindings that stand at the right and stay when the line is short."""


class KeyBar(Line):
    """The keys of the focused widget, its screen and the app, as far as they are to be shown."""

    DEFAULT_CSS = """
    KeyBar {
        dock: bottom; background: $footer-background; color: $footer-foreground;
        link-style: none; link-style-hover: reverse; link-background-hover: transparent;
    }
    """

    def __init__(
        self,
        *,
        keys_of: Callable[[str], tuple[str, ...]],
        extra: Callable[[], tuple[str, ...]] = tuple,
        id: str | None = None,
    ) -> None:
        """`extra` returns the ids of bindings that are to be shown now although they are not always."""
        super().__init__(id=id)
        self._keys_of = keys_of
        self._extra = extra

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._show_keys)

    def _show_keys(self, screen: Screen[object]) -> None:
        active: dict[str, list[Binding]] = {}
        extra = self._extra()
        for found in screen.active_bindings.values():
            is_shown = found.binding.show or found.binding.id in extra
            if is_shown and found.enabled and found.binding.id:
                active.setdefault(found.binding.id, []).append(found.binding)
        ordered = [self._first(active[key.id]) for key in KEYS if key.id in active]
        local = [binding for binding in ordered if binding.id not in GENERAL]
        self.set_parts(
            [self._part(binding, cost=2 * (len(local) - i)) for i, binding in enumerate(local)],
            [self._part(binding, cost=100) for binding in ordered if binding.id in GENERAL],
        )

    def _first(self, bindings: list[Binding]) -> Binding:
        """Return the one of an action's bindings whose key comes first: one of them may be text where the focus is."""
        keys = self._keys_of(bindings[0].id or "")
        return min(bindings, key=lambda binding: keys.index(binding.key) if binding.key in keys else len(keys))

    def _part(self, binding: Binding, *, cost: int) -> Part:
        key = (self.app.get_key_display(binding), "bold $footer-key-foreground")
        click = Style.from_meta({"@click": f"app.simulate_key('{binding.key}')"})
        full = Content.assemble(key, (f" {binding.description} ", "$footer-description-foreground")).stylize(click)
        short = Content.assemble(key).stylize(click)
        return Part((full, short), (cost,)) if cost >= 100 else Part((full, Content()), (cost,))
