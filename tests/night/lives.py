"""What agents do of themselves in a night, by a seeded plan."""

from __future__ import annotations

from random import Random

from orchestrator_core.models.agent import AgentStatus, Verdict
from orchestrator_core.models.ids import AgentId

MIN = 60.0
GRAIN = 64
"""Moments lie on a grid that floating-point numbers hold exactly."""
FOLLOWS: dict[AgentStatus, tuple[tuple[AgentStatus, int], ...]] = {
    AgentStatus.IDLE: (
        (AgentStatus.WORKING, 64), (AgentStatus.WAITING, 14), (AgentStatus.LIMITED, 12), (AgentStatus.EXITED, 10),
    ),
    AgentStatus.WORKING: (
        (AgentStatus.IDLE, 80), (AgentStatus.WAITING, 10), (AgentStatus.LIMITED, 6), (AgentStatus.EXITED, 4),
    ),
    AgentStatus.WAITING: ((AgentStatus.WORKING, 1),),
    AgentStatus.LIMITED: ((AgentStatus.IDLE, 1),),
    AgentStatus.EXITED: ((AgentStatus.STARTING, 1),),
    AgentStatus.STARTING: ((AgentStatus.IDLE, 1),),
}  # fmt: skip
LASTS_MIN = {
    AgentStatus.IDLE: (3.0, 40.0),
    AgentStatus.WORKING: (1.0, 25.0),
    AgentStatus.WAITING: (1.0, 30.0),
    AgentStatus.LIMITED: (8.0, 110.0),
    AgentStatus.STARTING: (0.05, 0.7),
}
AWAY_MIN = ((1.0, 20.0), (45.0, 130.0))
"""An agent that ends comes back soon, or so late that its check-ins are dead by then."""


def moment(chance: Random, low: float, high: float) -> float:
    """Return a moment between two, on the grid."""
    return round(chance.uniform(low, high) * GRAIN) / GRAIN


class Life:
    """One agent as it is, whatever tmorch knows of it."""

    def __init__(self, agent: AgentId, chance: Random) -> None:
        self.agent = agent
        self._chance = chance
        self.status = AgentStatus.IDLE
        self.until = moment(chance, 0, 20 * MIN)
        self.limited_until: float | None = None

    def go_on(self, at: float, wall: float) -> None:
        """Begin the next phase."""
        following, weights = zip(*FOLLOWS[self.status], strict=True)
        self.status = self._chance.choices(following, weights)[0]
        self.limited_until = None
        if self.status is AgentStatus.EXITED:
            low, high = self._chance.choice(AWAY_MIN)
        else:
            low, high = LASTS_MIN[self.status]
        self.until = at + moment(self._chance, low * MIN, high * MIN)
        if self.status is AgentStatus.LIMITED:
            if self._chance.random() < 0.7:
                self.limited_until = wall + self.until - at
            self.until += moment(self._chance, 0, 1.5 * MIN)

    def take(self, at: float) -> None:
        """Get a message at the prompt: there is work."""
        self.status = AgentStatus.WORKING
        self.until = at + moment(self._chance, 0.5 * MIN, 12 * MIN)

    def verdict(self) -> Verdict:
        """Return what a look at it would tell."""
        return Verdict(status=self.status, reason=f"it is {self.status}", limited_until=self.limited_until)
