"""Reading git's output for machines: any name that a file or branch may have comes through whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.git.porcelain import StatusEntry, parse_status, parse_worktrees

OID = "a" * 40
NAMES = st.text(
    st.characters(exclude_characters="\0", codec="utf-8") | st.sampled_from('\n "\\-\t\udcff'),
    min_size=1,
)
LINES = {
    "1": f"1 .M N... 100644 100644 100644 {OID} {OID} ",
    "2": f"2 R. N... 100644 100644 100644 {OID} {OID} R100 ",
    "u": f"u UU N... 100644 100644 100644 100644 {OID} {OID} {OID} ",
    "?": "? ",
}


@given(st.lists(st.tuples(st.sampled_from(sorted(LINES)), NAMES)))
def test_every_path_comes_through_exactly(entries: list[tuple[str, str]]) -> None:
    output = f"# branch.oid {OID}\0# branch.head main\0"
    for kind, path in entries:
        output += f"{LINES[kind]}{path}\0" + ("? where it came from\0" if kind == "2" else "")

    status = parse_status(output)

    assert status.entries == tuple(StatusEntry(kind=kind, path=path) for kind, path in entries)
    assert status.conflicts == sum(kind == "u" for kind, _ in entries)


def test_status_of_an_empty_branch() -> None:
    status = parse_status("# branch.oid (initial)\0# branch.head main\0")

    assert (status.head, status.branch, status.upstream, status.entries) == ("", "main", "", ())


def test_status_of_a_detached_head_and_of_an_upstream() -> None:
    detached = parse_status(f"# branch.oid {OID}\0# branch.head (detached)\0")
    tracking = parse_status(f"# branch.oid {OID}\0# branch.head a b\0# branch.upstream origin/a b\0")

    assert (detached.head, detached.branch) == (OID, "")
    assert (tracking.branch, tracking.upstream) == ("a b", "origin/a b")


def test_worktrees_with_odd_paths_and_locks() -> None:
    output = (
        f"worktree /p\0HEAD {OID}\0branch refs/heads/main\0\0"
        f"worktree /w/a\nb\0HEAD {OID}\0branch refs/heads/tmorch/x/dev\0locked\0\0"
        f"worktree /w/worktree c\0HEAD {OID}\0detached\0locked in use\nhere\0prunable gone\0\0"
    )

    main, first, second = parse_worktrees(output)

    assert (main.path, main.branch, main.is_main, main.locked) == ("/p", "main", True, None)
    assert (first.path, first.branch, first.is_main, first.locked) == ("/w/a\nb", "tmorch/x/dev", False, "")
    assert (second.path, second.branch, second.locked) == ("/w/worktree c", "", "in use\nhere")


def test_worktrees_of_a_git_without_nul_listing() -> None:
    bare, linked = parse_worktrees(
        f"worktree /b.git\nbare\n\nworktree /w\nHEAD {OID}\nbranch refs/heads/x\n\n", end="\n"
    )

    assert (bare.path, bare.head, bare.is_main) == ("/b.git", "", True)
    assert (linked.path, linked.head, linked.branch) == ("/w", OID, "x")


def test_no_worktrees() -> None:
    assert parse_worktrees("") == ()
