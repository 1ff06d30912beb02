"""What would bring a team back, part by part, each with what was found. Pure.

| what is missing | what is done |
|---|---|
| the program, its window, the session, the server | its window is made again; it goes on in its own conversation |
| its conversation too | it is started in a new one, with its whole briefing |
| the worktree's folder | it is written again: from git's own index of it, else from its branch |
| the branch | nothing: the commit it was at is named, and the command that brings it back |
| worktree and branch | nothing: where else the commits may be is for the person to say |
| something else is in the worktree's place | nothing |
| nothing | nothing, and no byte is typed |
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from orchestrator_core.models.recovery import AgentStanding, Part, RecoveryPlan, Step, Verb
from orchestrator_core.models.words import plural
from orchestrator_core.services.recovery_picture import AgentFacts, Picture, WorktreeFacts


def plan_of(picture: Picture) -> RecoveryPlan:
    """Return what bringing the team of `picture` back would do."""
    orchestration = picture.orchestration
    return RecoveryPlan(
        orchestration=orchestration.id,
        project=orchestration.project,
        steps=(*_of_team(picture), *(step for facts in picture.agents for step in _of_agent(facts, picture))),
        warnings=picture.limits,
        agents=tuple(_standing(facts) for facts in picture.agents),
    )


def _standing(facts: AgentFacts) -> AgentStanding:
    agent, worktree = facts.agent, facts.worktree
    return AgentStanding(
        agent=agent.id,
        is_alive=facts.runs,
        status=agent.status,
        limited_until=agent.limited_until,
        branch=agent.branch,
        has_branch=bool(agent.branch) and worktree.has_branch and not worktree.problem,
        ahead=worktree.ahead,
        behind=worktree.behind,
        changed=worktree.changed,
        window=facts.pane.window_id if facts.pane else "",
    )


def _of_team(picture: Picture) -> Iterator[Step]:
    team = picture.orchestration
    if not picture.is_supervised:
        yield Step(verb=Verb.REBUILD, part=Part.SUPERVISOR, reason="the supervisor does not run")
    if not picture.has_project:
        reason = f"the project {team.project} is gone: bring its folder back, then look again"
        yield Step(verb=Verb.REFUSE, part=Part.WORKTREE, reason=reason)
    if not picture.agents:
        reason = f"its start was cut short before there were agents: `tmorch start` on {team.project} undoes it"
        yield Step(verb=Verb.REFUSE, part=Part.SESSION, reason=reason)
        return
    if team.is_adopted:
        return
    if picture.session is not None:
        yield Step(verb=Verb.KEEP, part=Part.SESSION, reason=f"the tmux session {team.session} is there")
        return
    reason = f"the tmux session {team.session} is gone" if picture.has_server else "no tmux server runs"
    if picture.is_name_taken:
        reason += "; another session has its name, so it gets one like it"
    is_needed = any(_may_start(facts, picture) for facts in picture.agents)
    yield Step(verb=Verb.REBUILD if is_needed else Verb.REFUSE, part=Part.SESSION, reason=reason)


def _may_start(facts: AgentFacts, picture: Picture) -> bool:
    return not facts.runs and not any(step.verb is Verb.REFUSE for step in _of_agent(facts, picture))


def _of_agent(facts: AgentFacts, picture: Picture) -> tuple[Step, ...]:
    """Return the steps about an agent; of one that is refused something, nothing else is done."""
    steps = tuple(_parts(facts, picture))
    if not any(step.verb is Verb.REFUSE for step in steps):
        return steps
    return tuple(step for step in steps if step.verb in (Verb.KEEP, Verb.REFUSE))


def _parts(facts: AgentFacts, picture: Picture) -> Iterator[Step]:
    yield from _of_window(facts)
    yield from _of_program(facts)
    if not facts.agent.is_adopted and picture.has_project:
        yield from _of_worktree(facts.worktree, facts, picture.orchestration.project)
    yield from _of_the_rest(facts)


def _step(facts: AgentFacts, verb: Verb, part: Part, reason: str) -> Step:
    return Step(verb=verb, part=part, agent=facts.agent.id, reason=reason)


def _of_window(facts: AgentFacts) -> Iterator[Step]:
    if facts.agent.is_adopted:
        return
    if facts.pane is not None:
        yield _step(facts, Verb.KEEP, Part.WINDOW, "its window is there")
    elif not _refusal(facts):
        yield _step(facts, Verb.REBUILD, Part.WINDOW, "its window is gone")


def _of_program(facts: AgentFacts) -> Iterator[Step]:
    if facts.runs:
        yield _step(facts, Verb.KEEP, Part.PROGRAM, "its program runs")
    elif refusal := _refusal(facts):
        yield _step(facts, Verb.REFUSE, Part.PROGRAM, refusal)
    else:
        why = "its window is gone" if facts.pane is None else facts.agent.reason or "its program has ended"
        if facts.can_resume:
            yield _step(facts, Verb.CONTINUE, Part.PROGRAM, f"{why}: it goes on in its own conversation")
        else:
            has_had = "its conversation is gone" if facts.agent.conversation else "it keeps no conversation"
            yield _step(facts, Verb.START_ANEW, Part.PROGRAM, f"{why}; {has_had}: it begins anew, with its briefing")


def _refusal(facts: AgentFacts) -> str:
    """Return why the program of an agent is not started; empty when it may be."""
    if facts.agent.is_adopted:
        return "you started it: start it again yourself, then `tmorch adopt` it"
    if facts.elsewhere:
        return f"its conversation is open elsewhere: {facts.elsewhere}; end it there, then look again"
    return facts.crash_loop


def _of_worktree(worktree: WorktreeFacts, facts: AgentFacts, project: str) -> Iterator[Step]:
    agent = facts.agent
    if worktree.problem:
        yield _step(facts, Verb.REFUSE, Part.WORKTREE, worktree.problem)
        return
    if worktree.in_its_place:
        reason = f"something else is at {agent.worktree}: move it away, then look again"
        yield _step(facts, Verb.REFUSE, Part.WORKTREE, reason)
    elif worktree.is_there:
        changed = f", with {plural(worktree.changed, 'changed file')}" if worktree.changed else ""
        yield _step(facts, Verb.KEEP, Part.WORKTREE, f"it is there{changed}")
    elif worktree.has_branch:
        source = "what git has of it" if worktree.is_restorable else f"its branch {agent.branch}"
        what = "git was cut short while it made it" if worktree.is_unfinished else "its folder is gone"
        yield _step(facts, Verb.REBUILD, Part.WORKTREE, f"{what}: it is written again from {source}")
    else:
        yield _step(facts, Verb.REFUSE, Part.WORKTREE, "its folder is gone, and its branch too")
    yield _of_branch(worktree, facts, project)


def _of_branch(worktree: WorktreeFacts, facts: AgentFacts, project: str) -> Step:
    agent = facts.agent
    if worktree.has_branch:
        return _step(facts, Verb.KEEP, Part.BRANCH, agent.branch)
    reason = f"{agent.branch} was deleted"
    if worktree.last_commit:
        command = shlex.join(("git", "-C", project, "branch", agent.branch, worktree.last_commit))
        reason += f"; `{command}` brings it back as it was"
    else:
        reason += "; `git reflog` and `tmorch cleanup --list-trash` may know its commits"
    return _step(facts, Verb.REFUSE, Part.BRANCH, reason)


def _of_the_rest(facts: AgentFacts) -> Iterator[Step]:
    if facts.runs and not facts.has_files and not facts.agent.is_adopted:
        yield _step(facts, Verb.REBUILD, Part.FILES, "its private folder is gone: its settings and run script")
    if facts.given_up:
        reason = f"{plural(facts.given_up, 'check-in')} given up while it was gone: they go on"
        yield _step(facts, Verb.REBUILD, Part.CHECK_IN, reason)
    elif facts.check_ins:
        yield _step(facts, Verb.KEEP, Part.CHECK_IN, f"{plural(facts.check_ins, 'check-in')} set")
