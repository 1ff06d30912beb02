"""`CreditsScreen`: how much of each account is used, over time and by whom, and when it would be used up."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.credit import AccountId
from orchestrator_core.models.credit_words import Thresholds
from orchestrator_core.models.fleet import Fleet
from tui.credit_lines import Knowledge, Scene, credit_lines
from tui.credit_messages import CreditsWanted
from tui.keys import bindings
from tui.screens.over import OverScreen
from tui.widgets.key_bar import KeyBar
from tui.widgets.line import TitleRule, part
from tui.wording import QUIET, clean, plural, sentence

AGE_S = 5.0
"""How often countdowns are looked at; they are painted only when they read differently."""
READ_S = 30.0
"""How often everything is read again while the fleet tells nothing new."""


class CreditsScreen(OverScreen):
    """It shows what it is told, and posts that it wants to be told again."""

    HELP = """\
How much of each account is used: of the five hours, of the week, and of whatever else has a limit.

✔ ok  ! getting short  ‼ nearly used up  ⏸ used up: it goes on after the reset  ? unknown  ~ an estimate

“parsed” was told by Claude Code, “estimated” by nobody. When a window would be used up is always an estimate, with the
pace it rests on. Costs are what the same would cost by the API; a subscription pays otherwise. Tokens and costs count
from the beginning of an agent's conversation. An agent with ! has its context nearly full.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("credits")]

    def __init__(
        self,
        fleet: Fleet | None,
        *,
        clock: Callable[[], float],
        keys_of: Callable[[str], tuple[str, ...]],
        thresholds: Thresholds,
        nearly_full: float,
    ) -> None:
        super().__init__()
        self.fleet = fleet or Fleet()
        self.known: Knowledge | None = None
        self._clock = clock
        self._keys_of = keys_of
        self._thresholds = thresholds
        self._nearly_full = nearly_full
        self._failure = ""
        self._begins: dict[AccountId, int] = {}
        self._title_rule = TitleRule(id="credits-title")
        self._text = Static(id="credits-text", markup=False)

    def compose(self) -> ComposeResult:
        yield self._title_rule
        with VerticalScroll(id="credits-body", can_focus=False):
            yield self._text
        yield KeyBar(keys_of=self._keys_of)

    def on_mount(self) -> None:
        self._read()
        self.set_interval(AGE_S, self._show)
        self.set_interval(READ_S, self._read)

    # -- news -------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet) -> None:
        is_news = fleet.accounts != self.fleet.accounts
        self.fleet = fleet
        if is_news:
            self._read()
        else:
            self._show()

    def take_knowledge(self, known: Knowledge) -> None:
        """Show what was read."""
        self._failure = ""
        self.known = known
        self._show()

    def reading_failed(self, error: TmorchError) -> None:
        """Say that it cannot be read; what was known stays, with its age."""
        self._failure = sentence(error.title)
        self._show()

    def _read(self) -> None:
        self.post_message(CreditsWanted())
        self._show()

    # -- what is shown ----------------------------------------------------------------------------

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        """Show what is known; nothing is painted when it reads as before."""
        if not self._text.is_attached:
            return
        text = Content("Reading …") if self.known is None else Content("\n").join(self._lines(self.known))
        if self._text.content != text:
            self._text.update(text)
        self._show_title()

    def _lines(self, known: Knowledge) -> list[Content]:
        body = self.query_one("#credits-body").content_region
        scene = Scene(
            known=known,
            fleet=self.fleet,
            now=self._clock(),
            width=max(40, body.width - 1),
            height=self.size.height,
            thresholds=self._thresholds,
            nearly_full=self._nearly_full,
        )
        lines, begins = credit_lines(scene)
        if begins != self._begins:
            self._begins = begins
            self.refresh_bindings()
        return lines

    def _show_title(self) -> None:
        left = [part("Credit", "bold", cost=None)]
        if self._failure:
            left.append(part(clean(self._failure), "bold $text-error", cost=None))
        accounts = self.known.accounts if self.known else ()
        self._title_rule.set_parts(left, [part(plural(len(accounts), "account"), QUIET)] if accounts else [])

    # -- what the person does ---------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer going from account to account where there are several."""
        return action != "account" or len(self._begins) > 1

    def action_account(self, steps: int) -> None:
        """Have the next account at the top."""
        body = self.query_one("#credits-body")
        places = list(self._begins.values())
        here = max((i for i, place in enumerate(places) if place <= body.scroll_offset.y), default=0)
        body.scroll_to(y=places[(here + steps) % len(places)], animate=False)

    def action_scroll_text(self, lines: int) -> None:
        self.query_one("#credits-body").scroll_relative(y=lines, animate=False)

    def action_scroll_page(self, pages: int) -> None:
        body = self.query_one("#credits-body")
        body.scroll_relative(y=pages * max(1, body.size.height - 2), animate=False)

    def action_jump(self, at: int) -> None:
        body = self.query_one("#credits-body")
        body.scroll_to(y=body.max_scroll_y if at else 0, animate=False)

    def action_look(self) -> None:
        """Have it read again."""
        self._read()

    def action_leave(self) -> None:
        self.dismiss()
