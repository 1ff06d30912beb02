"""What stands where the preview would be when there is no pane to show: each says what is so and what to do. Pure."""

from __future__ import annotations

from textual.content import Content

from orchestrator_core.models.agent import Agent
from orchestrator_core.models.fleet import Fleet, Team
from orchestrator_core.models.orchestration import OrchestrationState
from tui.wording import GLYPHS, QUIET, age, clean, clean_line, doing_now, plural

Line = Content | str

HEADING = "bold $primary"
COMMAND = "bold $accent"
GOAL_CELLS = 400


def card(title: str, *lines: Line, style: str = HEADING) -> Content:
    """Return a card: a title, an empty line, and the lines. No text in it is read as markup."""
    body = [Content(line) if isinstance(line, str) else line for line in lines]
    return Content("\n").join([Content.assemble((title, style)), Content(), *body])


def command(text: str) -> Content:
    """Return a command line, as it is to be typed."""
    return Content.assemble(("  " + text, COMMAND))


def quiet(text: str) -> Content:
    """Return a line of lesser weight."""
    return Content.assemble((text, QUIET))


def reading() -> Content:
    """Return what shows before the first fleet was read."""
    return card("Reading the fleet …")


def welcome(new_team_key: str, *, has_guests: bool) -> Content:
    """Return how to begin; `new_team_key` opens the form for a team, and may be empty."""
    here = [command(new_team_key).append(Content(" here, or in a terminal:"))] if new_team_key else []
    guests: list[Line] = []
    if has_guests:
        guests = ["", quiet("Your own tmux sessions are in the tree.")]
    return card(
        "No team yet",
        "See one at work within a minute, on a scratch repository and without Claude:",
        "",
        command("tmorch demo"),
        "",
        "Start one on your own project, with a spec: a Markdown file that says the goal.",
        "",
        *here,
        command("tmorch start --project app --spec spec.md"),
        "",
        "It shows the team it proposes and asks you before it makes anything; once it starts, it appears here.",
        *guests,
    )


def tmux_missing(detail: str) -> Content:
    """Return what to do without a usable tmux."""
    return card(
        "tmux cannot be used",
        clean(detail) or "There is no tmux on PATH.",
        "",
        "tmorch runs every agent in a tmux window, and needs tmux 3.2a or newer:",
        "",
        command("sudo apt install tmux"),
        command("brew install tmux"),
        "",
        quiet("This screen comes alive by itself once tmux is there."),
        style="bold $text-error",
    )


def server_gone(fleet: Fleet) -> Content:
    """Return what it means that no tmux server runs although teams do."""
    ids = [clean(team.orchestration.id) for team in fleet.teams if team.orchestration.state.is_active]
    return card(
        "The tmux server is gone",
        clean(fleet.tmux_detail) or "No tmux server answers on the socket.",
        "",
        "The agents' programs ended with it. Their worktrees and branches are untouched.",
        "",
        "To look at what they had done, or to end a team for good:",
        "",
        command(f"tmorch status {ids[0]}"),
        command(f"tmorch stop {ids[0]}"),
        "",
        quiet("This screen comes back by itself when a server runs again."),
        style="bold $text-error",
    )


def team_card(team: Team, now: float) -> Content:
    """Return what is known of a team: its goal, where it works, and its agents at a glance."""
    orchestration = team.orchestration
    since = f"{orchestration.state}, started {age(now - orchestration.created_at)} ago"
    goal = clean(orchestration.goal)
    facts = [
        ("project", clean(orchestration.project)),
        ("from branch", clean(orchestration.starting_branch)),
        ("spec", clean(orchestration.spec_path)),
        ("agents", f"{clean(orchestration.driver)}, plan {clean(orchestration.plan)}"),
        ("tmux session", clean(orchestration.session)),
    ]
    failure: list[Line] = []
    if orchestration.failure:
        failure = [Content.assemble((clean(orchestration.failure), "$text-error")), ""]
    opening: list[Line] = [goal[:GOAL_CELLS], ""] if goal else []
    return card(
        clean(orchestration.project_name),
        *failure,
        *opening,
        quiet(since),
        *(Content.assemble((f"{name:<13}", QUIET), value) for name, value in facts if value),
        "",
        *(_agent_line(view.agent) for view in team.agents),
        *_after_stop(team),
    )


def _agent_line(agent: Agent) -> Content:
    return Content.assemble(
        (f"{GLYPHS[agent.status]} ", f"$status-{agent.status}"), f"{clean(agent.role):<18}", (doing_now(agent), QUIET)
    )


def _after_stop(team: Team) -> list[Line]:
    if team.orchestration.state is not OrchestrationState.STOPPED:
        return []
    return [
        "",
        "Its worktrees and branches are kept. When you have what you want of them:",
        "",
        command(f"tmorch cleanup {clean(team.orchestration.id)}"),
    ]


def no_pane(agent: Agent) -> Content:
    """Return what is left of an agent that has no pane."""
    words = [clean_line(line) for line in agent.last_output.splitlines()]
    last: list[Line] = []
    if any(words):
        last = ["", quiet("Its last words:"), *(f"  {line}" for line in words)]
    return card(
        f"{clean(agent.role)} has no window",
        clean(agent.reason) or f"It is {agent.status}.",
        *last,
        "",
        quiet(f"Its worktree: {clean(agent.worktree)}"),
        quiet(f"Its branch:   {clean(agent.branch)}"),
        style=f"bold $status-{agent.status}",
    )


def ourselves() -> Content:
    """Return why this pane is not shown."""
    return card("This is tmorch-tui itself", "Its own pane is never mirrored.")


def guests_card(windows: int, sessions: int) -> Content:
    """Return what guests are."""
    return card(
        "Other tmux sessions",
        f"{plural(windows, 'window')} in {plural(sessions, 'session')} that tmorch did not create.",
        "",
        "Open a session and select a window to look at it; enter goes there. tmorch never types into them and never "
        "closes them.",
    )
