"""The stable shapes of `--json`, made from models. Their schemas lie in `schemas/`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from orchestrator_core.models.check_in import CheckIn, Firing
from orchestrator_core.models.event import Event
from orchestrator_core.models.evidence import StoredCase, Why
from orchestrator_core.models.fleet import AgentView, Fleet, SupervisorHealth, Team
from orchestrator_core.models.message import AgentMessage
from orchestrator_core.models.need import Need
from orchestrator_core.models.team import RoleChoice

Json = dict[str, object]


def fleet_document(fleet: Fleet, teams: Iterable[Team], now: float) -> Json:
    """Return the document of `start`, `list`, `status` and `team`."""
    return {
        "orchestrations": [team_document(team) for team in teams],
        "supervisor": supervisor_document(fleet.supervisor, now),
    }


def team_document(team: Team) -> Json:
    """Return one orchestration with its agents."""
    run = team.orchestration
    return {
        "id": run.id,
        "project": run.project,
        "session": run.session,
        "starting_branch": run.starting_branch,
        "state": run.state,
        "paused": run.state.is_active and run.paused_at is not None,
        "agents": [agent_document(view) for view in team.agents],
    }


def agent_document(view: AgentView) -> Json:
    """Return one agent with the number of messages it has not got yet; its time is in seconds since the epoch."""
    agent = view.agent
    return {
        "id": agent.id,
        "role": agent.role,
        "driver": agent.driver,
        "status": agent.status,
        "reason": agent.reason,
        "doing": agent.doing,
        "waiting_for": agent.waiting_for,
        "pane": agent.pane,
        "window": agent.window,
        "worktree": agent.worktree,
        "branch": agent.branch,
        "queued": view.queued,
        "next_check_in": view.next_check_in,
    }


def supervisor_document(health: SupervisorHealth, now: float) -> Json:
    """Return how the supervisor is; ages are in seconds, null when there was no such thing."""
    return {
        "running": health.running,
        "responds": health.running and not health.is_silent(now),
        "since": health.since,
        "pid": health.pid,
        "heartbeat_age_s": _age(health.heartbeat_at, now),
        "last_error": health.last_error,
        "last_error_age_s": _age(health.last_error_at, now),
        "overdue": health.overdue,
        "service": health.has_service,
    }


def _age(at: float | None, now: float) -> float | None:
    return None if at is None else round(max(0.0, now - at), 1)


def message_document(message: AgentMessage) -> Json:
    """Return one message of `messages`; times are seconds since the epoch."""
    return {
        "id": message.id,
        "sender": message.sender,
        "target": {"agent": message.target, "pane": message.pane},
        "state": message.state,
        "reason": message.reason,
        "mode": message.mode,
        "kind": message.kind,
        "text": message.text,
        "suppressed": message.suppressed,
        "created_at": message.created_at,
        "delivered_at": message.delivered_at,
        "acknowledged_at": message.acknowledged_at,
    }


def need_document(need: Need) -> Json:
    """Return one entry of `needs`; its time is in seconds since the epoch."""
    return {
        "key": need.key,
        "kind": need.kind,
        "orchestration": need.orchestration,
        "agent": need.agent,
        "message": need.message,
        "detail": need.detail,
        "choices": [{"key": choice.key, "label": choice.label} for choice in need.choices],
        "fingerprint": need.fingerprint,
        "since": need.since,
    }


def check_in_document(check_in: CheckIn) -> Json:
    """Return one check-in of `schedule`; times are seconds since the epoch, and `due` is `due_at` on clocks here."""
    return {
        "id": check_in.id,
        "target": check_in.target,
        "author": check_in.author,
        "note": check_in.note,
        "kind": check_in.kind,
        "due_at": check_in.due_at,
        "due": datetime.fromtimestamp(check_in.due_at).astimezone().isoformat(timespec="seconds"),
        "interval_s": check_in.interval_s,
        "cron": check_in.cron,
        "zone": check_in.zone,
        "is_standing": check_in.is_standing,
        "state": check_in.state,
        "reason": check_in.reason,
        "attempts": check_in.attempts,
        "retry_at": check_in.retry_at,
        "created_at": check_in.created_at,
        "ended_at": check_in.ended_at,
    }


def firing_document(firing: Firing) -> Json:
    """Return one firing of a check-in; times are seconds since the epoch."""
    return {
        "check_in": firing.check_in,
        "due_at": firing.due_at,
        "fired_at": firing.fired_at,
        "missed": firing.missed,
        "outcome": firing.outcome,
        "message": firing.message,
        "reason": firing.reason,
        "receipt": firing.receipt,
    }


def event_document(event: Event) -> Json:
    """Return one event of `log`; its time is in seconds since the epoch."""
    return {
        "id": event.id,
        "at": event.at,
        "kind": event.kind,
        "text": event.text,
        "orchestration": event.orchestration,
        "agent": event.agent,
    }


def why_document(why: Why, case: StoredCase | None) -> Json:
    """Return the document of `why`; times are seconds since the epoch."""
    agent, verdict = why.agent, why.verdict
    return {
        "agent": agent.id,
        "looked_at": why.looked_at,
        "status": verdict.status,
        "reason": verdict.reason,
        "doing": verdict.doing,
        "waiting_for": verdict.waiting_for,
        "grounds": [
            {"source": ground.source, "weight": ground.weight, "says": ground.says, "at": ground.at}
            for ground in why.grounds
        ],
        "supervisor": {"status": agent.status, "reason": agent.reason, "since": agent.status_since},
        "case": case and {"path": case.path, "masked": list(case.masked)},
    }


def choices_document(choices: Iterable[RoleChoice]) -> list[Json]:
    """Return roles with the reasons for which they were chosen or dropped."""
    return [
        {
            "role": choice.role.key,
            "title": choice.role.title,
            "check_in_min": choice.interval_min,
            "model": choice.model,
            "permission_mode": choice.permission_mode,
            "kind": choice.kind,
            "reason": choice.reason,
        }
        for choice in choices
    ]
