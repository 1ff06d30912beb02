"""`tmorch cleanup`: what would be lost is shown before it is, and what went can be found."""

from __future__ import annotations

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.errors import ExitCode, RefusedError
from orchestrator_core.models.branch import Removal
from orchestrator_core.models.project import WorkAtRisk
from tests.fakes.cli import FakeContext, FakeOrchestrator
from tests.fakes.json_shape import faults

REF = "refs/tmorch/trash/shop-1a2b/developer/1"


def facade_with_work() -> FakeOrchestrator:
    facade = FakeOrchestrator()
    facade.risks = (
        WorkAtRisk(name="developer", worktree="/w", branch="b", dirty=("app.py",), dirty_count=3, unmerged=2),
        WorkAtRisk(name="tester", worktree="/w", branch="b"),
    )
    facade.removals = (
        Removal(
            role="developer", worktree="/w", branch="b", removed=True, ref=REF, not_kept=(".env",), not_kept_count=4
        ),
    )
    return facade


def test_work_at_risk_is_a_table_and_a_refusal() -> None:
    context = FakeContext("cleanup", "shop-1a2b", orchestrator=facade_with_work())
    assert context.run() == ExitCode.REFUSED
    rows = [line.split() for line in context.narrated.splitlines()]
    assert ["ROLE", "UNCOMMITTED", "UNMERGED", "FILES"] in rows
    assert ["developer", "3", "2", "app.py"] in rows
    assert ["tester"] in rows
    assert "tmorch: it would lose work" in context.narrated
    assert "do:   name it" in context.narrated
    assert context.said == ""


def test_as_json_the_refusal_carries_it_all() -> None:
    context = FakeContext("cleanup", "shop-1a2b", "--json", orchestrator=facade_with_work())
    assert context.run() == ExitCode.REFUSED
    assert context.json["error"]["code"] == "work-at-risk"
    assert context.json["error"]["cause"] == "developer: 1"


def test_named_work_goes_and_is_said_to_be_kept() -> None:
    context = FakeContext("cleanup", "shop-1a2b", "--force", "developer", "tester", orchestrator=facade_with_work())
    assert context.run() == ExitCode.DONE
    assert ("cleanup", "shop-1a2b", ("developer", "tester")) in context.facade.asked
    assert REF in context.said
    assert "git checkout REF" in context.narrated
    assert ".env and 3 more" in context.narrated


def test_what_stays_makes_it_fail_with_its_reason() -> None:
    facade = FakeOrchestrator()
    facade.removals = (
        Removal(role="developer", worktree="/w", branch="b", removed=False, reason="it changed", remedy="look at it"),
    )
    context = FakeContext("cleanup", "shop-1a2b", orchestrator=facade)
    assert context.run() == ExitCode.FAILED
    assert "stays" in context.said
    assert "it changed" in context.said
    assert "look at it" in context.narrated


def test_json_fits_the_schema() -> None:
    context = FakeContext(
        "cleanup", "shop-1a2b", "--force", "developer,tester", "--json", orchestrator=facade_with_work()
    )
    assert context.run() == ExitCode.DONE
    assert faults(context.json, schema_of("cleanup")) == []


def test_any_other_refusal_is_told_as_it_is() -> None:
    facade = FakeOrchestrator()
    facade.failure = RefusedError("it still runs", cause="these live", remedy="stop it", code="still-running")
    context = FakeContext("cleanup", "shop-1a2b", orchestrator=facade)
    assert context.run() == ExitCode.REFUSED
    assert "why:  these live" in context.narrated
