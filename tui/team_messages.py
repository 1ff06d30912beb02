"""What the person wants on the screens of a team that is not there yet: from the wish to the launch."""

from __future__ import annotations

from textual.message import Message

from orchestrator_core.models.launch import (
    Change,
    Decision,
    PathKind,
    Proposal,
    ProposalId,
    StartRequest,
)
from tui.messages import Wish

DEMO = "demo"
"""The kind of agents that are scripted: nobody is asked for them."""


class TeamWish(Wish):
    """A wish of these screens."""


class LaunchWish(TeamWish):
    """A wish about a start."""


class NewTeamOpened(TeamWish):
    """The person wants a new team."""


class NewTeamLeft(TeamWish):
    """The person does not want a new team now."""


class PathsWanted(TeamWish):
    """A path is being written, and it is to be known how it may go on."""

    def __init__(self, text: str, kind: PathKind, project: str = "") -> None:
        super().__init__()
        self.text = text
        self.kind = kind
        self.project = project

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, PathsWanted) and message.kind is self.kind


class SavedWanted(TeamWish):
    """The saved proposals are wanted."""


class ProposalWanted(TeamWish):
    """The person wants to see what a start would do; `by_claude`: and Claude is to read the spec meanwhile."""

    def __init__(self, request: StartRequest, *, by_claude: bool) -> None:
        super().__init__()
        self.request = request
        self.by_claude = by_claude


class SavedOpened(TeamWish):
    """The person wants to see a saved proposal."""

    def __init__(self, number: ProposalId) -> None:
        super().__init__()
        self.number = number


class DiscardWanted(TeamWish):
    """The person lets a saved proposal go."""

    def __init__(self, number: ProposalId) -> None:
        super().__init__()
        self.number = number


class ChangeWanted(TeamWish):
    """The person changes the proposal on the screen."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self.change = change


class RefineWanted(TeamWish):
    """The person accepts all advice that can be followed."""


class AnalysisWanted(TeamWish):
    """The person wants Claude to read the spec."""


class AnalysisCancelled(TeamWish):
    """The person does not want to wait for Claude any more."""


class BriefingWanted(TeamWish):
    """The person wants to read what an agent would be told first."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self.role = role


class SaveWanted(TeamWish):
    """The person keeps the proposal for later."""


class ApprovalLeft(TeamWish):
    """The person does not want this team; nothing has been made."""


class Approved(LaunchWish):
    """The person wants this team started."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__()
        self.proposal = proposal


class DecisionMade(LaunchWish):
    """The person has decided what is to be done about a step that failed."""

    def __init__(self, decision: Decision) -> None:
        super().__init__()
        self.decision = decision


class LaunchCancelled(LaunchWish):
    """The person wants the start undone that is under way."""


class LaunchLeft(LaunchWish):
    """The person has seen how the start ended."""
