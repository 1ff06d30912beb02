"""Completing the path of a project and of a spec while it is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator_core.config.paths import expanded
from orchestrator_core.config.settings import ProjectsSettings, Settings
from orchestrator_core.models.launch import PathKind
from orchestrator_core.services import paths
from orchestrator_core.services.paths import SHOWN, completions
from orchestrator_core.services.proposal import find_project, find_spec

SPEC_TEXT = "GOAL: Sell things\n"


@pytest.fixture
def home(isolated_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with projects, of which `shop` and `my-shop` are repositories; we are in a folder of our own."""
    for name in ("shop", "my-shop", "api"):
        (isolated_home / "projects" / name / ".git").mkdir(parents=True)
    (isolated_home / "projects" / "shopping-notes").mkdir()
    (isolated_home / "projects" / ".hidden").mkdir()
    desk = isolated_home / "desk"
    desk.mkdir()
    monkeypatch.chdir(desk)
    return isolated_home


def projects(text: str, chosen: Settings | None = None) -> tuple[str, ...]:
    return completions(text, PathKind.PROJECT, "", chosen or Settings())


def specs(text: str, project: str = "") -> tuple[str, ...]:
    return completions(text, PathKind.SPEC, project, Settings())


# -- projects ---------------------------------------------------------------------------------------


def test_nothing_written_offers_the_projects_folder_repositories_first(home: Path) -> None:
    assert projects("") == ("~/projects/api", "~/projects/my-shop", "~/projects/shop", "~/projects/shopping-notes/")


def test_the_repository_that_we_are_in_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = home / "projects/shop/src"
    inside.mkdir()
    monkeypatch.chdir(inside)
    assert projects("")[:2] == ("~/projects/shop", "~/projects/api")
    assert projects("").count("~/projects/shop") == 1


def test_a_name_is_looked_for_in_the_projects_folder_and_here_what_begins_so_first(home: Path) -> None:
    (home / "desk/shop-of-here").mkdir()
    assert projects("SHOP") == ("~/projects/shop", "~/projects/shopping-notes/", "shop-of-here/", "~/projects/my-shop")


def test_the_projects_folder_is_a_setting(home: Path) -> None:
    (home / "work/till/.git").mkdir(parents=True)
    assert projects("ti", Settings(projects=ProjectsSettings(folder="~/work"))) == ("~/work/till",)


@pytest.mark.parametrize("start", ["~/projects/", "{home}/projects/", "../projects/"])
def test_what_is_written_stays_as_it_is_written(home: Path, start: str) -> None:
    start = start.format(home=home)
    assert projects(f"{start}sh")[0] == f"{start}shop"
    assert projects(start)[0] == f"{start}api"


def test_what_is_written_in_full_is_the_first(home: Path) -> None:
    (home / "projects/shop-2/.git").mkdir(parents=True)
    assert projects("~/projects/shop")[:2] == ("~/projects/shop", "~/projects/shop-2")


def test_hidden_folders_only_when_asked_for(home: Path) -> None:
    assert "~/projects/.hidden/" not in projects("~/projects/")
    assert projects("~/projects/.") == ("~/projects/.hidden/",)


def test_the_home_and_the_folder_above_lead_on(home: Path) -> None:
    assert projects("~") == ("~/",)
    assert projects("..") == ("../",)
    assert "../projects/" in projects("../")


def test_files_are_no_projects_and_spaces_before_are_nothing(home: Path) -> None:
    (home / "projects/shop.txt").touch()
    assert projects("  ~/projects/shop") == projects("~/projects/shop")
    assert "shop.txt" not in " ".join(projects("~/projects/shop"))


@pytest.mark.parametrize("text", ["no/such/", "~/projects/nothing", "\0", "a\0/b", "\ud800", "/" * 300, "x" * 5000])
def test_what_leads_nowhere_has_no_candidates(home: Path, text: str) -> None:
    if text.strip("/"):
        assert projects(text) == ()
    assert isinstance(specs(text, text), tuple)


def test_without_a_projects_folder_and_without_a_folder_to_be_in(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert projects("") == ()
    assert specs("") == ()
    assert projects("~/projects/sh")[0] == "~/projects/shop"


def test_loops_and_what_must_not_be_read(home: Path) -> None:
    (home / "projects/loop").symlink_to("loop")
    (home / "projects/round").symlink_to(home / "projects")
    locked = home / "projects/locked"
    locked.mkdir(mode=0o000)
    os.mkfifo(home / "projects/pipe.md")
    assert "~/projects/loop/" not in projects("~/projects/")
    assert projects("~/projects/round/round/sh")[0] == "~/projects/round/round/shop"
    assert isinstance(projects("~/projects/locked/"), tuple)
    assert "~/projects/pipe.md" not in specs("~/projects/")
    locked.chmod(0o700)


def test_a_huge_folder_takes_no_time_and_is_not_listed_whole(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "LISTED", 300)
    for number in range(400):
        (home / f"projects/p{number:03}").mkdir()
    assert len(projects("~/projects/")) == SHOWN
    assert len(projects("p")) == SHOWN


# -- specs ------------------------------------------------------------------------------------------


@pytest.fixture
def shop(home: Path) -> Path:
    """A project with a spec, a readme, and more of them in a folder."""
    project = home / "projects/shop"
    for name in ("README.md", "SPEC.md", "a-plan.markdown", "main.py", "docs/spec.md", "docs/till.md", ".notes.md"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(SPEC_TEXT)
    return project


def test_the_projects_own_spec_comes_first_then_markdown_then_folders(shop: Path) -> None:
    assert specs("", "shop") == ("SPEC.md", "docs/spec.md", "a-plan.markdown", "README.md", "docs/")
    assert specs("", "~/projects/shop/docs") == specs("", "shop"), "a folder in it means the project"
    assert specs("doc", "shop") == ("docs/",)
    assert specs("docs/", "shop") == ("docs/spec.md", "docs/till.md")
    assert specs(".", "shop") == (".notes.md", ".git/")


def test_a_spec_is_seen_from_here_too_and_the_shorter_name_means_one_file(shop: Path, home: Path) -> None:
    (home / "desk/SPEC.md").write_text("GOAL: Another\n")
    (home / "desk/mine.md").write_text(SPEC_TEXT)
    assert specs("", "shop")[:2] == ("~/projects/shop/SPEC.md", "docs/spec.md")
    assert specs("spec", "shop") == ("~/projects/shop/SPEC.md", "SPEC.md")
    assert "mine.md" in specs("", "shop")
    for text in specs("", "shop"):
        if not text.endswith("/"):
            assert find_spec(text, shop).goal in ("Sell things", "Another")


def test_without_a_project_only_what_is_here(home: Path) -> None:
    (home / "desk/mine.md").write_text(SPEC_TEXT)
    assert specs("", "no-such-project") == ("mine.md",)
    assert specs("~/de") == ("~/desk/",)


# -- any names --------------------------------------------------------------------------------------

LETTERS = st.characters(exclude_characters="/\0", exclude_categories=["Cs"])
NAMES = st.text(LETTERS, min_size=1, max_size=20).filter(lambda name: name not in (".", ".."))
BYTES = st.binary(min_size=1, max_size=12).filter(lambda name: not set(name) & {0, 0x2F} and name not in (b".", b".."))


@given(names=st.lists(NAMES, max_size=6), raw=st.lists(BYTES, max_size=3), part=NAMES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_names_there_are(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], raw: list[bytes], part: str
) -> None:
    """Every candidate is one line, stands for what is there, and is found by those who take it."""
    folder = tmp_path_factory.mktemp("any")
    for each in (*map(os.fsencode, names), *raw):
        path = os.path.join(os.fsencode(folder), each)  # noqa: PTH118  # names that are no text
        if not os.path.lexists(path):
            os.makedirs(os.path.join(path, b".git"))  # noqa: PTH103, PTH118
    chosen = Settings(projects=ProjectsSettings(folder=str(folder)))
    for text in ("", part, f"{folder}/{part}", part[:1]):
        for candidate in completions(text, PathKind.PROJECT, "", chosen):
            assert "\n" not in candidate
            assert "\x1b" not in candidate
            assert expanded(candidate).is_dir()
            assert find_project(candidate, chosen) == expanded(candidate)
        assert isinstance(completions(text, PathKind.SPEC, str(folder), chosen), tuple)
