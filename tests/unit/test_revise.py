"""What a person, or advice that is accepted, does to a proposal."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.agents.catalogue import drivers
from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import ClaudeSettings, ScheduleSettings, Settings
from orchestrator_core.errors import TmorchError, UsageError
from orchestrator_core.models.analysis import Action, Analysis, AnalysisSource, Suggestion
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.launch import (
    Change,
    PlanChosen,
    Proposal,
    RoleToggled,
    RoleTuned,
    StartRequest,
    TeamReset,
    TypeChosen,
)
from orchestrator_core.models.project import ProjectState
from orchestrator_core.models.spec import Spec, SpecWishes
from orchestrator_core.models.team import Plan, Tuning
from orchestrator_core.services.revise import accepted, complete, first_team, revise
from orchestrator_core.team.catalogue import builtin
from orchestrator_core.team.detect import detect_names

CATALOGUE = builtin()
USUAL, SPEC = Settings(), Spec(goal="Sell")
PATHS = Paths.from_env({"HOME": "/home/dana"})
PYTHON = detect_names(["pyproject.toml", "src/app.py", "Dockerfile"])
DEFAULT = ("orchestrator", "project_manager", "developer", "tester", "testrunner")
SHOP = ProjectState(path="/home/dana/shop", name="shop", branch="main", head="4f2c1d9")


def proposed(*, settings: Settings = USUAL, driver: str = "claude", spec: Spec = SPEC, **wish: object) -> Proposal:
    """What the rules make of a wish."""
    request = replace(StartRequest(project=SHOP.path), **wish)
    bare = Proposal(
        request=request,
        project=SHOP,
        spec=spec,
        team=first_team(request, spec, PYTHON, settings, CATALOGUE),
        driver=driver,
        warnings=("2 uncommitted files stay yours",),
        orchestration=OrchestrationId("shop-1a2b"),
    )
    return complete(bare, drivers(settings)[driver], settings, PATHS, CATALOGUE)


def after(proposal: Proposal, *changes: Change, settings: Settings = USUAL) -> Proposal:
    for change in changes:
        proposal = revise(proposal, change, drivers(settings)[proposal.driver], settings, PATHS, CATALOGUE)
    return proposal


def take_in(role: str) -> RoleToggled:
    return RoleToggled(role=role, is_in=True)


def take_out(role: str) -> RoleToggled:
    return RoleToggled(role=role, is_in=False)


def tune(role: str, **tuning: float | str) -> RoleTuned:
    return RoleTuned(role=role, tuning=replace(Tuning(), **tuning))


def kinds(proposal: Proposal) -> dict[str, tuple[str, str]]:
    return {each.role.key: (each.kind, each.reason) for each in (*proposal.team.chosen, *proposal.team.dropped)}


def advised(proposal: Proposal, *advice: str) -> Proposal:
    """The proposal with suggestions such as `+devops`; changed once, so that they are judged."""
    found = tuple(
        Suggestion(
            action=Action.ADD if each[0] == "+" else Action.REMOVE,
            role=each[1:],
            why=f"Claude says {each}",
            source=AnalysisSource.CLAUDE,
        )
        for each in advice
    )
    return after(replace(proposal, analysis=Analysis(suggestions=found)), TeamReset())


# --- roles in and out ------------------------------------------------------------------------------------------------


def test_roles_are_taken_in_and_out() -> None:
    found = after(proposed(), take_in("pm"), take_in("Docs"), take_out("testrunner"))
    assert found.team.roles == (*DEFAULT[:-1], "documentation_writer")
    assert (found.request.added, found.request.removed) == (("documentation_writer",), ("testrunner",))
    assert kinds(found)["documentation_writer"] == ("added", "you added it")
    assert kinds(found)["testrunner"] == ("removed", "you took it out")
    assert found.warnings == ("2 uncommitted files stay yours",)


@pytest.mark.parametrize("first", [take_in("devops"), take_out("tester"), take_in("tester"), take_out("devops")])
def test_what_is_undone_leaves_no_trace(first: RoleToggled) -> None:
    before = proposed()
    there = first.role in before.team.roles
    assert after(before, first, RoleToggled(role=first.role, is_in=there)) == before


def test_the_same_team_comes_of_the_same_request_whatever_the_order() -> None:
    changes = [take_in("devops"), take_in("logtracker"), take_out("tester"), take_out("developer")]
    assert after(proposed(), *changes) == after(proposed(), *reversed(changes))


def test_other_names_in_the_wish_are_known() -> None:
    before = proposed(added=("docs",), removed=("pm",))
    assert after(before, take_out("documentation_writer")).request.added == ()
    assert after(before, take_in("project_manager")).request.removed == ()


def test_an_unknown_role_and_the_last_role_cannot_be_changed() -> None:
    with pytest.raises(UsageError, match="there is no role"):
        after(proposed(), take_in("wizard"))
    alone = proposed(roles=("developer",))
    with pytest.raises(UsageError, match="nobody is left"):
        after(alone, take_out("developer"))
    assert after(alone, take_in("tester"), take_out("developer")).team.roles == ("tester",)


def test_the_person_may_take_out_the_orchestrator_and_is_told() -> None:
    found = after(proposed(), take_out("orchestrator"))
    assert found.team.warnings == ("this team has no orchestrator: it talks through project_manager instead",)


# --- plan and type ---------------------------------------------------------------------------------------------------


def test_a_plan_and_a_type_apply_the_rules_anew_and_keep_what_was_taken_in_or_out() -> None:
    found = after(proposed(), take_in("logtracker"), take_out("tester"), PlanChosen(plan="Max20"))
    assert (found.team.plan, found.request.plan) == (Plan.MAX20, "max20")
    assert found.team.roles == ("orchestrator", "project_manager", "developer", "testrunner", "logtracker", "devops")
    deployed = after(found, TypeChosen(team_type="system"))
    assert deployed.request.team_type == "system_deployment"
    assert {"sysadmin", "devops", "securityops", "logtracker"} <= set(deployed.team.roles)
    assert after(deployed, TypeChosen(team_type="auto")).team == found.team


def test_the_detection_may_be_chosen_over_what_the_spec_wishes() -> None:
    before = proposed(spec=Spec(goal="Sell", wishes=SpecWishes(team_type="system_deployment")))
    assert before.team.type == "system_deployment"
    assert after(before, TypeChosen(team_type="")).team.type == "code_project"


@pytest.mark.parametrize("change", [PlanChosen(plan="max7"), PlanChosen(plan=""), TypeChosen(team_type="web")])
def test_unknown_plans_and_types_are_usage_errors(change: Change) -> None:
    with pytest.raises(UsageError) as caught:
        after(proposed(), change)
    assert caught.value.remedy


@pytest.mark.parametrize("wish", [{"roles": DEFAULT}, {"spec": Spec(goal="Sell", wishes=SpecWishes(roles=DEFAULT))}])
def test_a_smaller_plan_for_named_roles_warns(wish: dict[str, object]) -> None:
    found = after(proposed(**wish), PlanChosen(plan="pro"))  # type: ignore[arg-type]
    assert found.team.roles == DEFAULT
    assert found.team.warnings == ("5 agents are more than the plan pro carries (3): its usage limit will come sooner",)
    assert not found.request.over_cap


def test_a_reset_gives_the_proposal_as_it_was_first_made() -> None:
    before = proposed(added=("logtracker",), plan="max20", tuning={"developer": Tuning(check_in_min=10)})
    changes: list[Change] = [
        take_out("logtracker"),
        take_in("docs"),
        tune("tester", check_in_min=5),
        PlanChosen(plan="pro"),
    ]
    changed = after(before, *changes, TypeChosen(team_type="data_pipeline"))
    assert changed != before
    assert after(changed, TeamReset()) == before


# --- tuning ----------------------------------------------------------------------------------------------------------


def test_an_agent_s_interval_model_and_permissions_are_set() -> None:
    found = after(proposed(), tune("dev", check_in_min=12.5, model="opus", permission_mode="acceptEdits"))
    developer = next(each for each in found.team.chosen if each.role.key == "developer")
    assert (developer.interval_min, developer.model, developer.permission_mode) == (12.5, "opus", "acceptEdits")
    before, now = proposed().estimate, found.estimate
    assert before is not None
    assert now is not None
    assert now.check_ins_per_hour == pytest.approx(before.check_ins_per_hour - 2 + 60 / 12.5)
    assert after(found, tune("developer")) == proposed()


def test_what_is_the_default_anyway_is_not_kept() -> None:
    found = after(proposed(), tune("developer", check_in_min=30, model=" ", permission_mode="manual"))
    assert found == proposed()


def test_tuning_outlives_taking_a_role_out_and_in() -> None:
    found = after(proposed(), tune("tester", check_in_min=5))
    assert after(found, take_out("tester"), take_in("tester")) == found


@pytest.mark.parametrize(
    ("tuning", "code"),
    [
        ({"check_in_min": 0}, "bad-interval"),
        ({"check_in_min": -5}, "bad-interval"),
        ({"check_in_min": 0.5}, "bad-interval"),
        ({"check_in_min": 10080.5}, "bad-interval"),
        ({"check_in_min": float("nan")}, "bad-interval"),
        ({"check_in_min": float("inf")}, "bad-interval"),
        ({"model": "--resume"}, "bad-model"),
        ({"model": "opus; rm -rf ."}, "bad-model"),
        ({"model": "o" * 300}, "bad-model"),
        ({"permission_mode": "acceptedits"}, "bad-permission-mode"),
        ({"permission_mode": "everything"}, "bad-permission-mode"),
    ],
)
def test_what_is_no_interval_model_or_mode_is_refused_with_a_way_out(tuning: dict[str, float | str], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        after(proposed(), tune("developer", **tuning))
    assert (caught.value.code, bool(caught.value.remedy)) == (code, True)
    with pytest.raises(UsageError):
        proposed(tuning={"developer": replace(Tuning(), **tuning)})


@pytest.mark.parametrize("model", ["sonnet", "claude-opus-4-1[1m]", "us.anthropic.claude:0", "arn:aws:bedrock:x/y@1"])
def test_any_sane_word_may_be_a_model(model: str) -> None:
    assert after(proposed(), tune("tester", model=model)).team.chosen[3].model == model


def test_a_role_that_is_not_in_the_team_cannot_be_tuned() -> None:
    with pytest.raises(UsageError) as caught:
        after(proposed(), tune("devops", check_in_min=5))
    assert caught.value.code == "not-in-team"


def test_scripted_agents_have_neither_models_nor_permissions_to_choose() -> None:
    before = proposed(driver="demo")
    assert {(each.model, each.permission_mode) for each in before.team.chosen} == {("", "")}
    for tuning in ({"model": "opus"}, {"permission_mode": "plan"}):
        with pytest.raises(UsageError):
            after(before, tune("developer", **tuning))
    assert after(before, tune("developer", check_in_min=5)).team.chosen[2].interval_min == 5


# --- warnings --------------------------------------------------------------------------------------------------------


def test_who_works_without_asking_is_named() -> None:
    bypass = {"permission_mode": "bypassPermissions"}
    one = after(proposed(), tune("developer", **bypass))
    assert one.team.warnings == ("developer works without asking for any permission (bypassPermissions)",)
    two = after(one, tune("tester", **bypass))
    assert two.team.warnings == ("developer and tester work without asking for any permission (bypassPermissions)",)
    assert after(two, take_out("developer"), tune("tester")).team.warnings == ()


def test_who_works_without_asking_by_the_settings_is_named_too() -> None:
    settings = Settings(claude=ClaudeSettings(permission_mode="bypassPermissions"))
    found = proposed(settings=settings, roles=("orchestrator,developer",))
    assert found.team.warnings == (
        "orchestrator and developer work without asking for any permission (bypassPermissions)",
    )
    asking = after(found, tune("developer", permission_mode="manual"), settings=settings)
    assert asking.team.warnings == ("orchestrator works without asking for any permission (bypassPermissions)",)


def test_a_scripted_team_is_said_to_be_one() -> None:
    found = proposed(driver="demo")
    assert found.team.warnings == ("these agents only play a script: nothing of the spec will be done",)
    assert after(found, take_out("testrunner")).team.warnings == found.team.warnings
    assert found.estimate is not None
    assert found.estimate.tokens_per_hour == (0, 0)


def test_no_check_ins_are_promised_that_the_settings_do_not_want() -> None:
    found = proposed(settings=Settings(schedule=ScheduleSettings(standing=False)))
    assert found.estimate is not None
    assert found.estimate.check_ins_per_hour == 0


# --- advice ----------------------------------------------------------------------------------------------------------


def test_what_advice_did_has_its_words_for_a_reason() -> None:
    found = after(advised(proposed(), "+devops", "-testrunner"), take_in("devops"), take_out("testrunner"))
    assert kinds(found)["devops"] == ("suggested", "Claude says +devops")
    assert kinds(found)["testrunner"] == ("removed", "Claude says -testrunner")
    assert len(found.analysis.suggestions) == 2


def test_what_is_said_of_advice_follows_the_team() -> None:
    before = advised(proposed(), "+devops", "-tester")
    assert "6 agents are more than" in before.analysis.suggestions[0].warning
    assert before.analysis.suggestions[1].refused == "testrunner builds on its work"
    smaller = after(before, take_out("testrunner"))
    assert smaller.analysis.suggestions[0].warning == ""
    assert smaller.analysis.suggestions[1].refused == ""
    assert after(smaller, take_in("testrunner")) == before


def test_accepting_all_removes_first_and_keeps_to_the_cap() -> None:
    before = advised(proposed(), "+devops", "+logtracker", "-testrunner", "-orchestrator", "+wizard")
    assert accepted(before) == (take_out("testrunner"), take_in("devops"))
    found = after(before, *accepted(before))
    assert found.team.roles == ("orchestrator", "project_manager", "developer", "tester", "devops")
    assert accepted(found) == ()


def test_accepting_all_goes_over_the_cap_only_where_the_person_has_said_so() -> None:
    assert accepted(advised(proposed(), "+devops")) == ()
    assert accepted(advised(proposed(over_cap=True), "+logtracker")) == (take_in("logtracker"),)


def test_accepting_all_leaves_somebody() -> None:
    before = advised(proposed(roles=("developer,tester",)), "-developer", "-tester")
    assert after(before, *accepted(before)).team.roles == ("tester",)


# --- any sequence of changes -----------------------------------------------------------------------------------------

roles = st.sampled_from([*CATALOGUE.roles, "pm", "docs"])
intervals = st.none() | st.floats(min_value=1, max_value=10080)
some_changes = st.lists(
    st.builds(RoleToggled, role=roles, is_in=st.booleans())
    | st.builds(
        RoleTuned,
        role=roles,
        tuning=st.builds(
            Tuning,
            check_in_min=intervals,
            model=st.sampled_from(("", "opus")),
            permission_mode=st.sampled_from(("", "manual", "plan", "bypassPermissions")),
        ),
    )
    | st.builds(PlanChosen, plan=st.sampled_from(Plan))
    | st.builds(TypeChosen, team_type=st.sampled_from(["auto", *CATALOGUE.templates.types]))
    | st.just(TeamReset()),
    max_size=10,
)
some_wishes = st.fixed_dictionaries(
    {
        "plan": st.sampled_from(["", *Plan]),
        "roles": st.sampled_from([(), ("developer,tester",), ("orchestrator", "securityops", "testrunner")]),
        "added": st.sampled_from([(), ("docs",), ("monitoringops", "sysadmin")]),
    }
)


def walked(proposal: Proposal, changes: Sequence[Change]) -> list[Proposal]:
    """The proposal after each change that can be made."""
    steps = [proposal]
    for change in changes:
        try:
            steps.append(after(steps[-1], change))
        except TmorchError:
            continue
    return steps


@given(some_wishes, some_changes)
def test_any_changes_leave_a_sound_proposal(wish: dict[str, object], changes: list[Change]) -> None:
    first = advised(proposed(**wish), "+devops", "-tester", "+wizard")  # type: ignore[arg-type]
    steps = walked(first, changes)
    for step in steps:
        check(step)
    assert walked(first, changes) == steps
    assert after(steps[-1], TeamReset()) == first


@given(some_wishes, some_changes, roles)
def test_a_change_and_its_opposite_restore(wish: dict[str, object], changes: list[Change], role: str) -> None:
    before = walked(proposed(**wish), changes)[-1]  # type: ignore[arg-type]
    key = CATALOGUE.role_named(role).key
    there = key in before.team.roles
    if before.team.roles != (key,):
        there_and_back = after(before, RoleToggled(role=role, is_in=not there), RoleToggled(role=role, is_in=there))
        assert there_and_back.team == before.team


def check(proposal: Proposal) -> None:
    team, keys = proposal.team, proposal.team.roles
    out = [each.role.key for each in team.dropped]
    assert keys
    assert len({*keys, *out}) == len(keys) + len(out)
    assert "orchestrator" not in keys or keys[0] == "orchestrator"
    assert all(each.reason for each in (*team.chosen, *team.dropped))
    assert (len(keys) > team.cap) == any("agents are more than the plan" in each for each in team.warnings)
    assert ("orchestrator" not in keys) == any("has no orchestrator" in each for each in team.warnings)
    assert len(set(team.warnings)) == len(team.warnings)
    assert {each for pair in proposal.routes for each in pair} <= set(keys)
    assert proposal.estimate is not None
    assert proposal.estimate.check_ins_per_hour == pytest.approx(sum(60 / each.interval_min for each in team.chosen))
    assert set(proposal.request.added).isdisjoint(proposal.request.removed)
    assert Tuning() not in proposal.request.tuning.values()
