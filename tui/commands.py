"""What the command palette finds: every action with its key, every agent, every theme."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from msgspec import Struct
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.fuzzy import Matcher

from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import AgentId
from tui.keys import WRITING
from tui.messages import Scope
from tui.wording import GLYPHS, clean, doing_now


class Command(Struct, frozen=True, kw_only=True):
    """One entry of the palette."""

    name: str
    help: str
    run: Callable[[], object]


def highlighted(matcher: Matcher, text: str) -> tuple[float, Content]:
    """Return how well `text` matches and the text with its matching characters marked. It is no markup."""
    score, offsets = matcher.fuzzy_search.match(matcher.query, text)
    content = Content(text)
    if score:
        for offset in offsets:
            content = content.stylize(matcher.match_style, offset, offset + 1)
    return score, content


class CommandSource(Provider):
    """A provider over a list of commands that is made anew for each palette."""

    shown_first: ClassVar[bool] = True
    """Whether the commands show before anything is typed."""

    def commands(self) -> Iterator[Command]:
        """Yield the commands as they are now."""
        raise NotImplementedError

    async def startup(self) -> None:
        self._commands = tuple(self.commands())

    async def discover(self) -> Hits:
        for command in self._commands if self.shown_first else ():
            yield DiscoveryHit(Content(command.name), command.run, text=command.name, help=command.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in self._commands:
            score, display = highlighted(matcher, command.name)
            if score:
                yield Hit(score, display, command.run, text=command.name, help=command.help)


class ActionCommands(CommandSource):
    """Every action that is possible now, by the words of its binding; what is not mere moving first."""

    def commands(self) -> Iterator[Command]:
        for name, about, source in (
            ("Go to an agent", "by its name or its team", AgentPalette),
            ("Choose a theme", "it is kept for the next time", ThemePalette),
        ):
            yield Command(name=name, help=about, run=partial(self._open, source))
        seen: set[str] = set()
        actives = self.screen.active_bindings.values()
        for active in sorted(actives, key=lambda active: not active.binding.show):
            binding = active.binding
            if binding.id is None or not active.enabled or binding.tooltip in seen:
                continue
            if binding.action == "command_palette" or binding.id.partition(".")[0] in WRITING:
                continue
            seen.add(binding.tooltip)
            run = partial(self.app.run_action, binding.action, active.node)
            yield Command(name=binding.tooltip, help=f"key {self.app.get_key_display(binding)}", run=run)

    def _open(self, source: type[CommandSource]) -> None:
        self.app.push_screen(CommandPalette(providers=[source], placeholder="type a few letters"))


class AgentCommands(CommandSource):
    """Going to an agent by its name or its team."""

    shown_first = False

    def commands(self) -> Iterator[Command]:
        fleet: Fleet | None = getattr(self.screen, "fleet", None)
        for team in fleet.teams if fleet else ():
            for view in team.agents:
                agent = view.agent
                name = f"Go to {clean(agent.role)} of {clean(agent.orchestration)}"
                about = f"{GLYPHS[agent.status]} {agent.status} {doing_now(agent)}"
                yield Command(name=name, help=about, run=partial(self._go, agent.id))

    def _go(self, agent: AgentId) -> None:
        go = getattr(self.screen, "action_go_to", None)
        if go is not None:
            go(agent)


class ScopePalette(CommandSource):
    """Of whom messages or events are shown: everybody, a team where that can be, an agent."""

    def commands(self) -> Iterator[Command]:
        yield Command(name="Everybody", help="nothing is left out", run=partial(self._choose, Scope()))
        fleet: Fleet | None = getattr(self.screen, "fleet", None)
        teams = fleet.teams if fleet else ()
        for team in teams if getattr(self.screen, "TEAMS", False) else ():
            name = team.orchestration.id
            yield Command(name=clean(name), help="a team", run=partial(self._choose, Scope(orchestration=name)))
        for team in teams:
            for view in team.agents:
                scope = Scope(agent=view.agent.id)
                yield Command(name=clean(view.agent.id), help="an agent", run=partial(self._choose, scope))

    def _choose(self, scope: Scope) -> None:
        show = getattr(self.screen, "show_scope", None)
        if show is not None:
            show(scope)


class ThemeCommands(CommandSource):
    """Choosing a theme; the choice is remembered."""

    shown_first = False

    def commands(self) -> Iterator[Command]:
        for name in sorted(self.app.available_themes):
            about = "the one you see" if name == self.app.theme else "choose it now and for the next time"
            yield Command(name=f"Theme: {name}", help=about, run=partial(self._choose, name))

    def _choose(self, name: str) -> None:
        self.app.theme = name


class AgentPalette(AgentCommands):
    """The agents alone."""

    shown_first = True


class ThemePalette(ThemeCommands):
    """The themes alone."""

    shown_first = True
