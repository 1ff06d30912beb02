import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.services.naming import branch_name, new_id, slug


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shop", "shop"),
        ("My Web App", "my-web-app"),
        ("a.b:c", "a-b-c"),
        ("-rf", "rf"),
        ('it\'s "quoted"', "it-s-quoted"),
        ("Straße Übung", "strae-ubung"),
        ("日本語", "project"),
        ("", "project"),
        ("x" * 80, "x" * 24),
    ],
)
def test_slug(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(st.text())
def test_any_name_gives_a_slug_that_tmux_git_and_folders_take(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug(name))
    assert len(slug(name)) <= 24


def test_two_projects_with_one_slug_get_two_ids() -> None:
    taken: set[str] = set()
    for _ in range(200):
        identifier = new_id("Web App", taken.__contains__)
        assert identifier not in taken
        taken.add(identifier)


def test_branches_differ_by_role() -> None:
    orchestration = new_id("shop", lambda _: False)
    assert branch_name(orchestration, "developer") == f"tmorch/{orchestration}/developer"
