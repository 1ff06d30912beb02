"""`TmorchApp`: puts the bridge, the screens and the facade's calls together. Wiring only."""

from __future__ import annotations

import asyncio
import gc
import shlex
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.theme import Theme
from textual.worker import Worker, WorkerState

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import NotFoundError, RefusedError, TmorchError
from orchestrator_core.models.fleet import Fleet
from tui.attention import Attention
from tui.bridge import Bridge, unexpected_error
from tui.commands import ActionCommands, AgentCommands, ThemeCommands
from tui.credit_calls import thresholds_of
from tui.key_order import KeyOrderApp
from tui.keys import KEYS, bindings, keymap
from tui.messages import (
    AttachWanted,
    FeedFailed,
    FeedRecovered,
    FleetChanged,
    FrameChanged,
    News,
    ReceiptsChanged,
    SendWanted,
    Sight,
    SightLost,
    SightWanted,
    StoreChanged,
    SupervisorWanted,
    TimelineChanged,
    TimelineWanted,
    Wish,
)
from tui.opening import NOTHING_FIRST, Opening
from tui.overlays import Overlays
from tui.screens.main import MainScreen
from tui.theming import ThemeProblem, changed_since, load_themes, variable_defaults
from tui.widgets.fleet_header import active_agents
from tui.widgets.pane_view import PaneView
from tui.wording import clean

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator

THEMES_S = 3.0
"""How often the person's theme files are looked at."""
ANSI_DEFAULTS = {"ansi-background": "ansi_default", "ansi-foreground": "ansi_default"}
"""Variables that Textual's own widgets use and does not make for a theme of terminal colours."""
CLOSE_S = 2.0
"""How long leaving may take: a tmux server that does not answer must not hold the person."""
ERROR_S = 12.0
"""How long an error stays on the screen."""


class TmorchApp(KeyOrderApp[int]):
    """The app. It exits with the number of agents that go on."""

    TITLE = "tmorch"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app")]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {
        ActionCommands,
        AgentCommands,
        ThemeCommands,
    }
    NOTIFICATION_TIMEOUT = 6

    def __init__(
        self,
        orchestrator: Orchestrator,
        settings: Settings,
        paths: Paths,
        *,
        opening: Opening = NOTHING_FIRST,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._orchestrator = orchestrator
        self._settings = settings
        self._paths = paths
        self._clock = clock
        self._keymap_chosen = keymap(settings.tui.keys)
        self._bridge = Bridge(orchestrator, self._take_news)
        self._themes = load_themes(paths)
        self._theme_problem = self._themes.apply(self, settings.tui.theme)  # before anything is styled
        self._theme_kept = settings.tui.theme
        self._sight: Sight | None = None
        self._is_ready = False
        self._early: list[News] = []
        self.main = MainScreen(
            clock=clock,
            key_name=self.key_name,
            keys_of=self.keys_of,
            history_lines=settings.tui.preview_lines,
            is_ours=lambda sight: orchestrator.is_own_pane(sight.pane, server=sight.server),
            thresholds=thresholds_of(settings),
            nearly_full=settings.context.checkpoint_percentage,
        )
        self._attention = Attention(settings.notify.min_interval_s)
        self._overlays = Overlays(
            self,
            self.main,
            orchestrator,
            run=self._run,
            follow_changes=self._follow_changes,
            clock=clock,
            key_name=self.key_name,
            keys_of=self.keys_of,
            settings=settings,
            opening=opening,
        )

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return ANSI_DEFAULTS | variable_defaults(self.current_theme)

    def get_default_screen(self) -> MainScreen:
        return self.main

    @property
    def last_words(self) -> tuple[str, ...]:
        """What is to be said in the terminal when the app has ended without what it was opened for."""
        return self._overlays.team.last_words

    def keys_of(self, binding_id: str) -> tuple[str, ...]:
        """Return the keys of an action, as Textual calls them, in the order of the settings."""
        keys = self._keymap_chosen.get(binding_id) or next((k.keys for k in KEYS if k.id == binding_id), "")
        return tuple(keys.split(",")) if keys else ()

    def key_name(self, binding_id: str) -> str:
        """Return the first key of an action as it is shown to the person; empty when it has none."""
        return next((self.get_key_display(Binding(key, "")) for key in self.keys_of(binding_id)), "")

    def on_load(self) -> None:
        self.set_keymap(self._keymap_chosen)
        bridge = self._bridge
        for feed in (bridge.feed_fleet, bridge.feed_frames, bridge.feed_receipts, bridge.feed_timeline):
            self._run(feed(), group=feed.__name__)

    def on_mount(self) -> None:
        self._show_theme_problems(self._theme_problem)
        self.theme_changed_signal.subscribe(self, self._keep_theme)
        self._run(self._watch_themes(), group="themes")
        self.call_after_refresh(self._begin_collecting)

    def _begin_collecting(self) -> None:
        """Collect garbage from now on, if start-up kept from it, but never look through what start-up made."""
        if not gc.isenabled():
            gc.freeze()
            gc.enable()

    @on(MainScreen.Ready)
    def _on_ready(self) -> None:
        """Let the news in that came while the screen was being made."""
        self._is_ready = True
        self._overlays.team.open()
        self._overlays.recovery.offer()
        for news in self._early:
            self.post_message(news)
        self._early.clear()

    def _run(self, work: Coroutine[object, object, None], *, group: str, exclusive: bool = False) -> None:
        worker = self.run_worker(work, group=group, exclusive=exclusive, exit_on_error=False)
        if (task := worker._task) is not None:  # noqa: SLF001  # work that was cancelled before it began is not closed
            task.add_done_callback(lambda _: work.close())

    def _follow_changes(self, wanted: bool) -> None:
        """Let screens know of every change in the store, or no more."""
        if wanted:
            self._run(self._bridge.feed_changes(), group="changes", exclusive=True)
        else:
            self.workers.cancel_group(self, "changes")

    # -- news from the bridge ---------------------------------------------------------------------

    def _take_news(self, news: News) -> None:
        """Post what the bridge read, or keep it until there is a screen to show it."""
        if self._is_ready:
            self.post_message(news)
        elif isinstance(news, FleetChanged):  # the first picture is to have it already
            self._attention.news(news.fleet.needs)
            self.main.set_reactive(MainScreen.fleet, news.fleet)
        else:
            self._early.append(news)

    @on(News)
    def _on_news(self, news: News) -> None:
        """Show what was read, unless the screens are being taken down."""
        if self.is_running:
            self._show_news(news)

    def _show_news(self, news: News) -> None:
        match news:
            case FleetChanged():
                self._show_fleet(news.fleet)
            case FrameChanged():
                self.main.show_frame(news)
            case SightLost():
                self.main.show_lost(news)
            case ReceiptsChanged():
                self.main.show_receipts(news)
            case TimelineChanged():
                self.main.timeline.show_timeline(news.timeline)
            case StoreChanged():
                self._overlays.store_changed()
            case FeedFailed():
                self.main.show_failure(news)
            case FeedRecovered():
                self.main.show_recovery(news)

    def _show_fleet(self, fleet: Fleet) -> None:
        self.main.fleet = fleet
        self._overlays.show_fleet(fleet)
        if new := self._attention.news(fleet.needs):
            self._overlays.announce(new)
            if self._settings.notify.bell and self._attention.may_ring(self._clock()):
                self.bell()
        self._bridge.ask_receipts_again()

    # -- what the person wants: each ends in one call of the facade -------------------------------

    @on(SightWanted)
    def _on_sight_wanted(self, event: SightWanted) -> None:
        self._sight = event.sight
        self._bridge.look_at(event.sight)
        self._bridge.ask_receipts(event.agent)

    @on(TimelineWanted)
    def _on_timeline_wanted(self, event: TimelineWanted) -> None:
        self._bridge.ask_timeline(event.window)

    @on(SendWanted)
    def _on_send(self, event: SendWanted) -> None:
        self._run(self._send(event), group="send")

    @on(AttachWanted)
    def _on_attach(self, event: AttachWanted) -> None:
        self._run(self._go_to_pane(event), group="attach", exclusive=True)

    @on(SupervisorWanted)
    def _on_supervisor(self) -> None:
        self._run(self._start_supervisor(), group="supervisor", exclusive=True)

    @on(Wish)
    def _on_wish(self, event: Wish) -> None:
        self._overlays.take(event)

    @on(PaneView.HistoryWanted)
    def _on_history(self, event: PaneView.HistoryWanted) -> None:
        if self._sight is not None:
            self._run(self._show_history(event, self._sight), group="history", exclusive=True)

    async def _send(self, wish: SendWanted) -> None:
        try:
            await self._orchestrator.send(wish.agent, wish.text, mode=wish.mode)
        except BaseException:
            self.main.composer.give_back(wish.agent, wish.text)
            raise
        self._bridge.ask_receipts_again()

    async def _go_to_pane(self, wish: AttachWanted) -> None:
        attachment = await self._orchestrator.attach(wish.sight.pane, server=wish.sight.server)
        if not attachment.argv:
            self.notify(f"{attachment.way_back} brings you back here", title=f"At {wish.name}", markup=False)
            return
        await self._bridge.look_away()
        try:
            with self.suspend():
                attachment.run()
        except SuspendNotSupported as error:
            raise RefusedError(
                "this terminal cannot be lent to tmux",
                cause=str(error),
                remedy=f"in another terminal: {shlex.join(attachment.argv)}",
            ) from error
        finally:
            self._bridge.look_at(self._sight)

    async def _start_supervisor(self) -> None:
        health = await self._orchestrator.start_supervisor()
        self.notify(f"process {health.pid}", title="The supervisor runs", markup=False)

    async def _show_history(self, event: PaneView.HistoryWanted, sight: Sight) -> None:
        if sight.pane != event.pane:
            return
        try:
            frame = await self._bridge.history(sight, event.lines)
        except NotFoundError:
            return  # the pane went away: the preview says so itself
        if frame is not None and sight == self._sight:
            event.view.show_history(frame)

    # -- errors -----------------------------------------------------------------------------------

    @on(Worker.StateChanged)
    def _on_worker(self, event: Worker.StateChanged) -> None:
        """Show what a worker failed of: the one place where errors of the person's wishes arrive."""
        error = event.worker.error
        if event.state is WorkerState.ERROR and error is not None:
            self._show_error(error if isinstance(error, TmorchError) else unexpected_error(error))

    def _show_error(self, error: TmorchError) -> None:
        lines = [clean(line) for line in (error.cause, error.remedy) if line]
        self.notify("\n".join(lines), title=clean(error.title), severity="error", timeout=ERROR_S, markup=False)

    # -- themes -----------------------------------------------------------------------------------

    def _keep_theme(self, theme: Theme) -> None:
        if theme.name != self._theme_kept:
            self._theme_kept = theme.name
            self._run(self._write_theme(theme.name), group="theme", exclusive=True)

    async def _write_theme(self, name: str) -> None:
        from orchestrator_core.config.toml import update_setting

        await asyncio.to_thread(update_setting, self._paths, "tui.theme", name)

    async def _watch_themes(self) -> None:
        while True:
            await asyncio.sleep(THEMES_S)
            if await asyncio.to_thread(changed_since, self._paths, self._themes.stamp):
                self._themes = await asyncio.to_thread(load_themes, self._paths)
                self._show_theme_problems(self._themes.apply(self, self.theme))

    def _show_theme_problems(self, problem: ThemeProblem | None) -> None:
        for found in (*self._themes.problems, *([problem] if problem else [])):
            self._show_error(TmorchError("A theme cannot be used", cause=str(found)))

    # -- actions ----------------------------------------------------------------------------------

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen, page_of

        self.push_screen(HelpScreen(page_of(self.screen), keys_of=self.keys_of))

    async def action_quit(self) -> None:
        if not (self._overlays.team.launch.may_quit() and self._overlays.recovery.may_quit()):
            return
        fleet = self.main.fleet
        self.exit(sum(agent.status.is_live for agent in active_agents(fleet)) if fleet else 0)

    async def on_unmount(self) -> None:
        await self._overlays.team.launch.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._overlays.team.close()
                await self._bridge.close()
                await self._orchestrator.close()
