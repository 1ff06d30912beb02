"""What the app is opened for, and what is to be said when that did not come about."""

from __future__ import annotations

from msgspec import Struct

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.launch import Proposal, ProposalId

NOT_APPROVED = "not approved; nothing was made"


class Opening(Struct, frozen=True, kw_only=True):
    """What stands over the main screen at first; by default nothing does."""

    new_team: bool = False
    proposal: Proposal | None = None
    """A saved one, to be approved."""
    is_errand: bool = False
    """`tmorch start` has saved it for this: it is started, or it goes and so does the app."""
    by_claude: bool = False
    """Claude is to read its spec at once."""


NOTHING_FIRST = Opening()


class Errand:
    """The saved proposal that `tmorch start` has opened the app for, if it has; and what became of it."""

    def __init__(self, opening: Opening) -> None:
        proposal = opening.proposal if opening.is_errand else None
        self.number: ProposalId | None = proposal.saved if proposal else None
        self.is_kept = False
        """The person has saved it: it does not go."""
        self._is_done = proposal is None
        self._words: tuple[str, ...] = (NOT_APPROVED,)

    @property
    def is_open(self) -> bool:
        """Whether its team does not run yet."""
        return not self._is_done

    @property
    def last_words(self) -> tuple[str, ...]:
        """What `tmorch start` is to say at the end; nothing when the team was started, or there was no errand."""
        if self._is_done:
            return ()
        kept = (f"it is saved: tmorch start --proposal {self.number}",) if self.is_kept else ()
        return (*self._words, *kept)

    def begin(self) -> None:
        """Take in that the team is being started."""
        self._words = ("not started: it was interrupted; what it had made is undone, except what holds work",)

    def fail(self, error: TmorchError) -> None:
        """Take in that the team could not be started."""
        self._words = tuple(filter(None, (f"not started: {error.title}", error.cause, error.remedy)))

    def done(self) -> None:
        """Take in that the team runs."""
        self._is_done = True
