"""The line at the bottom: the keys that matter here, the general ones at the right. A click does what the key does."""

from __future__ import annotations

from textual.binding import ActiveBinding, Binding
from textual.content import Content
from textual.screen import Screen
from textual.style import Style

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

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._show_keys)

    def _show_keys(self, screen: Screen[object]) -> None:
        shown: dict[str, ActiveBinding] = {}
        for active in screen.active_bindings.values():
            if active.binding.show and active.enabled:
                shown.setdefault(active.binding.description, active)
        general = [active for active in shown.values() if active.binding.id in GENERAL]
        local = [active for active in shown.values() if active.binding.id not in GENERAL]
        self.set_parts(
            [self._part(active.binding, cost=2 * (len(local) - i)) for i, active in enumerate(local)],
            [self._part(active.binding, cost=100) for active in general],
        )

    def _part(self, binding: Binding, *, cost: int) -> Part:
        key = self.app.get_key_display(binding)
        click = Style.from_meta({"@click": f"app.simulate_key('{binding.key}')"})
        full = Content.assemble(
            (key, "bold $footer-key-foreground"), (f" {binding.description} ", "$footer-description-foreground")
        )
        short = Content.assemble((key, "bold $footer-key-foreground"))
        forms = (full.stylize(click), short.stylize(click), Content())
        return Part(forms[:2], (cost,)) if cost >= 100 else Part((forms[0], forms[2]), (cost,))
