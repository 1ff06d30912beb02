"""What the person wants on the screen that resumes teams."""

from __future__ import annotations

from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.models.recovery import RecoveryPlan
from tui.messages import Wish


class RecoveryWish(Wish):
    """A wish about what is missing of teams."""


class RecoveryOpened(RecoveryWish):
    """The person wants to see what is missing of teams, beginning with an agent or a team."""

    def __init__(self, orchestration: OrchestrationId | None = None, agent: AgentId | None = None) -> None:
        super().__init__()
        self.orchestration = orchestration
        self.agent = agent


class PlansWanted(RecoveryWish):
    """What is missing, and what is left over, is to be looked at again."""


class ResumeWanted(RecoveryWish):
    """The person has read a plan and wants it done."""

    def __init__(self, plan: RecoveryPlan, *, rebrief_all: bool = False) -> None:
        super().__init__()
        self.plan = plan
        self.rebrief_all = rebrief_all
