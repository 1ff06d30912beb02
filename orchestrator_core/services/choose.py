"""Making one choice in an agent's open dialog: the cursor is walked to it and Enter is pressed once.

Never a blind key: the dialog is looked at before each one, and a key goes out only when the one before was seen to
arrive. A key that nobody saw arrive may still do so later, in front of another dialog: then no more are pressed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from orchestrator_core.agents.driver import Driver
from orchestrator_core.agents.screen import ScreenState
from orchestrator_core.agents.views import dialog_of
from orchestrator_core.errors import NotFoundError, RefusedError, TimedOutError, TmuxCommandError, TmuxGoneError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.dialog import Choice, OpenDialog
from orchestrator_core.services.sight import Sight, look
from orchestrator_core.tmux.gateway import TmuxGateway

MOVES = 12
"""How many times the cursor is moved at most."""
STEP_S = 0.03
STEADY = 2
"""In how many looks something must be so."""
ARRIVES_S = 2.0
"""How long a cursor move may take to show."""
CLOSES_S = 5.0
"""How long a dialog may take to close after Enter."""


class Ending(StrEnum):
    """How a choosing ended."""

    GIVEN = "given"
    """Enter was pressed on the choice, and the dialog is gone."""
    GONE = "gone"
    """The dialog was not there, or was replaced before anything was chosen."""
    OUT_OF_REACH = "out-of-reach"
    """The cursor could not be brought there; nothing was chosen."""
    UNCONFIRMED = "unconfirmed"
    """A key was pressed and not seen to arrive."""


class Choosing(Struct, frozen=True, kw_only=True):
    """What became of a choice; the reason is in the person's words."""

    ending: Ending
    reason: str = ""


class OpenSight(Struct, frozen=True, kw_only=True):
    """An agent's screen with a dialog on it."""

    sight: Sight
    dialog: OpenDialog

    @property
    def cursor(self) -> int | None:
        """Which choice the cursor is on, from 0; None when it is not to be seen."""
        return next((at for at, choice in enumerate(self.dialog.choices) if choice.selected), None)


def place_of(words: str, choices: tuple[Choice, ...]) -> int | None:
    """Return which choice has the label `words`, or is the only one that begins so; None when there is none."""
    exact = [at for at, choice in enumerate(choices) if words and choice.label == words]
    begun = [at for at, choice in enumerate(choices) if words and choice.label.startswith(words)]
    return exact[0] if exact else begun[0] if len(begun) == 1 else None


class Chooser:
    """Chooses in the dialogs of one agent. Calls for one agent must not overlap."""

    def __init__(self, gateway: TmuxGateway, agent: Agent, driver: Driver) -> None:
        self._gateway = gateway
        self._agent = agent
        self._driver = driver
        self._is_key_out = False
        """A key was pressed and has not been seen to arrive."""

    async def look(self) -> OpenSight | Choosing:
        """Return the dialog that is open in the agent's own program, or why there is none to choose in.

        Raises:
            TmuxGoneError: the tmux server is not there.

        """
        sight = await look(self._gateway, self._agent, self._driver)
        if sight is None:
            return _gone("its pane is gone")
        if sight.frame.dead:
            return _gone("its program has ended")
        if not sight.is_agent:
            return _gone(f"not an agent: {sight.frame.command or 'another program'} is in front in its pane")
        if sight.reading.state is not ScreenState.DIALOG:
            return _gone("no dialog is open any more")
        return OpenSight(sight=sight, dialog=dialog_of(sight.reading))

    async def choose(self, fingerprint: str, place: int) -> Choosing:
        """Choose what is at `place`, from 0, in the very dialog that `fingerprint` tells, and see it close."""
        try:
            return await self._walk(fingerprint, place) or await self._enter(fingerprint, place)
        except (TmuxGoneError, NotFoundError, RefusedError, TmuxCommandError, TimedOutError) as error:
            if self._is_key_out:
                return Choosing(ending=Ending.UNCONFIRMED, reason=f"a key was pressed, then: {error.title}")
            return _gone(error.title)

    async def _walk(self, fingerprint: str, place: int) -> Choosing | None:
        """Bring the cursor to `place`; return None when it is there, else why not."""
        for _ in range(MOVES):
            seen = await self._see(fingerprint)
            if isinstance(seen, Choosing):
                return seen
            cursor = seen.cursor
            if cursor is None:
                return Choosing(ending=Ending.OUT_OF_REACH, reason="its cursor is not to be seen")
            if cursor == place:
                return None
            moved = await self._move("Down" if place > cursor else "Up", fingerprint, cursor)
            if moved is not None:
                return moved
        return Choosing(ending=Ending.OUT_OF_REACH, reason="the cursor does not come to that choice")

    async def _move(self, key: str, fingerprint: str, cursor: int) -> Choosing | None:
        """Press an arrow key; return None once the cursor has left `cursor`, else what was seen instead."""
        await self._press(key)

        def has_moved(seen: OpenSight | Choosing) -> bool:
            return isinstance(seen, Choosing) or seen.dialog.fingerprint != fingerprint or seen.cursor != cursor

        if not await self._until(has_moved, ARRIVES_S):
            return Choosing(ending=Ending.UNCONFIRMED, reason=f"it does not react: {key} was pressed and did nothing")
        self._is_key_out = False
        return None

    async def _enter(self, fingerprint: str, place: int) -> Choosing:
        seen = await self._see(fingerprint)
        if isinstance(seen, Choosing):
            return seen
        if seen.cursor != place:
            return Choosing(ending=Ending.OUT_OF_REACH, reason="somebody else moves the cursor")
        await self._press("Enter")  # once: a second one might meet the next dialog

        def is_gone(seen: OpenSight | Choosing) -> bool:
            return isinstance(seen, Choosing) or seen.dialog.fingerprint != fingerprint

        if await self._until(is_gone, CLOSES_S):
            return Choosing(ending=Ending.GIVEN)
        return Choosing(ending=Ending.UNCONFIRMED, reason="Enter was pressed, and the dialog is still open")

    async def _see(self, fingerprint: str) -> OpenSight | Choosing:
        """Return the dialog, made ready for keys, if it is still the one that is meant."""
        seen = await self.look()
        if isinstance(seen, Choosing):
            return seen
        if seen.dialog.fingerprint != fingerprint:
            return _gone("another dialog is open by now")
        if seen.sight.frame.in_mode:
            await self._gateway.leave_mode(seen.sight.frame.pane)
        return seen

    async def _press(self, key: str) -> None:
        assert self._agent.pane is not None
        self._is_key_out = True
        try:
            await self._gateway.press(self._agent.pane, key, agent=self._agent.id)
        except (RefusedError, NotFoundError, TmuxCommandError):  # tmux says that it pressed nothing
            self._is_key_out = False
            raise

    async def _until(self, check: Callable[[OpenSight | Choosing], bool], seconds: float) -> bool:
        """Look until `check` holds twice, for one look may meet half of a screen; return False when time is up."""
        clock = asyncio.get_running_loop().time
        deadline, held = clock() + seconds, 0
        while True:
            held = held + 1 if check(await self.look()) else 0
            if held == STEADY:
                return True
            if clock() > deadline:
                return False
            await asyncio.sleep(STEP_S)


def _gone(reason: str) -> Choosing:
    return Choosing(ending=Ending.GONE, reason=reason)
