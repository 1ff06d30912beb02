"""Plans of teams of which something is missing, and what is left over."""

from __future__ import annotations

from orchestrator_core.models.ids import AgentId, OrchestrationId, agent_id
from orchestrator_core.models.recovery import Orphan, OrphanKind, Part, RecoveryPlan, Step, Verb

SHOP, DOCS = OrchestrationId("shop-3f2a"), OrchestrationId("docs-91bb")


def step(verb: Verb, part: Part, reason: str, role: str = "", team: OrchestrationId = SHOP) -> Step:
    """Return a step about an agent of a team, or about the team itself."""
    return Step(verb=verb, part=part, reason=reason, agent=agent_id(team, role) if role else AgentId(""))


def kept(role: str, team: OrchestrationId = SHOP) -> tuple[Step, ...]:
    """Return what is said of an agent of which all is there."""
    reasons = {
        Part.WINDOW: "its window is there",
        Part.PROGRAM: "its program runs",
        Part.WORKTREE: "it is there, with 2 changed files",
        Part.BRANCH: f"tmorch/{team}/{role}",
        Part.CHECK_IN: "every 30 min",
    }
    return tuple(step(Verb.KEEP, part, reason, role, team) for part, reason in reasons.items())


SESSION = step(Verb.KEEP, Part.SESSION, "the tmux session shop-3f2a is there")
WORKTREE = step(
    Verb.REBUILD, Part.WORKTREE, "its folder is gone; its branch tmorch/shop-3f2a/developer is there", "developer"
)
CONTINUE = step(Verb.CONTINUE, Part.PROGRAM, "its program ended with exit code 137 while it was working", "developer")
KEPT_BRANCH = step(Verb.KEEP, Part.BRANCH, "tmorch/shop-3f2a/developer", "developer")
ANEW = step(Verb.START_ANEW, Part.CONVERSATION, "its conversation is gone: Claude has no file of it", "reviewer")
REFUSED = step(
    Verb.REFUSE,
    Part.CONVERSATION,
    "it runs elsewhere: process 4711 in /dev/pts/9; end it there, then look again",
    "tester",
)
REBRIEF = step(Verb.REBRIEF, Part.CONVERSATION, "it was started anew", "reviewer")

WHOLE = RecoveryPlan(
    orchestration=DOCS,
    project="/home/dana/projects/docs",
    steps=(
        step(Verb.KEEP, Part.SESSION, "the tmux session docs-91bb is there", team=DOCS),
        *kept("orchestrator", DOCS),
        *kept("developer", DOCS),
    ),
)
PLAIN = RecoveryPlan(
    orchestration=SHOP,
    project="/home/dana/projects/shop",
    steps=(SESSION, *kept("orchestrator"), WORKTREE, CONTINUE, KEPT_BRANCH),
)
"""Nothing about it is unusual."""
ODD = RecoveryPlan(
    orchestration=SHOP,
    project="/home/dana/projects/shop",
    steps=(*PLAIN.steps, ANEW, REBRIEF, REFUSED),
    warnings=("the account /home/dana/.claude is limited until 14:30",),
)
BLOG = RecoveryPlan(
    orchestration=OrchestrationId("blog-77aa"),
    project="/home/dana/projects/blog",
    steps=(
        step(Verb.REBUILD, Part.SESSION, "the tmux session is gone", team=OrchestrationId("blog-77aa")),
        *(
            step(Verb.CONTINUE, Part.PROGRAM, "its window is gone", role, OrchestrationId("blog-77aa"))
            for role in ("orchestrator", "developer")
        ),
    ),
)
ORPHANS = (
    Orphan(
        kind=OrphanKind.SESSION,
        name="till-0a0a",
        where="tmux session till-0a0a, 2 windows",
        what_to_do="tmux kill-session -t =till-0a0a",
    ),
    Orphan(
        kind=OrphanKind.WORKTREE,
        name="till-0a0a/developer",
        where="/home/dana/.local/state/tmorch/worktrees/till-0a0a/developer",
        what_to_do="tmorch cleanup till-0a0a",
    ),
    Orphan(
        kind=OrphanKind.INTENT,
        name="blog-77aa",
        where="/home/dana/projects/blog",
        orchestration=OrchestrationId("blog-77aa"),
        what_to_do="tmorch resume blog-77aa",
    ),
)
